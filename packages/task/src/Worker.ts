/**
 * The port to whatever fulfils a contract: agent servers of this process, or remote MCP servers.
 *
 * Tasks are handed over here and come back as commands on the log. `mcp` and `agent` meet in this port and in the log,
 * and nowhere else.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Contract } from "./Contract.ts"
import type { Elsewhere } from "./LiveTree.ts"
import { nearest } from "./Nearest.ts"
import type { TaskId } from "./Task.ts"
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

/**
 * The agent is served here, but nobody takes its tasks now: its server is between restarts, or was not started again.
 * Nothing was created; try again after `retryAfter` milliseconds.
 */
export class AgentAway extends Data.TaggedError("AgentAway")<{
  readonly agent: string
  readonly retryAfter: number
}> {
  override get message(): string {
    return `Agent "${this.agent}" takes no tasks now: its server is down; try again in ${this.retryAfter} ms`
  }
}

/**
 * Where a task stands that waits for a place, from 1, as long as nobody comes who goes before it; and how many other
 * principals of its priority have their turn before its own has the next one.
 */
export interface QueuePlace {
  readonly place: number
  readonly turns: number
}

/** What the Coppice that does a task's work tells of its part of the tree, or since when it does not answer. */
export type Looked =
  | { readonly _tag: "Tree"; readonly server: string; readonly tree: Elsewhere }
  | { readonly _tag: "Away"; readonly server: string; readonly since: number; readonly message: string }

/**
 * Whether calls reach a server: `open` while it is left alone after failures, `half_open` when one call may try it.
 * `openings`: how often it was left alone since it last answered.
 */
export interface Breaker {
  readonly state: "closed" | "open" | "half_open"
  /** When it will be tried again, Unix milliseconds, while it is left alone. */
  readonly until: number | null
  readonly openings: number
}

/** One agent's worker. `start` and `resume` take over the caller's pin of the entry. */
export interface Worker {
  readonly contract: Contract
  /** Checks an input before a task is made of it; succeeds with the input to record. */
  readonly accept: (input: Json) => Effect.Effect<Json, InvalidInput>
  /** Tasks that wait for a place now. */
  readonly waiting: () => number
  /** Those among them that one principal asked for; left out, nobody is told apart. */
  readonly waitingOf?: ((principal: string) => number) | undefined
  /** Where a task stands that waits for a place; left out, nobody can say. */
  readonly placeOf?: ((task: TaskId) => QueuePlace | undefined) | undefined
  /** Whether a task started now would run at once. */
  readonly hasPlace: () => boolean
  /** Calls back when another task may be queued; at once when one may. */
  readonly whenRoom: (callback: () => void) => void
  /** Begins a task that was just created, input in hand. Returns at once. */
  readonly start: (entry: Entry, input: Json) => void
  /** Brings a stored task back. Returns at once. */
  readonly resume: (entry: Entry) => void
  /** The MCP server its tasks are done on; left out when that is this process. */
  readonly server?: string | undefined
  /** How that server is; all its agents tell the same. */
  readonly breaker?: Effect.Effect<Breaker> | undefined
  /** That server is told when a task is steered, until it has said that it knows. Left out, nobody there can be told. */
  readonly tells?: boolean | undefined
  /** Asks that server, a Coppice, for its part of the tree; no longer than `wait` milliseconds. `undefined`: it has none. */
  readonly look?: ((task: TaskId, wait: number) => Effect.Effect<Looked | undefined>) | undefined
  /**
   * Brings an ended task to rest that nobody here runs, when something of it may go on elsewhere; it tells the settler.
   * Also asked when the time of an open settlement has come. Left out, such a task is at rest: whoever ran it is gone.
   * Takes over the caller's pin.
   */
  readonly rest?: ((entry: Entry) => void) | undefined
  /**
   * Undoes what the sagas of an ended task have done that nobody here runs, then tells the settler. At least once. Takes
   * over the caller's pin.
   */
  readonly undo?: ((entry: Entry) => void) | undefined
}

/** How long a request waits for an agent whose server is between restarts, before it is refused. */
export const AwayPatience = Context.Reference<Duration.Input>("@coppice/task/Worker/AwayPatience", {
  defaultValue: () => "5 seconds"
})

/** The workers of this process by agent name. */
export class Workers extends Context.Service<Workers, {
  readonly register: (worker: Worker) => Effect.Effect<void, never, Scope.Scope>
  readonly find: (agent: string) => Worker | undefined
  /** An agent without a worker is no longer expected to come back: it is unknown. */
  readonly forget: (agent: string) => void
  /** What the agent takes and gives, also while its worker is away. */
  readonly contract: (agent: string) => Contract | undefined
  /** Whether an agent's work goes on elsewhere while its worker is away. */
  readonly isElsewhere: (agent: string) => boolean
  /** Of every agent that is or was served here. */
  readonly contracts: () => ReadonlyArray<Contract>
  /** The agent's worker; one that is away is waited for, no longer than `AwayPatience`. */
  readonly get: (agent: string) => Effect.Effect<Worker, UnknownAgent | AgentAway>
  readonly list: () => ReadonlyArray<Worker>
}>()("@coppice/task/Workers") {}

/** An agent that was served here once, and the requests that wait for it to be served again. */
interface Known {
  readonly contract: Contract
  readonly isElsewhere: boolean
  readonly waiting: Set<(worker: Worker) => void>
}

class Registry {
  private readonly workers = new Map<string, Worker>()
  private readonly known = new Map<string, Known>()

  readonly find = (agent: string): Worker | undefined => this.workers.get(agent)
  readonly contract = (agent: string): Contract | undefined => this.known.get(agent)?.contract
  readonly isElsewhere = (agent: string): boolean => this.known.get(agent)?.isElsewhere === true
  readonly contracts = (): ReadonlyArray<Contract> => [...this.known.values()].map(({ contract }) => contract)
  readonly list = (): ReadonlyArray<Worker> => [...this.workers.values()]

  add(worker: Worker): void {
    const { contract } = worker
    const waiting = this.known.get(contract.name)?.waiting ?? new Set()
    this.known.set(contract.name, { contract, isElsewhere: worker.rest !== undefined, waiting })
    this.workers.set(contract.name, worker)
    for (const resume of waiting) resume(worker)
    waiting.clear()
  }

  remove(worker: Worker): void {
    const { name } = worker.contract
    // a later worker of that name stays
    if (this.workers.get(name) === worker) this.workers.delete(name)
  }

  readonly forget = (agent: string): void => {
    if (!this.workers.has(agent)) this.known.delete(agent)
  }

  readonly get = (agent: string): Effect.Effect<Worker, UnknownAgent | AgentAway> =>
    Effect.suspend((): Effect.Effect<Worker, UnknownAgent | AgentAway> => {
      const worker = this.workers.get(agent)
      if (worker !== undefined) return Effect.succeed(worker)
      const known = this.known.get(agent)
      return known === undefined ? Effect.fail(this.unknown(agent)) : this.wait(known)
    })

  private wait({ contract: { name: agent, queue }, waiting }: Known): Effect.Effect<Worker, AgentAway> {
    const away = Effect.fail(new AgentAway({ agent, retryAfter: 1_000 }))
    // as many may wait for its server as may wait in it
    if (waiting.size >= queue) return away
    const arrival = Effect.callback<Worker>((resume) => {
      const told = (worker: Worker) => resume(Effect.succeed(worker))
      waiting.add(told)
      return Effect.sync(() => waiting.delete(told))
    })
    return Effect.flatMap(AwayPatience, (duration) => Effect.timeoutOrElse(arrival, { duration, orElse: () => away }))
  }

  private unknown(agent: string): UnknownAgent {
    const known = [...this.known.keys()]
    return new UnknownAgent({ agent, suggestion: nearest(agent, known), known })
  }
}

export const layer: Layer.Layer<Workers> = Layer.sync(Workers, () => {
  const registry = new Registry()
  const { contract, contracts, find, forget, get, isElsewhere, list } = registry
  return {
    register: (worker) =>
      Effect.acquireRelease(
        Effect.sync(() => registry.add(worker)),
        () => Effect.sync(() => registry.remove(worker))
      ),
    contract,
    contracts,
    find,
    forget,
    get,
    isElsewhere,
    list
  }
})
