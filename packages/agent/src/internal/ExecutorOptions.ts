/**
 * How much the executor keeps in memory, how long it waits, and when it gives a task up.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"

/** Limits of the executor. */
export interface ExecutorOptions {
  /** How long a run waits before it leaves memory. */
  readonly idleAfter: Duration.Input
  /** Waiting executions kept in memory at most, before `idleAfter`. */
  readonly maxIdle: number
  /** How long a handler may take to stop before it is abandoned and reported as `refused`. */
  readonly shutdown: Duration.Input
  /** The longest uninterrupted stretch of turns, milliseconds. */
  readonly slice: number
  /** So many deaths of the process held against a task, and it is not run again but fails as `quarantined`. */
  readonly quarantine: number
  /** How long a task that may have killed the process runs alone after a restart, before others begin. */
  readonly trial: Duration.Input
  /** How long a replay waits for code that has to come back from outside the log before it calls it changed. [10 seconds] */
  readonly grace?: Duration.Input | undefined
}

export const ExecutorOptions = Context.Reference<ExecutorOptions>("@coppice/agent/ExecutorOptions", {
  defaultValue: () => ({
    idleAfter: "10 seconds",
    maxIdle: 10_000,
    shutdown: "5 seconds",
    slice: 5,
    quarantine: 3,
    trial: "5 seconds"
  })
})
