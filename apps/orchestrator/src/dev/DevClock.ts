/**
 * The clock of the machine, and how far this service is ahead of it: what sleeps until a time that has come wakes.
 *
 * It only goes ahead. Durations within the process, such as how long a restart took, are those of the machine.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

export class DevClock implements Clock.Clock {
  private readonly machine: Clock.Clock
  private readonly sleepers = new Set<Sleeper>()
  private lead: number

  /** `lead`: milliseconds it is ahead already. */
  constructor(machine: Clock.Clock, lead = 0) {
    this.machine = machine
    this.lead = lead
  }

  /** Milliseconds. */
  get ahead(): number {
    return this.lead
  }

  /** Goes ahead by so many milliseconds; whoever slept until then or before wakes in the order of their times. */
  jump(millis: number): void {
    this.lead += Math.max(0, millis)
    const now = this.currentTimeMillisUnsafe()
    const due = [...this.sleepers].filter((sleeper) => sleeper.due <= now)
    for (const { wake } of due.toSorted((a, b) => a.due - b.due)) wake()
  }

  currentTimeMillisUnsafe(): number {
    return this.machine.currentTimeMillisUnsafe() + this.lead
  }

  currentTimeNanosUnsafe(): bigint {
    return this.machine.currentTimeNanosUnsafe() + BigInt(this.lead) * 1_000_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.machine.monotonicTimeNanosUnsafe()
  }

  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.currentTimeMillisUnsafe())

  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.currentTimeNanosUnsafe())

  readonly monotonicTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0 || !Number.isFinite(millis)) return this.machine.sleep(duration)
    return Effect.raceFirst(this.machine.sleep(duration), this.jumped(millis))
  }

  private jumped(millis: number): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const due = this.currentTimeMillisUnsafe() + millis
      const sleeper = { due, wake: () => resume(Effect.void) }
      this.sleepers.add(sleeper)
      return Effect.sync(() => void this.sleepers.delete(sleeper))
    })
  }
}
