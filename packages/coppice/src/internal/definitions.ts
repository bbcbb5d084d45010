/**
 * The code of an orchestrator's agents, without anything that runs it.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Orchestrator } from "../Orchestrator.ts"

export type Definition = Parameters<AgentSupervisor["Service"]["add"]>[0]

/** A supervisor that starts nothing. */
const collector = (found: Map<string, Definition>): AgentSupervisor["Service"] =>
  ({
    add: (definition) => Effect.sync(() => void found.set(definition.contract.name, definition))
  }) as Pick<AgentSupervisor["Service"], "add"> as AgentSupervisor["Service"]

/** The code of the agents, without anything that runs it. */
export const definitionsOf = (orchestrator: Orchestrator, found: Map<string, Definition>) =>
  Layer.mergeAll(...orchestrator.options.agents as [Orchestrator["options"]["agents"][number]]).pipe(
    Layer.provide(Layer.mergeAll(
      Layer.succeed(AgentSupervisor, collector(found)),
      Layer.succeed(Tasks, {} as Tasks["Service"])
    ))
  )
