/**
 * How long to wait before something that failed is tried again: longer each time, up to a bound, and never the same for
 * all who failed at one moment.
 */
import * as Duration from "effect/Duration"

/** Waits `first` after the first failure, twice as long after each further one, never longer than `most`. */
export interface Backoff {
  readonly first: Duration.Input
  readonly most: Duration.Input
}

/** Between two attempts of a task. */
export const ofAttempts: Backoff = { first: 100, most: "30 seconds" }

/** Between two restarts of an agent server. */
export const ofRestarts: Backoff = { first: 100, most: "5 seconds" }

/** Tries again at once. */
export const none: Backoff = { first: 0, most: 0 }

/**
 * The wait after so many failures, milliseconds: between half of what the doubling says and all of it. `random` is from 0
 * to 1 and decides where in between.
 */
export const delay = ({ first, most }: Backoff, failures: number, random: number): number => {
  const whole = Math.min(Duration.toMillis(first) * 2 ** Math.max(0, failures - 1), Duration.toMillis(most))
  return whole / 2 + whole / 2 * random
}
