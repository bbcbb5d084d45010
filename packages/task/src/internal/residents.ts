import { guardianOf, type TaskId } from "../Task.ts"
import type { TaskState } from "../TaskMachine.ts"
import type { TaskRow } from "../TaskStore.ts"

/** What the log knows of a task in memory. */
export interface Resident {
  state: TaskState
  parked: boolean
  createdSeq: number
  endedSeq: number | null
  settledSeq: number | null
  /** Its last fact since it is resident. */
  lastSeq: number
  pins: number
  held: boolean
  /** True when it may have timers in the store. */
  timed: boolean
  /** True while every unsettled child of it is resident. */
  complete: boolean
  /** True while every child it ever had is resident. */
  whole: boolean
  /** What the row in the store says, or will say once the batch on its way has been committed. */
  rowState: TaskState | undefined
  rowParked: boolean
  /** 0 clean, 1 changed in the open batch, 2 created in it. */
  dirt: 0 | 1 | 2
  /** Batches it is in that have not been committed. */
  uncommitted: number
}

/** The resident tasks somebody is responsible for, children as a rule, and how many of them are unsettled. */
interface Family {
  readonly members: Set<Resident>
  live: number
}

/** A new resident, pinned once. The store may know more of a `stored` one: timers, children. */
export const resident = (row: TaskRow, stored: boolean): Resident => ({
  state: row.state,
  parked: row.parked,
  createdSeq: row.createdSeq,
  endedSeq: row.endedSeq,
  settledSeq: row.settledSeq,
  lastSeq: 0,
  pins: 1,
  held: false,
  timed: stored,
  complete: !stored,
  whole: !stored,
  rowState: stored ? row.state : undefined,
  rowParked: row.parked,
  dirt: 0,
  uncommitted: 0
})

const isLive = (task: Resident): boolean => task.state.settlement === null

/**
 * The tasks in memory and their kinship: who is responsible for whom, which is the parent until that has ended.
 *
 * A task stays while it is pinned, while a fact about it waits for its commit, and while a read is under way that began
 * before it could leave: else a row that was read before a fact was written could take the place of the entry that
 * knows it.
 */
export class Residents {
  private readonly entries = new Map<TaskId, Resident>()
  private readonly families = new Map<TaskId, Family>()
  private readonly readers = new Set<number>()
  private readonly postponed: Array<{ readonly task: Resident; readonly since: number }> = []
  private tick = 0

  get size(): number {
    return this.entries.size
  }

  get(id: TaskId): Resident | undefined {
    return this.entries.get(id)
  }

  children(id: TaskId): ReadonlyArray<Resident> {
    const family = this.families.get(id)
    return family === undefined ? [] : [...family.members]
  }

  liveChildren(id: TaskId): ReadonlyArray<Resident> {
    return this.children(id).filter(isLive)
  }

  liveChildCount(id: TaskId): number {
    return this.families.get(id)?.live ?? 0
  }

  add(task: Resident): void {
    this.entries.set(task.state.id, task)
    this.join(task)
  }

  private join(task: Resident): void {
    const guardian = guardianOf(task.state)
    if (guardian === null) return
    let family = this.families.get(guardian)
    if (family === undefined) {
      family = { members: new Set(), live: 0 }
      this.families.set(guardian, family)
    }
    family.members.add(task)
    if (isLive(task)) family.live++
  }

  /**
   * The task and all that was ever below it, parents first; `undefined` when some of it has left memory, or when a
   * beginning or an end is not `durable` yet.
   */
  wholeTree(id: TaskId, durable: number): ReadonlyArray<Resident> | undefined {
    const root = this.entries.get(id)
    if (root === undefined) return undefined
    const nodes = [root]
    for (const node of nodes) {
      if (!node.whole || Math.max(node.createdSeq, node.endedSeq ?? 0) > durable) return undefined
      for (const child of this.families.get(node.state.id)?.members ?? []) nodes.push(child)
    }
    return nodes
  }

  /** The task has just settled: whoever is responsible for it has one live child less. */
  left(task: Resident): void {
    const guardian = guardianOf(task.state)
    const family = guardian === null ? undefined : this.families.get(guardian)
    if (family?.members.has(task) === true) family.live--
  }

  /** Another one is responsible for the task now, or nobody; `before` was. */
  moved(task: Resident, before: TaskId | null): void {
    if (before !== null) this.part(task, before)
    this.join(task)
  }

  /** Takes the task out of a family; whether it was live there. */
  private part(task: Resident, guardian: TaskId): boolean {
    const family = this.families.get(guardian)
    if (family?.members.delete(task) !== true) return false
    const wasLive = isLive(task)
    if (wasLive) family.live--
    if (family.members.size === 0) this.families.delete(guardian)
    return wasLive
  }

  /** Lets the task go, as soon as nothing holds it. */
  forget(task: Resident): void {
    if (!this.mayLeave(task)) return
    if (this.readers.size === 0) this.remove(task)
    else this.postponed.push({ task, since: this.tick })
  }

  private mayLeave(task: Resident): boolean {
    return task.pins <= 0 && task.uncommitted === 0 && task.dirt === 0 && this.entries.get(task.state.id) === task
  }

  private remove(task: Resident): void {
    this.entries.delete(task.state.id)
    const guardian = guardianOf(task.state)
    if (guardian === null) return
    const wasLive = this.part(task, guardian)
    const entry = this.entries.get(guardian)
    if (entry === undefined) return
    entry.whole = false
    if (wasLive) entry.complete = false
  }

  /** A read begins; the number ends it. */
  enter(): number {
    this.readers.add(++this.tick)
    return this.tick
  }

  leave(reader: number): void {
    this.readers.delete(reader)
    const oldest = this.readers.values().next().value ?? Infinity
    const kept = this.postponed.findIndex(({ since }) => since >= oldest)
    for (const { task } of this.postponed.splice(0, kept < 0 ? this.postponed.length : kept)) {
      if (this.mayLeave(task)) this.remove(task)
    }
  }
}
