/**
 * Time, chance and progress of a task, the same live and replayed.
 *
 * Inside a handler `Clock`, `Random`, `Effect.sleep`, `Effect.timeout` and `Schedule` already mean these; the functions
 * here are for code that wants to say so.
 */
import { check } from "@coppice/task/Payload"
import type { LogLevel } from "@coppice/task/TaskEvent"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Schema from "effect/Schema"
import { currentExecution } from "./internal/call.ts"
import { toJson } from "./internal/json.ts"
import { pulseOf, TaskContext } from "./TaskContext.ts"

/** Waits on a timer in the log: a restart does not begin the wait again. */
export const sleep = (duration: Duration.Input): Effect.Effect<void, never, TaskContext> =>
  Effect.andThen(currentExecution, Effect.sleep(duration))

/** Unix milliseconds of task time: when the last fact the handler has seen was recorded. */
export const now: Effect.Effect<number, never, TaskContext> = Effect.andThen(currentExecution, Clock.currentTimeMillis)

/** A number in [0, 1), the next of the task's own sequence. */
export const random: Effect.Effect<number, never, TaskContext> = Effect.andThen(currentExecution, Random.next)

/** A version 4 UUID from the task's own sequence: the same again in a replay, so fit for an idempotency key. */
export const uuid: Effect.Effect<string, never, TaskContext> = Effect.andThen(
  currentExecution,
  Effect.map(
    Effect.all(Array.from({ length: 32 }, () => Random.nextIntBetween(0, 15))),
    (digits) => {
      const hex = digits.map((digit, i) => (i === 12 ? 4 : i === 16 ? (digit & 3) | 8 : digit).toString(16)).join("")
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
    }
  )
)

const longestMessage = 1_000

/**
 * Tells watchers how far the task is. `progress` grows towards `total`. Not repeated by a replay, and not waited for.
 */
export const progress = (
  report: { readonly progress: number; readonly total?: number | undefined; readonly message?: string | undefined }
): Effect.Effect<void, never, TaskContext> =>
  Effect.map(currentExecution, (execution) => {
    if (execution.isUnwinding || execution.ordinal("progress") < execution.past.reports.progress) return
    const finite = (value: number | undefined) => value !== undefined && Number.isFinite(value) ? value : null
    execution.server.host.log.dispatch(execution.entry, {
      _tag: "Progress",
      attempt: execution.attempt,
      progress: {
        progress: finite(report.progress) ?? 0,
        total: finite(report.total),
        message: report.message?.slice(0, longestMessage) ?? null
      }
    })
  })

/**
 * Says that the code is alive, in a handler or in the body of a step: an agent with `stall` ends attempts that are silent.
 * `mark` says how far it is, 200 characters at most: `coppice why` shows the last one.
 *
 * **Details**
 *
 * Costs next to nothing: it is kept in memory and never recorded, so neither a later attempt nor another process knows it.
 * What is recorded of the task is a sign of life as well; a heartbeat is for code that records nothing for long.
 */
export const heartbeat = (mark?: string): Effect.Effect<void, never, TaskContext> =>
  Effect.map(TaskContext, (info) => pulseOf(info)?.beat(mark))

/**
 * Puts down the result so far, as JSON: if a budget or a deadline stops the task, whoever waits for it gets the last one
 * with the failure. Not repeated by a replay, and not waited for.
 *
 * **Gotchas**
 *
 * It is kept with the task's row and written again whenever that changes: put down what matters, not megabytes.
 */
export const partial = (value: Schema.Json): Effect.Effect<void, never, TaskContext> =>
  Effect.map(currentExecution, (execution) => {
    if (execution.isUnwinding || execution.ordinal("partial") < execution.past.reports.partial) return
    if (check("The result so far", value) !== undefined) return
    const { attempt, entry, server: { host } } = execution
    host.log.dispatch(entry, { _tag: "PutPartial", attempt, value: toJson(value) })
  })

/**
 * Writes a line of the task's own log, for whoever follows it: watchers, and MCP clients that asked for it. `data` is
 * JSON. Not repeated by a replay, and not waited for.
 */
export const log = (
  level: LogLevel,
  data: Schema.Json,
  logger?: string
): Effect.Effect<void, never, TaskContext> =>
  Effect.map(currentExecution, (execution) => {
    if (execution.isUnwinding || execution.ordinal("log") < execution.past.reports.log) return
    if (check("The log line", data) !== undefined) return
    execution.server.host.log.dispatch(execution.entry, {
      _tag: "Log",
      attempt: execution.attempt,
      level,
      data,
      logger: logger ?? null
    })
  })
