/**
 * Waiting for tasks on behalf of a request: for an end, or for a cancelled tree to come to rest.
 *
 * A waiting request is woken by the commit it waits for, never by a poll; it ends with its time, and at once when the
 * service stops.
 */
import type { CancelReport, TaskResult } from "@coppice/api/TasksApi"
import { isTerminal, type Task, type TaskId } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { type TaskNotFound, Tasks } from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Lifecycle } from "./Lifecycle.ts"

const failed = (
  { error, message, partial, reason }: TaskEvent & { readonly _tag: "Failed" }
): TaskResult["failed"] => ({
  reason,
  message,
  error,
  ...partial === undefined ? {} : { partial }
})

/** How a task ended, in the API's words. */
const toResult = (task: Task, ending: TaskEvent | undefined): TaskResult => ({
  task,
  completed: ending?._tag === "Completed" ? { output: ending.result } : null,
  failed: ending?._tag === "Failed" ? failed(ending) : null,
  cancelled: ending?._tag === "Cancelled" ? { by: ending.by, reason: ending.reason } : null
})

export interface TaskWaiting {
  /** The result, or how the task stands after so many seconds. */
  readonly result: (id: TaskId, seconds: number) => Effect.Effect<TaskResult, TaskNotFound | StoreError>
  /** The report once the whole tree has come to rest, or after so many seconds. */
  readonly cancelReport: (id: TaskId, seconds: number) => Effect.Effect<CancelReport, TaskNotFound | StoreError>
}

export const make: Effect.Effect<TaskWaiting, never, Tasks | Lifecycle> = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { stopping } = yield* Lifecycle

  const within = <A, E>(self: Effect.Effect<A, E>, seconds: number): Effect.Effect<Option.Option<A>, E> =>
    self.pipe(
      Effect.asSome,
      Effect.raceFirst(Effect.as(stopping, Option.none<A>())),
      Effect.timeoutOption(seconds * 1_000),
      Effect.map(Option.flatten)
    )

  const result = Effect.fnUntraced(function*(id: TaskId, seconds: number) {
    const task = yield* tasks.get(id)
    if (!isTerminal(task.status)) {
      const outcome = seconds === 0 ? Option.none() : yield* within(tasks.result(id), seconds)
      if (Option.isNone(outcome)) return toResult(yield* tasks.get(id), undefined)
    }
    const { ending, task: ended } = yield* tasks.result(id)
    return toResult(ended, ending)
  })

  const cancelReport = Effect.fnUntraced(function*(id: TaskId, seconds: number) {
    if (seconds > 0) yield* within(tasks.cancelSettled(id), seconds)
    return yield* tasks.cancelReport(id)
  })

  return { result, cancelReport }
})
