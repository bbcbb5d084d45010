import type { Clock } from "effect/Clock"

/** Milliseconds that only grow, for durations within the process: the wall clock may be set. */
export const monotonic = (clock: Clock): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
