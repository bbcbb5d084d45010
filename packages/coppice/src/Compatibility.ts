/**
 * Whether what calls one build's agents can go on with another's, before it is deployed.
 */
import { type Change, compare } from "@coppice/task/Compatibility"
import { Contract } from "@coppice/task/Contract"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { copyOf } from "./internal/copyOf.ts"
import { type Definition, definitionsOf } from "./internal/definitions.ts"
import type { Orchestrator } from "./Orchestrator.ts"

export { type Change, compare, type Contract }

/** What the agents of an orchestrator promise. Their layers are built, and so is what they need. */
export const contractsOf = (orchestrator: Orchestrator): Effect.Effect<ReadonlyArray<Contract>> =>
  Effect.suspend(() => {
    const found = new Map<string, Definition>()
    return Effect.as(Effect.scoped(Layer.build(definitionsOf(orchestrator, found))), found).pipe(
      Effect.map((all) => [...all.values()].map(({ contract }) => contract))
    )
  })

const Contracts = Schema.fromJsonString(Schema.toCodecJson(Schema.Array(Contract)))
const decode = Schema.decodeUnknownResult(Contracts)

/** Reads contracts as `format` has written them. */
export const parse = (text: string): Result.Result<ReadonlyArray<Contract>, string> =>
  Result.mapError(decode(text), (error) => String(error).split("\n")[0]!)

/** Contracts as a text. */
export const format = (contracts: ReadonlyArray<Contract>): string => `${JSON.stringify(contracts, null, 2)}\n`

const page = 1_000
const most = 100_000

/** Who called whom, as a store has recorded it: the callers of each agent. Of a copy, the newest 100,000 tasks. */
export const callersIn = (url: string): Effect.Effect<ReadonlyMap<string, ReadonlySet<string>>, StoreError> =>
  Effect.scoped(Effect.gen(function*() {
    const read = Effect.gen(function*() {
      const tasks = yield* Tasks
      const agents = new Map<TaskId, string>()
      const calls: Array<readonly [TaskId, string]> = []
      let cursor: TaskId | undefined
      while (agents.size < most) {
        const next = yield* tasks.list({ cursor, limit: page })
        for (const { agent, id, parent } of next) {
          agents.set(id, agent)
          if (parent !== null) calls.push([parent, agent])
        }
        cursor = next.at(-1)?.id
        if (next.length < page) break
      }
      const callers = new Map<string, Set<string>>()
      for (const [parent, agent] of calls) {
        const caller = agents.get(parent)
        if (caller !== undefined) callers.set(agent, (callers.get(agent) ?? new Set()).add(caller))
      }
      return callers
    })
    return yield* Effect.provide(read, yield* copyOf(url), { local: true })
  }))
