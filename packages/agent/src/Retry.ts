/**
 * How code that cannot go on says what another attempt is worth.
 *
 * | Class          | Said by                       | The task                                                        |
 * | -------------- | ----------------------------- | --------------------------------------------------------------- |
 * | `retryable`    | any other defect              | tries again after a backoff, until its `attempts` are used up    |
 * | `rate_limited` | `Retry.after`                 | tries again at that time; the attempt does not count, 100 times |
 * | `terminal`     | `Retry.never`                 | fails at once, reason `defect`                                  |
 * | `poison`       | `Retry.poison`                | fails at once, reason `quarantined`                             |
 *
 * Each of them ends the attempt like a defect does: nothing is recorded of the step whose body says it, `Effect.retry`
 * does not catch it, and the calls under way are cancelled. They are for handlers and for the bodies of steps.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** What ends an attempt that a later one can make good. `at` in Unix milliseconds, `wait` in milliseconds from now. */
export class RateLimited extends Data.TaggedError("RateLimited")<{
  readonly when: { readonly at: number } | { readonly wait: number }
  readonly message: string
}> {}

/** What ends a task that no further attempt can help. */
export class NotRetryable extends Data.TaggedError("NotRetryable")<{
  readonly class: "terminal" | "poison"
  readonly message: string
}> {}

/**
 * Ends the attempt; the next one begins at `when`, or a little later. For a provider that says "429, Retry-After".
 *
 * **Details**
 *
 * A date, or how long from now. The time is recorded with the attempt and survives a restart. A little is added, so that
 * many who were sent away together do not come back together. Attempts that end so do not count towards the agent's
 * `attempts`, up to 100 of one task; from then on they do. The task's deadline holds meanwhile.
 *
 * **Gotchas**
 *
 * A time that has passed does not make the next attempt immediate: the waits grow as they do for defects.
 *
 * Steps that were recorded are not repeated, calls that were under way are made again.
 */
export const after = (when: Date | Duration.Input, why = "Rate limited"): Effect.Effect<never> =>
  Effect.die(
    new RateLimited({
      when: when instanceof Date ? { at: when.getTime() } : { wait: Duration.toMillis(when) },
      message: why
    })
  )

/** Ends the task: another attempt would only fail again. It fails with reason `defect`. */
export const never = (why: string): Effect.Effect<never> =>
  Effect.die(new NotRetryable({ class: "terminal", message: why }))

/** Ends the task and sets it aside for a person: its input does harm. It fails with reason `quarantined`. */
export const poison = (why: string): Effect.Effect<never> =>
  Effect.die(new NotRetryable({ class: "poison", message: why }))
