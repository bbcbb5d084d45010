/**
 * The clock of a handler: it shows when the last fact its code has seen was recorded, and its sleeps are timers of the
 * log, so that `Effect.sleep`, `timeout` and `Schedule` decide alike live and replayed.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Execution } from "./Execution.ts"

const timer = (execution: Execution, millis: number): Effect.Effect<void> => {
  const name = `timer:${millis}`
  const key = `${name}:${execution.ordinal(name)}`
  const { clock, fork, log } = execution.server.host
  let due = 0
  return execution.operation<void, never>({
    key,
    begin: () => {
      due = execution.due(key, millis)
      log.dispatch(execution.entry, { _tag: "SetTimer", attempt: execution.attempt, key, due })
    },
    interpret: () => Effect.void,
    withdraw: () => Effect.sync(() => log.clearTimer(execution.id, key)),
    halt: () => Effect.void,
    orphaned: () => {
      const rest = Math.max(0, due - clock.currentTimeMillisUnsafe())
      fork(Effect.sleep(rest)).addObserver(() => execution.answer(key, Exit.succeed({ _tag: "Timer" })))
    }
  })
}

export class TaskClock implements Clock.Clock {
  private readonly execution: Execution

  constructor(execution: Execution) {
    this.execution = execution
  }

  currentTimeMillisUnsafe(): number {
    return this.execution.now()
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(this.execution.now()) * 1_000_000n
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }

  get currentTimeMillis(): Effect.Effect<number> {
    return Effect.sync(() => this.currentTimeMillisUnsafe())
  }

  get currentTimeNanos(): Effect.Effect<bigint> {
    return Effect.sync(() => this.currentTimeNanosUnsafe())
  }

  get monotonicTimeNanos(): Effect.Effect<bigint> {
    return this.currentTimeNanos
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { execution } = this
      const millis = Math.ceil(Duration.toMillis(duration))
      if (millis <= 0) return Effect.yieldNow
      if (!Number.isFinite(millis)) return Effect.never
      // cleaning up takes the world's time
      if (execution.isUnwinding) {
        return Effect.provideService(Effect.sleep(duration), Clock.Clock, execution.server.host.clock)
      }
      return timer(execution, millis)
    })
  }
}
