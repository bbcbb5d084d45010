/**
 * The supervised thing that runs one agent's tasks: its places, its queue, its code.
 *
 * A place is the permission to run code. A task holds one while its fibers move or a step's body runs, and gives it
 * back while it waits for the log. Places are given by priority; among equals, tasks that come back from waiting go before
 * tasks that have not begun.
 */
import type { Contract } from "@coppice/task/Contract"
import type { Move } from "@coppice/task/Migration"
import type { TaskId } from "@coppice/task/Task"
import { InvalidInput, type QueuePlace } from "@coppice/task/Worker"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import type { Block } from "./Blocks.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import { Line } from "./Line.ts"
import { Ranks } from "./Ranks.ts"

/** An agent's code with its types erased: everything is the encoded JSON of the contract's schemas. */
export interface Definition {
  readonly contract: Contract
  readonly context: Context.Context<never>
  /** The handler on a recorded input. Succeeds with the encoded output, fails with the encoded declared error. */
  readonly handle: (input: Json) => Effect.Effect<Json, Json>
  /** How newer code finds what older code has recorded. */
  readonly migrate?: Migration | undefined
  readonly accept: (input: Json) => Exit.Exit<Json, { readonly path: string; readonly message: string }>
}

/** What newer code makes of what older code has recorded. */
export interface Migration {
  readonly moves?: ReadonlyArray<Move> | undefined
  /** The recorded input as the contract wants it now. */
  readonly input?: ((recorded: Json) => Json) | undefined
}

/** A block, and the task whose code it was. */
export interface BlockOf extends Block {
  readonly task: TaskId
}

/** Live figures of one agent. */
export interface AgentStats {
  readonly agent: string
  readonly active: number
  readonly waiting: number
  readonly resident: number
  readonly restarts: number
  readonly lastDefect: string | undefined
  /** When one of its tasks last kept the event loop busy, and which. */
  readonly lastBlock: BlockOf | undefined
}

const principalOf = ({ entry }: Execution): string => entry.state.spec.principal

export class AgentServer {
  readonly definition: Definition
  readonly host: Host
  /** Executions that hold a place. */
  active = 0
  /** Executions in memory, waiting ones included. */
  readonly executions = new Set<Execution>()
  restarts = 0
  lastDefect: string | undefined
  lastBlock: BlockOf | undefined
  /** True once it takes no more tasks. */
  isRetired = false
  /** Called when the last execution has left memory. */
  onEmpty: (() => void) | undefined
  private readonly returning = new Ranks(principalOf)
  /** By who asked for it: nobody's thousand tasks keep another's one waiting. */
  private readonly starting = new Ranks(principalOf)
  private readonly roomWaiters = new Line<() => void>()

  constructor(definition: Definition, host: Host) {
    this.definition = definition
    this.host = host
  }

  get contract(): Contract {
    return this.definition.contract
  }

  /** Tasks that have not begun and wait for a place. */
  get waiting(): number {
    return this.starting.size
  }

  get stats(): AgentStats {
    const { active, contract, executions, lastBlock, lastDefect, restarts, waiting } = this
    return { agent: contract.name, active, waiting, resident: executions.size, restarts, lastDefect, lastBlock }
  }

  /** Those among them that one principal asked for. */
  waitingOf(principal: string): number {
    return this.starting.sizeOf(principal)
  }

  /** Where a task that has not begun stands, if it waits: tasks that come back go first among equals. */
  placeOf(task: TaskId): QueuePlace | undefined {
    for (const execution of this.executions) {
      if (execution.entry.state.id !== task) continue
      const found = this.starting.before(execution)
      if (found === undefined) return undefined
      const back = this.returning.atLeast(execution.entry.state.spec.priority)
      return { place: found.ahead + back + 1, turns: found.turns }
    }
    return undefined
  }

  get hasPlace(): boolean {
    return this.active < this.contract.concurrency
  }

  private get hasRoom(): boolean {
    return this.hasPlace || this.waiting < this.contract.queue
  }

  /** The input as it is recorded, if it fits. */
  accept(input: Json): Effect.Effect<Json, InvalidInput> {
    const accepted = this.definition.accept(input)
    if (Exit.isSuccess(accepted)) return Effect.succeed(accepted.value)
    return Effect.catch(accepted, (problem) => Effect.fail(new InvalidInput({ agent: this.contract.name, ...problem })))
  }

  /** Takes a place, or queues for one. True when the execution may run now. */
  enter(execution: Execution): boolean {
    if (execution.hasPlace) return true
    if (this.hasPlace) {
      this.active++
      execution.hasPlace = true
      return true
    }
    this.queue(execution)
    return false
  }

  private queue(execution: Execution): void {
    const ranks = execution.isNew ? this.starting : this.returning
    ranks.join(execution, execution.entry.state.spec.priority)
  }

  /** Puts a waiting execution where its priority now belongs, at the end of its equals. */
  rank(execution: Execution): void {
    if (this.starting.leave(execution) || this.returning.leave(execution)) this.queue(execution)
  }

  /** Whoever the next place belongs to. */
  private next(): Execution | undefined {
    const { returning, starting } = this
    if ((returning.top ?? -Infinity) >= (starting.top ?? -Infinity)) return returning.next()
    return starting.next()
  }

  /** Hands the place to whoever waits for it; a place is never free while somebody waits. */
  leave(execution: Execution): void {
    if (!execution.hasPlace) return
    execution.hasPlace = false
    const next = this.next()
    if (next === undefined) this.active--
    else {
      next.hasPlace = true
      this.host.ready(next)
    }
    this.letIn()
  }

  /** The execution has left memory. */
  remove(execution: Execution): void {
    this.executions.delete(execution)
    this.returning.leave(execution)
    this.starting.leave(execution)
    this.leave(execution)
    this.letIn()
    if (this.executions.size === 0) this.onEmpty?.()
  }

  /** Calls back when one more task may be handed over, or when there will be no room here any more. */
  whenRoom(callback: () => void): void {
    if (this.roomWaiters.size === 0 && (this.hasRoom || this.isRetired)) callback()
    else this.roomWaiters.join(callback)
  }

  private letIn(): void {
    while (this.roomWaiters.size > 0 && (this.hasRoom || this.isRetired)) this.roomWaiters.next()!()
  }

  retire(): void {
    this.isRetired = true
    this.letIn()
  }

  /** Gives the execution the number of its attempt, which is recorded unless the task has it already. */
  claim(execution: Execution): void {
    if (execution.attempt > 0) return
    const { state } = execution.entry
    execution.attempt = state.attempt + (state.attempt === 0 || execution.isNext ? 1 : 0)
    if (execution.attempt > state.attempt) {
      this.host.log.dispatch(execution.entry, { _tag: "Start", attempt: execution.attempt })
    }
  }
}
