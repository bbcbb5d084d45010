import type { TaskId } from "@coppice/task/Task"
import type { Entry } from "@coppice/task/TaskLog"
import type { Effect } from "effect/Effect"
import type { Fiber } from "effect/Fiber"

/** Tasks between two attempts: nothing of them is in memory but their state. */
export class Rests {
  private readonly fork: <A, E>(effect: Effect<A, E>) => Fiber<A, E>
  private readonly bringBack: (entry: Entry) => void
  private readonly resting = new Map<TaskId, Fiber<unknown, unknown>>()

  constructor(fork: <A, E>(effect: Effect<A, E>) => Fiber<A, E>, bringBack: (entry: Entry) => void) {
    this.fork = fork
    this.bringBack = bringBack
  }

  /** Brings the task back when it is over, or when the task has ended meanwhile. */
  until(entry: Entry, over: Effect<unknown, unknown>): void {
    const { id } = entry.state
    const rest = this.fork(over)
    this.resting.set(id, rest)
    rest.addObserver(() => {
      this.resting.delete(id)
      this.bringBack(entry)
    })
  }

  /** The task ended from outside. */
  end(id: TaskId): void {
    this.resting.get(id)?.interruptUnsafe()
  }
}
