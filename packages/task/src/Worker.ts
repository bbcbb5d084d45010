/**
 * The port to whatever fulfils a contract: agent servers of this process, or remote MCP servers.
 *
 * Tasks are handed over here and come back as commands on the log. `mcp` and `agent` meet in this port and in the log,
 * and nowhere else.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Contract } from "./Contract.ts"
import { nearest } from "./Nearest.ts"
import type { Entry } from "./TaskLog.ts"

/** Input that does not fit the agent's schema; `path` is where, in the encoded input. */
export class InvalidInput extends Data.TaggedError("InvalidInput")<{
  readonly agent: string
  readonly path: string
  readonly message: string
}> {}

/** The agent's queue is full. Nothing was created; try again after `retryAfter` milliseconds. */
export class QueueFull extends Data.TaggedError("QueueFull")<{
  readonly agent: string
  readonly limit: number
  readonly retryAfter: number
}> {
  override get message(): string {
    return `Agent "${this.agent}" already has ${this.limit} tasks waiting; try again in ${this.retryAfter} ms`
  }
}

/** No worker fulfils this agent's contract here. */
export class UnknownAgent extends Data.TaggedError("UnknownAgent")<{
  readonly agent: string
  readonly suggestion: string | undefined
  readonly known: ReadonlyArray<string>
}> {
  override get message(): string {
    if (this.suggestion !== undefined) return `Unknown agent "${this.agent}"; did you mean "${this.suggestion}"?`
    return this.known.length === 0
      ? `Unknown agent "${this.agent}": this service has no agents`
      : `Unknown agent "${this.agent}"; known agents: ${this.known.join(", ")}`
  }
}

/** One agent's worker. `start` and `resume` take over the caller's pin of the entry. */
export interface Worker {
  readonly contract: Contract
  /** Checks an input before a task is made of it; succeeds with the input to record. */
  readonly accept: (input: Json) => Effect.Effect<Json, InvalidInput>
  /** Tasks that wait for a place now. */
  readonly waiting: () => number
  /** Whether a task started now would run at once. */
  readonly hasPlace: () => boolean
  /** Calls back when another task may be queued; at once when one may. */
  readonly whenRoom: (callback: () => void) => void
  /** Begins a task that was just created, input in hand. Returns at once. */
  readonly start: (entry: Entry, input: Json) => void
  /** Brings a stored task back. Returns at once. */
  readonly resume: (entry: Entry) => void
}

/** The workers of this process by agent name. */
export class Workers extends Context.Service<Workers, {
  readonly register: (worker: Worker) => Effect.Effect<void, never, Scope.Scope>
  readonly find: (agent: string) => Worker | undefined
  readonly get: (agent: string) => Effect.Effect<Worker, UnknownAgent>
  readonly list: () => ReadonlyArray<Worker>
}>()("@coppice/task/Workers") {}

export const layer: Layer.Layer<Workers> = Layer.sync(Workers, () => {
  const workers = new Map<string, Worker>()
  const unknown = (agent: string) =>
    new UnknownAgent({ agent, suggestion: nearest(agent, [...workers.keys()]), known: [...workers.keys()] })
  return {
    register: (worker) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          workers.set(worker.contract.name, worker)
        }),
        () =>
          Effect.sync(() => {
            // a later worker of that name stays
            if (workers.get(worker.contract.name) === worker) workers.delete(worker.contract.name)
          })
      ),
    find: (agent) => workers.get(agent),
    get: (agent) => {
      const worker = workers.get(agent)
      return worker === undefined ? Effect.fail(unknown(agent)) : Effect.succeed(worker)
    },
    list: () => [...workers.values()]
  }
})
