/**
 * Lets something happen whenever it is wanted, but no more often than once in a while: at once, then after the pause.
 */
export interface Surroundings {
  readonly now: () => number
  readonly after: (millis: number, run: () => void) => () => void
}

export class Pace {
  private readonly every: number
  private readonly run: () => void
  private readonly around: Surroundings
  private last = -Infinity
  private stopTimer: (() => void) | undefined

  /** `every` in milliseconds. */
  constructor(every: number, run: () => void, around: Surroundings) {
    this.every = every
    this.run = run
    this.around = around
  }

  readonly want = (): void => {
    this.stopTimer ??= this.around.after(Math.max(0, this.last + this.every - this.around.now()), () => {
      this.stopTimer = undefined
      this.last = this.around.now()
      this.run()
    })
  }

  readonly stop = (): void => {
    this.stopTimer?.()
    this.stopTimer = undefined
  }
}
