/**
 * Tasks over HTTP: submit, look, wait, cancel, retry, delete.
 *
 * Every `:id` may be the beginning of an id, as long as only one task has it. Times are Unix milliseconds, durations
 * milliseconds; the two waits in a query are whole seconds.
 */
import { CancelPreview } from "@coppice/task/CancelPreview"
import { CancelReport } from "@coppice/task/CancelReport"
import { Elsewhere } from "@coppice/task/LiveTree"
import { Budget, FailureReason, Task, TaskId, TaskStatus } from "@coppice/task/Task"
import { Envelope } from "@coppice/task/TaskEvent"
import { Told } from "@coppice/task/Told"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, NotFound, TooLarge, TooManyRequestsResponse } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

export { Budget, CancelPreview, CancelReport, Elsewhere }

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** The longest an answer may be waited for in one request, seconds. */
export const longestWait = 60

/** The most tasks or events in one answer. */
export const largestPage = 1_000

const id = { id: Schema.String }
const wait = { wait: Schema.optionalKey(between(0, longestWait)) }

/** A request for work. */
export const Submission = Schema.Struct({
  agent: Schema.String.check(Schema.isNonEmpty()),
  input: Schema.Json,
  /** Submitting again with the same key and input returns the first task. */
  idempotencyKey: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[\x20-\x7e]{1,256}$/u))),
  /** When the task fails unless it has ended. */
  deadline: Schema.optionalKey(between(0, 8.64e15)),
  /** How long the task is worth keeping, from its creation. */
  ttl: Schema.optionalKey(between(0, 8.64e15)),
  /** What the whole run may use. */
  budget: Schema.optionalKey(Budget),
  priority: Schema.optionalKey(between(-1_000, 1_000))
})
export type Submission = typeof Submission.Type

/** A filter over tasks, newest first. */
export const TaskFilter = Schema.Struct({
  status: Schema.optionalKey(Schema.Array(TaskStatus)),
  agent: Schema.optionalKey(Schema.String),
  parent: Schema.optionalKey(Schema.String),
  /** Only runs: tasks without a parent. */
  roots: Schema.optionalKey(Schema.Boolean),
  /** `next` of the page before. */
  cursor: Schema.optionalKey(TaskId),
  limit: Schema.optionalKey(between(1, largestPage))
})
export type TaskFilter = typeof TaskFilter.Type

/** One page of tasks; `next` is the cursor of the next one, `null` at the end. */
export const TaskPage = Schema.Struct({ tasks: Schema.Array(Task), next: Schema.NullOr(TaskId) })
export type TaskPage = typeof TaskPage.Type

/** A task and all below it, parents before children. */
export const TaskTree = Schema.Struct({
  root: TaskId,
  tasks: Schema.Array(Task),
  /** What other Coppices tell of the tasks they work on, below those that stand for them. */
  elsewhere: Schema.optionalKey(Elsewhere)
})
export type TaskTree = typeof TaskTree.Type

/** Facts in log order; `next` is the `since` of the next page. `more` says whether one is there now. */
export const EventPage = Schema.Struct({ events: Schema.Array(Envelope), next: Schema.Int, more: Schema.Boolean })
export type EventPage = typeof EventPage.Type

/** How a task ended; all three are `null` while it has not. */
export const TaskResult = Schema.Struct({
  task: Task,
  completed: Schema.NullOr(Schema.Struct({ output: Schema.Json })),
  failed: Schema.NullOr(Schema.Struct({
    reason: FailureReason,
    message: Schema.String,
    /** The error the agent declared, encoded. */
    error: Schema.NullOr(Schema.Json),
    /** What it had put down as its result so far, when a budget or a deadline stopped it. */
    partial: Schema.optionalKey(Schema.Json)
  })),
  cancelled: Schema.NullOr(Schema.Struct({ by: Schema.String, reason: Schema.NullOr(Schema.String) }))
})
export type TaskResult = typeof TaskResult.Type

export const CancelRequest = Schema.Struct({
  reason: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(4_096)))
})

/** What a running task is told, and which of its limits change; what is left out stays. */
export const SteerRequest = Schema.Struct({
  /** Read by the task's code. */
  message: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(65_536))),
  /** Higher is given a place first. */
  priority: Schema.optionalKey(between(-1_000, 1_000)),
  /** Never later than that of the task above. */
  deadline: Schema.optionalKey(between(0, 8.64e15)),
  /** Of a whole run only. */
  budget: Schema.optionalKey(Budget),
  /** Everything below it that runs is told the same. */
  subtree: Schema.optionalKey(Schema.Boolean)
})
export type SteerRequest = typeof SteerRequest.Type

/** The task that was steered, and what became of that for it and each task below it that was told. */
export const Steered = Schema.Struct({ ...Task.fields, told: Schema.Array(Told) })
export type Steered = typeof Steered.Type

/** One thing a task waits for. `who` can end the waiting, and `fix` says how. */
export const Wait = Schema.Struct({
  on: Schema.Literals(["child", "person", "timer", "step", "backoff", "provider", "slot", "owner", "nothing"]),
  /** The task that waits. */
  task: TaskId,
  agent: Schema.String,
  since: Schema.Finite,
  message: Schema.String,
  who: Schema.String,
  fix: Schema.NullOr(Schema.String),
  /** The child waited for. */
  child: Schema.NullOr(TaskId),
  /** Key of the question or of the timer. */
  key: Schema.NullOr(Schema.String),
  /** When the timer fires; when code that runs is ended, if it gives no sign of life until then. */
  due: Schema.NullOr(Schema.Finite),
  /** On a `slot`: its place in the queue, from 1. */
  place: Schema.optionalKey(Schema.Int),
  /** On a `slot`: how many other principals have their turn before its own. */
  turns: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "Wait" })
export type Wait = typeof Wait.Type

/** Why a task has not ended: what it waits for itself, and what the tasks below it wait for in the end. */
export const Why = Schema.Struct({
  task: Task,
  waits: Schema.Array(Wait),
  causes: Schema.Array(Wait)
})
export type Why = typeof Why.Type

export const Deleted = Schema.Struct({ run: TaskId, tasks: Schema.Int })

const submitErrors = [BadRequest, NotFound, Conflict, TooLarge, TooManyRequestsResponse] as const
const lookupErrors = [NotFound, Conflict] as const

const submit = HttpApiEndpoint.post("submit", "/tasks", {
  payload: Submission,
  success: Task.pipe(HttpApiSchema.status(201)),
  error: submitErrors
})

const list = HttpApiEndpoint.get("list", "/tasks", { query: TaskFilter, success: TaskPage, error: lookupErrors })

const get = HttpApiEndpoint.get("get", "/tasks/:id", { params: id, success: Task, error: lookupErrors })

const tree = HttpApiEndpoint.get("tree", "/tasks/:id/tree", {
  params: id,
  query: {
    /** Whether other Coppices are asked for their parts of it [yes]; that takes three seconds at most. */
    elsewhere: Schema.optionalKey(Schema.Boolean)
  },
  success: TaskTree,
  error: lookupErrors
})

const events = HttpApiEndpoint.get("events", "/tasks/:id/events", {
  params: id,
  query: {
    since: Schema.optionalKey(between(0, Number.MAX_SAFE_INTEGER)),
    limit: Schema.optionalKey(between(1, largestPage)),
    /** The facts of the task alone, or of everything below it too. */
    of: Schema.optionalKey(Schema.Literals(["task", "tree"]))
  },
  success: EventPage,
  error: lookupErrors
})

const result = HttpApiEndpoint.get("result", "/tasks/:id/result", {
  params: id,
  query: wait,
  success: TaskResult,
  error: lookupErrors
})

const cancel = HttpApiEndpoint.post("cancel", "/tasks/:id/cancel", {
  params: id,
  payload: CancelRequest,
  success: CancelReport,
  error: lookupErrors
})

const steer = HttpApiEndpoint.post("steer", "/tasks/:id/steer", {
  params: id,
  payload: SteerRequest,
  success: Steered,
  error: [BadRequest, NotFound, Conflict]
})

const cancelReport = HttpApiEndpoint.get("cancelReport", "/tasks/:id/cancel", {
  params: id,
  query: wait,
  success: CancelReport,
  error: lookupErrors
})

const cancelPreview = HttpApiEndpoint.get("cancelPreview", "/tasks/:id/cancel/preview", {
  params: id,
  success: CancelPreview,
  error: lookupErrors
})

const retry = HttpApiEndpoint.post("retry", "/tasks/:id/retry", {
  params: id,
  query: {
    /** Does everything again; otherwise what the task's steps and calls had returned is reused. */
    fresh: Schema.optionalKey(Schema.Boolean)
  },
  success: Task.pipe(HttpApiSchema.status(201)),
  error: submitErrors
})

/** A new run from a part of a recorded one. */
export const ForkRequest = Schema.Struct({
  /** Key or name of a step, call, pause or question, or a place in the log: what comes at and after it is done anew. */
  at: Schema.optionalKey(Schema.String.check(Schema.isNonEmpty())),
  /** Instead of the recorded one. */
  input: Schema.optionalKey(Schema.Json),
  /** Another answer to a question of the recorded run. */
  answer: Schema.optionalKey(Schema.Struct({ key: Schema.String, content: Schema.Json }))
})
export type ForkRequest = typeof ForkRequest.Type

const fork = HttpApiEndpoint.post("fork", "/tasks/:id/fork", {
  params: id,
  payload: ForkRequest,
  success: Task.pipe(HttpApiSchema.status(201)),
  error: submitErrors
})

const remove = HttpApiEndpoint.delete("delete", "/tasks/:id", {
  params: id,
  success: Deleted,
  error: [BadRequest, NotFound, Conflict]
})

const why = HttpApiEndpoint.get("why", "/tasks/:id/why", { params: id, success: Why, error: lookupErrors })

/** The group `tasks`. */
export class TasksApi extends HttpApiGroup.make("tasks")
  .add(submit, list, get, tree, events, result, steer, cancel, cancelReport, cancelPreview, retry, fork, remove, why)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
