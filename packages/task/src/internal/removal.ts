/**
 * Deletes runs in pieces so small that a commit beside them hardly waits.
 *
 * A run is first walked through, from the root down, to see whether everything in it has come to rest; then it goes, from
 * the leaves up. What a crash leaves behind is a smaller run, which can be deleted again.
 */
import * as Failpoint from "../Failpoint.ts"
import type { TaskId } from "../Task.ts"
import type { Statements } from "./statements.ts"

/**
 * How long one piece takes, milliseconds, without the sync of its commit: half of what everything else has taken since the
 * last one, so that runs are forgotten as fast as a busy process makes them, and within these bounds. It is a time and
 * not a number of rows, because a task may have two facts or a hundred thousand.
 */
const [shortest, longest] = [3, 25]

interface Found {
  readonly id: TaskId
  readonly settlement: string | null
}

/** The deletion of some runs. It belongs to one caller, who does `piece` by `piece`, each in a transaction. */
export class Removal {
  /** Runs in which something has not come to rest. */
  readonly kept: Array<TaskId> = []
  /** How many tasks went. */
  tasks = 0
  private readonly sql: Statements
  private readonly runs: Array<TaskId>
  /** The tasks of the run at hand that are left, each after the one above it. */
  private ids: Array<TaskId> = []
  /** Of them, whose children are looked for, and the last one found; undefined once all are known. */
  private walk: { at: number; after: string } | undefined
  /** When the last piece was over. */
  private ended = Infinity

  constructor(sql: Statements, runs: ReadonlyArray<TaskId>) {
    this.sql = sql
    this.runs = runs.toReversed()
  }

  /** Goes on for a few milliseconds. False when nothing is left to do. */
  piece(): boolean {
    const begun = performance.now()
    const until = begun + Math.min(longest, Math.max(shortest, (begun - this.ended) / 2))
    this.sql.keepHead.run()
    let isMore = this.step()
    while (isMore && performance.now() < until) isMore = this.step()
    this.ended = performance.now()
    return isMore
  }

  private step(): boolean {
    if (this.walk !== undefined) this.look(this.walk)
    else if (this.ids.length > 0) this.remove(this.ids.at(-1)!)
    else return this.next()
    return true
  }

  private next(): boolean {
    const run = this.runs.pop()
    if (run === undefined) return false
    this.walk = { at: 0, after: "" }
    this.find([this.sql.rest.get(run)].filter((row) => row !== undefined))
    if (this.ids.length === 0) this.walk = undefined
    return true
  }

  private look(walk: { at: number; after: string }): void {
    const rows = this.sql.restBelow.all(this.ids[walk.at]!, walk.after) as Array<Found>
    walk.after = rows.at(-1)?.id ?? ""
    if (rows.length === 0 && ++walk.at === this.ids.length) this.walk = undefined
    else this.find(rows)
  }

  private find(rows: ReadonlyArray<Found>): void {
    for (const { id, settlement } of rows) {
      this.ids.push(id)
      if (settlement !== null) continue
      this.kept.push(this.ids[0]!)
      this.ids = []
      this.walk = undefined
      return
    }
  }

  private remove(id: TaskId): void {
    const { sql } = this
    if (this.ids.length === 1 && this.removeArtifact(id)) return
    for (const statement of [sql.deleteEvents, sql.deleteInputs, sql.deleteTimers, sql.deleteReceipts]) {
      statement.run(id)
    }
    Failpoint.hit("removal.within")
    sql.deleteTask.run(id)
    this.ids.pop()
    this.tasks++
  }

  /** One of the run's artifacts, unless another run has it too. False when the run has none. */
  private removeArtifact(run: TaskId): boolean {
    const { sql } = this
    const row = sql.artifactOf.get(run)
    if (row === undefined) return false
    sql.deleteArtifactRun.run(run, row.digest)
    sql.deleteArtifact.run(row.digest, row.digest)
    return true
  }
}
