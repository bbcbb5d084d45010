/**
 * The one inbox: every question of every task that waits for a person, and the way to answer it.
 */
import { Due, Standing } from "@coppice/task/Policy"
import { Task, TaskId } from "@coppice/task/Task"
import { InputRequest } from "@coppice/task/TaskEvent"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, Forbidden, NotFound, TooLarge } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

/** One of those on whose behalf a question is asked. */
export const Asker = Schema.Struct({ task: TaskId, agent: Schema.String })
export type Asker = typeof Asker.Type

/** An open question and the task that asks it. */
export const Question = Schema.Struct({
  task: TaskId,
  run: TaskId,
  agent: Schema.String,
  since: Schema.Finite,
  request: InputRequest,
  /** From the root of the run to the task itself; it begins further down where a task above was deleted meanwhile. */
  path: Schema.Array(Asker),
  /** What became of it so far: votes, delegations, reminders, who was shown it. */
  standing: Standing,
  /** The people who may answer it now; empty without people in the configuration. */
  may: Schema.Array(Schema.String),
  /** What happens to it next by itself; left out when nothing does. */
  next: Schema.optionalKey(Due)
})
export type Question = typeof Question.Type

export const Inbox = Schema.Struct({ questions: Schema.Array(Question) })
export type Inbox = typeof Inbox.Type

/**
 * A person's answer. `key` may be left out when the task asks only one question; `content` goes with `accept` and is
 * checked against the question's form.
 */
export const Answer = Schema.Struct({
  key: Schema.optionalKey(Schema.String),
  action: Schema.Literals(["accept", "decline", "cancel"]),
  content: Schema.optionalKey(Schema.Json)
})
export type Answer = typeof Answer.Type

const inbox = HttpApiEndpoint.get("list", "/inbox", {
  query: {
    run: Schema.optionalKey(Schema.String),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })))
  },
  success: Inbox,
  error: [NotFound, Conflict]
})

const answer = HttpApiEndpoint.post("answer", "/tasks/:id/answer", {
  params: { id: Schema.String },
  payload: Answer,
  success: Task,
  error: [BadRequest, Forbidden, NotFound, Conflict, TooLarge]
})

/** To whom the caller gives the right to answer a question; `key` as in an answer. */
export const Delegation = Schema.Struct({ key: Schema.optionalKey(Schema.String), to: Schema.String })
export type Delegation = typeof Delegation.Type

const delegate = HttpApiEndpoint.post("delegate", "/tasks/:id/delegate", {
  params: { id: Schema.String },
  payload: Delegation,
  success: Task,
  error: [BadRequest, Forbidden, NotFound, Conflict]
})

/**
 * Open questions somebody has been shown by a page or a program: as soon as they are on a screen, not when they were
 * fetched. What is known already, and questions that are not open any more, are passed over.
 */
export const Shown = Schema.Struct({
  door: Schema.Literals(["console", "cli"]),
  questions: Schema.Array(Schema.Struct({ task: TaskId, key: Schema.String })).check(Schema.isMaxLength(1_000))
})
export type Shown = typeof Shown.Type

const shown = HttpApiEndpoint.post("shown", "/inbox/shown", { payload: Shown })

/** The group `inbox`. */
export class InboxApi extends HttpApiGroup.make("inbox")
  .add(inbox, answer, delegate, shown)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
