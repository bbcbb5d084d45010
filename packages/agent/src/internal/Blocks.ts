import type { TaskId } from "@coppice/task/Task"
import type { Execution } from "./Execution.ts"

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

  /** Runs a stretch of an execution's code. */
  watch<A>({ id, server }: Execution, run: () => A): A {
    const begun = performance.now()
    const result = run()
    const millis = Math.round(performance.now() - begun)
    if (millis < worthTelling) return result
    const block = { at: server.host.log.now(), millis }
    server.lastBlock = { ...block, task: id }
    this.note(id, block)
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
