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
}

export const ExecutorOptions = Context.Reference<ExecutorOptions>("@coppice/agent/ExecutorOptions", {
  defaultValue: () => ({ idleAfter: "10 seconds", maxIdle: 10_000, shutdown: "5 seconds", slice: 5 })
})
