/**
 * Tasks: each handler finds the task, asks the runtime, and says what it answered.
 */
import { Api } from "@coppice/api/Api"
import * as ApiError from "@coppice/api/ApiError"
import { Caller } from "@coppice/api/Authorization"
import type { ForkRequest, SteerRequest } from "@coppice/api/TasksApi"
import type { Task } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"
import { Blockers } from "./Blockers.ts"
import { Lifecycle } from "./Lifecycle.ts"
import * as TaskWaiting from "./TaskWaiting.ts"

const defaultPage = 100

/** How long other services are asked for their parts of a tree, milliseconds. */
const longestLook = 3_000

const inThePast = ApiError.make("invalid_request", {
  message: "deadline: lies in the past",
  field: "deadline",
  fix: "give Unix milliseconds, such as Date.now() + 600000"
})

const notARun = (task: Task) =>
  ApiError.make("not_a_run", {
    message: `Task ${task.id} is part of run ${task.run}; only whole runs are deleted`,
    field: "id",
    fix: `DELETE /api/v1/tasks/${task.run}`
  })

const steered = Effect.fnUntraced(function*(tasks: Tasks["Service"], prefix: string, payload: SteerRequest) {
  const { by } = yield* Caller
  return yield* tasks.steer({ ...payload, id: yield* tasks.resolve(prefix), by })
})

const forked = Effect.fnUntraced(function*(tasks: Tasks["Service"], prefix: string, payload: ForkRequest) {
  const { principal } = yield* Caller
  return yield* tasks.fork({ ...payload, id: yield* tasks.resolve(prefix), by: principal })
})

const treeOf = Effect.fnUntraced(function*(tasks: Tasks["Service"], prefix: string, isAsked: boolean) {
  const root = yield* tasks.resolve(prefix)
  const own = { root, tasks: yield* tasks.tree(root) }
  if (!isAsked) return own
  const elsewhere = yield* tasks.elsewhere(root, longestLook)
  return elsewhere.nodes.length + elsewhere.away.length === 0 ? own : { ...own, elsewhere }
})

export const layer = HttpApiBuilder.group(
  Api,
  "tasks",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks
    const blockers = yield* Blockers
    const waiting = yield* TaskWaiting.make
    const lifecycle = yield* Lifecycle

    const intake = Effect.suspend(() =>
      lifecycle.phase() === "ready"
        ? Effect.void
        : Effect.fail(ApiError.make("stopping", { message: `The service is ${lifecycle.phase()}`, retryAfter: 2 }))
    )

    return handlers.handleAll({
      submit: Effect.fnUntraced(function*({ payload }) {
        yield* intake
        if (payload.deadline !== undefined && payload.deadline <= (yield* Clock.currentTimeMillis)) {
          return yield* inThePast
        }
        const { principal } = yield* Caller
        return yield* answered(tasks.submit({ ...payload, principal }))
      }),

      list: Effect.fnUntraced(function*({ query }) {
        const limit = query.limit ?? defaultPage
        const { roots, ...filter } = query
        const parent = query.parent === undefined ? undefined : yield* tasks.resolve(query.parent)
        const page = yield* tasks.list({ ...filter, parent, rootsOnly: roots, limit })
        return { tasks: page, next: page.length < limit ? null : page.at(-1)!.id }
      }, answered),

      get: ({ params }) => answered(Effect.flatMap(tasks.resolve(params.id), tasks.get)),

      tree: ({ params, query }) => answered(treeOf(tasks, params.id, query.elsewhere !== false)),

      events: Effect.fnUntraced(function*({ params, query }) {
        const { id, run } = yield* tasks.get(yield* tasks.resolve(params.id))
        const { limit = defaultPage, since = 0 } = query
        const events = yield* tasks.events({ ...query.of === "tree" ? { run } : { task: id }, since, limit })
        return { events, next: events.at(-1)?.seq ?? since, more: events.length === limit }
      }, answered),

      result: ({ params, query }) =>
        answered(Effect.flatMap(tasks.resolve(params.id), (id) => waiting.result(id, query.wait ?? 0))),

      steer: ({ params, payload }) => answered(steered(tasks, params.id, payload)),

      cancel: Effect.fnUntraced(function*({ params, payload }) {
        const { by } = yield* Caller
        return yield* answered(
          Effect.flatMap(tasks.resolve(params.id), (id) => tasks.cancel({ id, by, reason: payload.reason }))
        )
      }),

      cancelReport: Effect.fnUntraced(function*({ params, query }) {
        const id = yield* tasks.resolve(params.id)
        return yield* waiting.cancelReport(id, query.wait ?? 0)
      }, answered),

      cancelPreview: ({ params }) => answered(Effect.flatMap(tasks.resolve(params.id), tasks.cancelPreview)),

      retry: Effect.fnUntraced(function*({ params, query: { fresh } }) {
        yield* intake
        const { principal } = yield* Caller
        return yield* answered(Effect.flatMap(tasks.resolve(params.id), (id) => tasks.retry(id, { principal, fresh })))
      }),

      fork: ({ params, payload }) => Effect.andThen(intake, answered(forked(tasks, params.id, payload))),

      delete: Effect.fnUntraced(function*({ params }) {
        const task = yield* answered(Effect.flatMap(tasks.resolve(params.id), tasks.get))
        if (task.parent !== null) return yield* notARun(task)
        const { by } = yield* Caller
        return { run: task.id, tasks: yield* answered(tasks.delete(task.id, by)) }
      }),

      why: Effect.fnUntraced(function*({ params }) {
        return yield* blockers.why(yield* tasks.resolve(params.id))
      }, answered)
    })
  })
)
