import type { TaskId } from "@coppice/task/Task"

/** A stretch of code that let nothing else of the process move. `at` in Unix milliseconds, when it ended. */
export interface Block {
  readonly at: number
  readonly millis: number
}

/** Shorter ones are nobody's business, milliseconds. */
const worthTelling = 200
const most = 1_000

/** Which tasks' code has kept the event loop busy, and for how long; the last of each, in memory only. */
export class Blocks {
  private readonly last = new Map<TaskId, Block>()

  /** Runs a turn of the task's code. */
  watch<A>(task: TaskId, now: () => number, turn: () => A): A {
    const begun = performance.now()
    const result = turn()
    const millis = Math.round(performance.now() - begun)
    if (millis >= worthTelling) this.note(task, { at: now(), millis })
    return result
  }

  private note(task: TaskId, block: Block): void {
    if (this.last.size >= most) this.last.delete(this.last.keys().next().value!)
    this.last.set(task, block)
  }

  get(task: TaskId): Block | undefined {
    return this.last.get(task)
  }
}
