/**
 * Finds code that runs and shows no sign of life, and ends its attempt.
 *
 * Signs are whatever is recorded of the task or of its children, and what the code says by `Durable.heartbeat`. A task that
 * waits for the log, a place or a thread is never silent. Silence is measured within the process, by time that only
 * grows: what a crash or a set clock takes is nobody's silence.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import type { TaskLog } from "@coppice/task/TaskLog"
import * as Cause from "effect/Cause"
import type { Clock } from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type { AgentServer } from "./AgentServer.ts"
import type { Execution } from "./Execution.ts"
import { monotonic } from "./monotonic.ts"

/** The attempt was ended because its code was silent. `since` in Unix milliseconds, `silent` in milliseconds. */
class Stalled extends Data.TaggedError("Stalled")<{
  readonly silent: number
  readonly since: number
  readonly mark: string | undefined
}> {
  override get message(): string {
    const { mark, silent, since } = this
    const last = mark === undefined ? "" : ` ("${mark}")`
    const at = DateTime.formatIso(DateTime.makeUnsafe(since))
    return `no sign of life for ${Duration.format(Duration.millis(silent))}, since ${at}${last}`
  }
}

/** What is heard of code that runs. Unix milliseconds. */
export interface Sign {
  /** When it last gave a sign of life. */
  readonly at: number
  /** What it last said about itself. */
  readonly mark: string | undefined
  /** When its attempt ends if it goes on saying nothing; `undefined` if its agent has no `stall`. */
  readonly endsAt: number | undefined
  /** It was silent for too long: its attempt is being ended. */
  readonly isStalled: boolean
}

/** A look that comes so late, milliseconds, judges nobody: what the code has said meanwhile waits to be heard. */
const late = 2_000

export class Stalls {
  private readonly log: TaskLog["Service"]
  private readonly clock: Clock
  private readonly executions: ReadonlyMap<TaskId, Execution>
  private readonly stalled = new WeakSet<Execution>()
  private lastLook: number

  constructor(
    { clock, log }: { readonly log: TaskLog["Service"]; readonly clock: Clock },
    executions: ReadonlyMap<TaskId, Execution>
  ) {
    this.log = log
    this.clock = clock
    this.executions = executions
    this.lastLook = monotonic(clock)
  }

  /** Every recorded fact is a sign of life, of the task and of whoever called it. */
  committed(events: ReadonlyArray<Envelope>): void {
    for (const { task } of events) {
      this.executions.get(task)?.pulse.beat()
      const parent = this.log.resident(task)?.state.parent
      if (parent !== null && parent !== undefined) this.executions.get(parent)?.pulse.beat()
    }
  }

  /** Ends the attempts that are silent for too long. To be called about once a second. */
  look(servers: Iterable<AgentServer>): void {
    const now = monotonic(this.clock)
    const isLate = now - this.lastLook > late
    this.lastLook = now
    // while nothing can be recorded, silence says nothing
    if (isLate || this.log.trouble !== undefined) return
    for (const { contract, executions } of servers) {
      if (contract.stall === undefined) continue
      for (const execution of executions) this.judge(execution, now, contract.stall)
    }
  }

  private judge(execution: Execution, now: number, stall: number): void {
    const { at, mark } = execution.pulse
    const silent = now - at
    if (silent < stall || !execution.isAtWork) return
    this.stalled.add(execution)
    execution.crash(Cause.die(new Stalled({ silent, since: this.log.now() - silent, mark })))
  }

  /** What is heard of a task's code; `undefined` when it is not in memory, or waits. */
  signOf(id: TaskId): Sign | undefined {
    const execution = this.executions.get(id)
    if (execution === undefined) return undefined
    const isStalled = this.stalled.has(execution)
    if (!execution.isAtWork && !isStalled) return undefined
    const { pulse, server: { contract: { stall } } } = execution
    const at = this.log.now() - (monotonic(this.clock) - pulse.at)
    return { at, mark: pulse.mark, endsAt: stall === undefined ? undefined : at + stall, isStalled }
  }
}
