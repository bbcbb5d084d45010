/**
 * The supervised thing that runs one agent's tasks: its places, its queue, its code.
 *
 * A place is the permission to run code. A task holds one while its fibers move or a step's body runs, and gives it
 * back while it waits for the log; tasks that come back from waiting go before tasks that have not begun.
 */
import type { Contract } from "@coppice/task/Contract"
import type * as Context from "effect/Context"
import type { Effect } from "effect/Effect"
import type { Exit } from "effect/Exit"
import type { Json } from "effect/Schema"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"

/** An agent's code with its types erased: everything is the encoded JSON of the contract's schemas. */
export interface Definition {
  readonly contract: Contract
  readonly context: Context.Context<never>
  /** The handler on a recorded input. Succeeds with the encoded output, fails with the encoded declared error. */
  readonly handle: (input: Json) => Effect<Json, Json>
  readonly accept: (input: Json) => Exit<Json, { readonly path: string; readonly message: string }>
}

export class AgentServer {
  readonly definition: Definition
  readonly host: Host
  /** Executions that hold a place. */
  active = 0
  /** Executions begun and not ended, waiting ones included. */
  readonly executions = new Set<Execution>()
  restarts = 0
  lastDefect: string | undefined
  private readonly returning: Array<Execution> = []
  private readonly starting: Array<Execution> = []
  private readonly roomWaiters: Array<() => void> = []

  constructor(definition: Definition, host: Host) {
    this.definition = definition
    this.host = host
  }

  get contract(): Contract {
    return this.definition.contract
  }

  get waiting(): number {
    return this.starting.length
  }

  get hasPlace(): boolean {
    return this.active < this.contract.concurrency && this.starting.length === 0
  }

  /** Takes a place, or queues for one. True when the execution may run now. */
  enter(execution: Execution): boolean {
    if (execution.hasPlace) return true
    if (this.active < this.contract.concurrency) {
      this.active++
      execution.hasPlace = true
      return true
    }
    const queue = execution.attempt === 0 ? this.starting : this.returning
    if (!queue.includes(execution)) queue.push(execution)
    return false
  }

  /** Gives the place to whoever waits for it. */
  leave(execution: Execution): void {
    if (!execution.hasPlace) return
    execution.hasPlace = false
    this.active--
    const next = this.returning.shift() ?? this.starting.shift()
    if (next === undefined) return
    this.host.ready(next)
    while (this.roomWaiters.length > 0 && this.waiting < this.contract.queue) this.roomWaiters.shift()!()
  }

  /** Takes an execution out of the queues: it ended before its turn came. */
  drop(execution: Execution): void {
    for (const queue of [this.returning, this.starting]) {
      const index = queue.indexOf(execution)
      if (index >= 0) queue.splice(index, 1)
    }
  }

  whenRoom(callback: () => void): void {
    if (this.waiting < this.contract.queue) callback()
    else this.roomWaiters.push(callback)
  }

  /** The number of the attempt that begins now; recorded unless the task was born with it. */
  claim(execution: Execution): number {
    const { state } = execution.entry
    if (state.attempt > 0 && !execution.isRestart) return state.attempt
    const attempt = state.attempt + 1
    this.host.log.dispatch(execution.entry, { _tag: "Start", attempt })
    return attempt
  }
}
