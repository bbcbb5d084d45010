/**
 * Wakes one waiting fiber early; a ring while nobody waits is kept.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export class Bell {
  private rung = false
  private wake: (() => void) | undefined

  ring(): void {
    if (this.wake === undefined) this.rung = true
    else this.wake()
  }

  private readonly heard: Effect.Effect<void> = Effect.callback((resume) => {
    if (this.rung) {
      this.rung = false
      return resume(Effect.void)
    }
    this.wake = () => {
      this.wake = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => {
      this.wake = undefined
    })
  })

  /** Waits for a ring, no longer than this. */
  wait(longest: Duration.Input): Effect.Effect<void> {
    return Effect.asVoid(Effect.timeoutOption(this.heard, longest))
  }
}
