/**
 * Groups of agents with a strategy of their own, below the supervisor of the orchestrator.
 *
 * ```text
 *              orchestrator            one_for_one
 *             ╱            ╲
 *        group: search      report     rest_for_one within the group
 *       ╱      │      ╲
 *   index   crawl   rank
 * ```
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AgentSupervisor, type GroupOptions, type Member } from "./AgentSupervisor.ts"

type Alone = Member & { readonly _tag: "Agent" }

/** The agents of a group and how they are supervised. */
export interface Group<R> extends GroupOptions {
  /** Started in this order, stopped in reverse. A group may stand among them. */
  readonly agents: ReadonlyArray<Layer.Layer<never, never, R>>
}

/**
 * Agents that are supervised together: those of one group are restarted with each other as its strategy says, and with
 * nobody else.
 *
 * **Details**
 *
 * Defaults are those of the orchestrator: `one_for_one`, 5 restarts in 30 seconds. A group whose restarts exceed its
 * intensity gives up: its agents stop, and its parent treats that as the death of one child, to be restarted as a whole by
 * its `restart` type and counted against the parent's own intensity.
 *
 * **Gotchas**
 *
 * Servers are restarted, never tasks: those of a stopped agent wait in the log and go on when it is back.
 *
 * Names of groups and agents are one namespace.
 */
export const group = <R>(
  name: string,
  { agents, ...options }: Group<R>
): Layer.Layer<never, never, AgentSupervisor | R> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const supervisor = yield* AgentSupervisor
    const members: Array<Member> = []
    const collector = {
      ...supervisor,
      add: (definition: Alone["definition"], options: Alone["options"]) =>
        Effect.sync(() => void members.push({ _tag: "Agent", definition, options })),
      addGroup: (member: Member) => Effect.sync(() => void members.push(member))
    }
    const collecting = Layer.succeed(AgentSupervisor, collector)
    for (const agent of agents) yield* Layer.build(Layer.provide(agent, collecting))
    yield* supervisor.addGroup({ _tag: "Group", name, options, members })
  })) as never
