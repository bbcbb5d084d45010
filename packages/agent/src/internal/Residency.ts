/**
 * Which runs are in memory: those of which something moves, and those that have not waited long.
 *
 * A run is put out as a whole, when every execution of it only waits for the log.
 */
import type { TaskId } from "@coppice/task/Task"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { Clock } from "effect/Clock"
import type { Execution } from "./Execution.ts"
import { monotonic } from "./monotonic.ts"

interface Group {
  readonly members: Set<Execution>
  idle: number
  idleSince: number
}

export class Residency {
  private readonly log: TaskLog["Service"]
  private readonly clock: Clock
  private readonly maxIdle: number
  private readonly groups = new Map<TaskId, Group>()
  /** Runs that only wait, longest first. */
  private readonly idleGroups = new Map<TaskId, Group>()
  private idleExecutions = 0

  constructor(log: TaskLog["Service"], clock: Clock, maxIdle: number) {
    this.log = log
    this.clock = clock
    this.maxIdle = maxIdle
  }

  add(execution: Execution): void {
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) this.groups.set(run, { members: new Set([execution]), idle: 0, idleSince: 0 })
    else {
      group.members.add(execution)
      this.idleGroups.delete(run)
    }
  }

  remove(execution: Execution): void {
    this.busy(execution)
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) return
    group.members.delete(execution)
    if (group.members.size === 0) {
      this.groups.delete(run)
      this.idleGroups.delete(run)
    } else if (group.idle === group.members.size) this.waits(run, group)
  }

  idle(execution: Execution): void {
    if (execution.isIdle) return
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) return
    execution.isIdle = true
    this.idleExecutions++
    group.idle++
    if (group.idle === group.members.size) this.waits(run, group)
  }

  busy(execution: Execution): void {
    if (!execution.isIdle) return
    execution.isIdle = false
    this.idleExecutions--
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) return
    group.idle--
    this.idleGroups.delete(run)
  }

  private waits(run: TaskId, group: Group): void {
    group.idleSince = monotonic(this.clock)
    this.idleGroups.set(run, group)
  }

  get isCrowded(): boolean {
    return this.idleExecutions > this.maxIdle
  }

  /** Puts out runs, longest waiting first, until no more executions wait than may. */
  makeSpace(): void {
    for (const group of [...this.idleGroups.values()]) {
      if (!this.isCrowded) return
      this.evict(group)
    }
  }

  /** Puts out the runs that have waited since `before`. Returns how many executions went. */
  evictIdle(before: number): number {
    let count = 0
    for (const group of [...this.idleGroups.values()]) {
      if (group.idleSince > before) break
      count += this.evict(group)
    }
    return count
  }

  /** Only when every execution can be parked and no fact for it is on its way. */
  private evict({ members }: Group): number {
    for (const execution of members) {
      if (!execution.isParkable || !this.log.isQuiet(execution.entry)) return 0
    }
    const evicted = [...members]
    for (const execution of evicted) {
      this.log.setParked(execution.entry, true)
      this.busy(execution)
      execution.suspend()
    }
    return evicted.length
  }
}
