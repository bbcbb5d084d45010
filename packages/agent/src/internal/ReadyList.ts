import type { Execution } from "./Execution.ts"

/**
 * Gives executions that have something to do their turns, one after the other, and stops every few milliseconds so that
 * commits, timers and sockets get their time.
 */
export class ReadyList {
  private readonly turn: (execution: Execution, deadline: number) => void
  private readonly slice: number
  private queue: Array<Execution> = []
  private head = 0
  private isRunning = false
  private isScheduled = false

  /** `slice`: the longest uninterrupted stretch of turns, milliseconds. */
  constructor(turn: (execution: Execution, deadline: number) => void, slice: number) {
    this.turn = turn
    this.slice = slice
  }

  add(execution: Execution): void {
    if (execution.isReady || execution.hasEnded) return
    execution.isReady = true
    this.queue.push(execution)
    this.schedule()
  }

  private schedule(): void {
    if (this.isRunning || this.isScheduled) return
    this.isScheduled = true
    setImmediate(this.runScheduled)
  }

  private readonly runScheduled = (): void => {
    this.isScheduled = false
    this.run()
  }

  /** Gives turns for one slice. */
  run(): void {
    if (this.isRunning) return
    this.isRunning = true
    const deadline = performance.now() + this.slice
    do {
      const execution = this.queue[this.head++]
      if (execution === undefined) break
      execution.isReady = false
      this.turn(execution, deadline)
    } while (performance.now() < deadline)
    this.queue = this.head >= this.queue.length ? [] : this.queue.slice(this.head)
    this.head = 0
    this.isRunning = false
    if (this.queue.length > 0) this.schedule()
  }
}
