import * as Effect from "effect/Effect"

interface Hold {
  isOver: boolean
  readonly resume: () => void
}

/**
 * Fibers that continue only when the code is quiescent, one after the other in the order of their coming: as they do in
 * a replay, in which there is nothing to wait for. While there are any, no fact reaches the code.
 */
export class Holds {
  private readonly holds: Array<Hold> = []
  private readonly ready: () => void

  /** `ready` is called when one may continue. */
  constructor(ready: () => void) {
    this.ready = ready
  }

  get isEmpty(): boolean {
    return this.holds.length === 0
  }

  /** Continues once `wait` has called back, and it is its turn. */
  hold(wait: (over: () => void) => void): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const hold: Hold = { isOver: false, resume: () => resume(Effect.void) }
      this.holds.push(hold)
      wait(() => {
        hold.isOver = true
        this.ready()
      })
    })
  }

  /** The continuation whose turn it is; `undefined` when that still waits. */
  next(): (() => void) | undefined {
    return this.holds[0]?.isOver === true ? this.holds.shift()!.resume : undefined
  }
}
