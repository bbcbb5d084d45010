/**
 * Runs the fibers of one execution in an order that depends on nothing but its code.
 *
 * All fibers of a handler share one queue. When it is empty every fiber waits for something: the execution is
 * *quiescent*, and only then may the next fact of the log reach it. That is what makes live and replayed runs decide
 * alike.
 */
import type * as Fiber from "effect/Fiber"
import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

const checkEvery = 32

export class TaskScheduler implements Scheduler, SchedulerDispatcher {
  readonly executionMode = "async"
  private tasks: Array<() => void> = []
  /** True while a turn runs: what moves now is followed by whoever gave the turn. */
  isInside = false
  private isClosed = false
  private readonly wake: () => void

  /** `wake` is called when work arrives from outside a turn, such as a promise that resolved. */
  constructor(wake: () => void) {
    this.wake = wake
  }

  scheduleTask(task: () => void): void {
    if (this.isClosed) return
    this.tasks.push(task)
    if (!this.isInside) this.wake()
  }

  flush(): void {
    this.drain(Infinity)
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield
  }

  makeDispatcher(): SchedulerDispatcher {
    return this
  }

  get isQuiescent(): boolean {
    return this.tasks.length === 0
  }

  /** Runs what moves fibers from within a turn, which then drains what they schedule. */
  inside(move: () => void): void {
    const before = this.isInside
    this.isInside = true
    try {
      move()
    } finally {
      this.isInside = before
    }
  }

  /** Runs queued work until there is none, or until `deadline` of `performance.now()`. True when there is none. */
  drain(deadline: number): boolean {
    if (this.isInside) return false
    this.isInside = true
    let count = 0
    try {
      while (this.tasks.length > 0) {
        const batch = this.tasks
        this.tasks = []
        for (let i = 0; i < batch.length; i++) {
          if (this.isClosed) return true
          batch[i]!()
          if (++count % checkEvery === 0 && performance.now() > deadline) {
            this.tasks = [...batch.slice(i + 1), ...this.tasks]
            return this.tasks.length === 0
          }
        }
      }
      return true
    } finally {
      this.isInside = false
    }
  }

  /** Nothing runs here any more; fibers that still could move stay where they are. */
  close(): void {
    this.isClosed = true
    this.tasks = []
  }
}
