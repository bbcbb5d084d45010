/**
 * A clock that moves when it is told to, one sleeper's time after the other.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export class VirtualClock implements Clock.Clock {
  private time: number
  /** How far the wall clock has been set from the time that passes. */
  private skew = 0
  private sleepers: Array<Sleeper> = []
  /** Grows whenever somebody goes to sleep or is woken. */
  activity = 0
  /** Which of several sleepers due at one time wakes first: a number below `count`. */
  readonly pick: (count: number) => number

  constructor(start = 1_800_000_000_000, pick: (count: number) => number = () => 0) {
    this.time = start
    this.pick = pick
  }

  currentTimeMillisUnsafe(): number {
    return this.time + this.skew
  }
  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.currentTimeMillisUnsafe()) * 1_000_000n
  }
  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(this.time) * 1_000_000n
  }
  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  /** Sets the wall clock forward, or back: no time passes, and nobody who sleeps wakes. */
  set(millis: number): void {
    this.skew += millis
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Math.ceil(Duration.toMillis(duration))
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback<void>((resume) => {
      const sleeper = { at: this.time + Math.max(0, millis), wake: () => resume(Effect.void) }
      this.sleepers.push(sleeper)
      this.activity++
      return Effect.sync(() => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper)
      })
    })
  }

  /** The time of whoever wakes next. */
  get next(): number | undefined {
    return this.sleepers.length === 0 ? undefined : Math.min(...this.sleepers.map(({ at }) => at))
  }

  /** Moves to the time of whoever wakes next and wakes it. False when nobody sleeps. */
  step(): boolean {
    const { next } = this
    if (next === undefined) return false
    this.time = Math.max(this.time, next)
    const due = this.sleepers.filter(({ at }) => at <= this.time)
    const sleeper = due[this.pick(due.length)]!
    this.sleepers = this.sleepers.filter((other) => other !== sleeper)
    this.activity++
    sleeper.wake()
    return true
  }
}
