/**
 * Finds the task that kills its process, and lets the others live.
 *
 * A process that dies takes all its tasks along, and only one of them may have done it. So a task that was running when
 * the process died, and has recorded nothing since that attempt began, is a *suspect*: after the restart the suspects run
 * first, one at a time, in random order, and nothing else begins meanwhile. Who comes to wait for the log, records
 * something, ends, or runs for a while, has passed. The first death of a process is held against every suspect, every
 * further one only against who was alone then. With `quarantine` deaths against it a task is not run again.
 *
 * Who runs alone is noted durably, with its attempt, before its code runs.
 */
import type { Predecessor } from "@coppice/task/Predecessor"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import { monotonic } from "./monotonic.ts"

/** All trials of one start together take no longer than so many. */
const trials = 6

export class Probation {
  private readonly host: Host
  private readonly predecessor: Predecessor["Service"]
  private readonly length: number
  private readonly deaths = new Map<TaskId, number>()
  private suspects: Array<Execution> = []
  private readonly waiting = new Set<Execution>()
  /** Those whose attempt is being written down. */
  private readonly claiming = new Set<Execution>()
  private current: Execution | undefined
  private state: "none" | "gathering" | "running" | "over" = "none"
  private end = Infinity

  constructor(host: Host, predecessor: Predecessor["Service"], trial: Duration.Input) {
    this.host = host
    this.predecessor = predecessor
    this.length = Duration.toMillis(trial)
    if (!predecessor.died) this.state = "over"
  }

  /**
   * How many deaths are held against a task that is brought back. `silentSince`: where its last attempt began, if nothing
   * came after that.
   */
  deathsOf(id: TaskId, silentSince: number | undefined): number {
    const { died, lastSeq, trial } = this.predecessor
    if (!died || silentSince === undefined || silentSince > lastSeq) return 0
    const before = trial.deaths[id] ?? 1
    return trial.task === id ? before + 1 : before
  }

  /** Puts an execution in the line of those that run alone. */
  suspect(execution: Execution, deaths: number): void {
    if (this.state === "over") return this.host.ready(execution)
    this.deaths.set(execution.id, deaths)
    this.suspects.push(execution)
    if (this.state !== "none") return
    this.state = "gathering"
    setImmediate(() => {
      this.state = "running"
      this.end = monotonic(this.host.clock) + trials * this.length
      this.next()
    })
  }

  /** Whether the execution may begin to run code. If not, it is told when it may. */
  admits(execution: Execution): boolean {
    if (this.claiming.has(execution)) return false
    if (this.state === "over" || this.state === "none" || execution === this.current) return true
    this.waiting.add(execution)
    return false
  }

  /** Another attempt is durable before its code runs: code that kills the process has been counted by then. */
  claim(execution: Execution): void {
    execution.server.claim(execution)
    this.claiming.add(execution)
    this.host.log.afterCommit((error) => {
      this.claiming.delete(execution)
      if (error === undefined) this.host.ready(execution)
    })
  }

  /** Ends a task that is not to be run again, and all below it. */
  quarantine(entry: Entry, deaths: number): void {
    const { host } = this
    const { agent, id } = entry.state
    const message = `The process died ${deaths} times while it ran. When the cause is gone: coppice retry ${id}`
    const command = { _tag: "Fail", attempt: null, reason: "quarantined", message, error: null } as const
    const below = { by: "parent", reason: "The task above was quarantined" }
    entry.held = false
    host.fork(Effect.logWarning(`Task ${id} of "${agent}" is quarantined: ${message}`))
    host.fork(host.settler.end(id, command, below)).addObserver(() => host.log.release(entry))
  }

  /** The execution moves no further by itself. One that waits for nothing of the log still does something, though. */
  idle(execution: Execution): void {
    if (execution === this.current && execution.waitingFor.length > 0) this.pass(execution)
  }

  /** Facts of the one that runs alone: it has got further than when its process died. */
  committed(events: ReadonlyArray<Envelope>): void {
    const { current } = this
    if (current === undefined) return
    if (events.some(({ event, task }) => task === current.id && event._tag !== "Started")) this.pass(current)
  }

  /** The execution has shown that it does not kill its process, or had time enough to do so. */
  pass(execution: Execution): void {
    if (execution !== this.current) return
    this.current = undefined
    this.next()
  }

  private draw(): Execution | undefined {
    const random = Context.get(this.host.outside, Random.Random)
    this.suspects = this.suspects.filter(({ hasEnded }) => !hasEnded)
    const index = Math.floor(random.nextDoubleUnsafe() * this.suspects.length)
    return this.suspects.splice(index, 1)[0]
  }

  private next(): void {
    const suspect = monotonic(this.host.clock) < this.end ? this.draw() : undefined
    if (suspect === undefined) return this.open()
    this.current = suspect
    const deaths = Object.fromEntries([...this.deaths].filter(([, count]) => count > 1))
    this.predecessor.note({ task: suspect.id, deaths })
    this.host.ready(suspect)
    this.host.fork(Effect.sleep(this.length)).addObserver(() => this.pass(suspect))
  }

  /** Everybody may run. */
  private open(): void {
    this.state = "over"
    this.predecessor.note(null)
    const all = [...this.suspects, ...this.waiting]
    this.suspects = []
    this.waiting.clear()
    this.host.log.afterCommit((error) => {
      if (error === undefined) { for (const execution of all) this.host.ready(execution) }
    })
  }
}
