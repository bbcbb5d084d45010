import type { Clock } from "effect/Clock"
import { monotonic } from "./monotonic.ts"

const longestMark = 200

/** When an execution last showed that its code is alive. In memory only: another process begins to listen anew. */
export class Pulse {
  /** Milliseconds of time that only grows. */
  at: number
  /** What the code last said about itself. */
  mark: string | undefined
  /** Bodies that wait for a thread: they are not silent, they have not begun. */
  queued = 0
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
    this.at = monotonic(clock)
  }

  /** A sign of life. */
  beat(mark?: string): void {
    this.at = monotonic(this.clock)
    if (mark !== undefined) this.mark = mark.slice(0, longestMark)
  }
}
