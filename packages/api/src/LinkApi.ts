/**
 * Answer links: what the page behind one needs. The token of the link is the right; it stands in the body, for addresses
 * end up in logs.
 *
 * Both are `POST`: whatever fetches an address to look at it, a chat's preview or a mail scanner, answers nothing.
 */
import { ExactAction, Policy } from "@coppice/task/Policy"
import { TaskId } from "@coppice/task/Task"
import { InputRequest } from "@coppice/task/TaskEvent"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, Forbidden, NotFound, TooLarge } from "./ApiError.ts"

const token = Schema.RedactedFromValue(Schema.String.check(Schema.isMaxLength(4_096)))

export const OpenLink = Schema.Struct({ token })

/** The question of a link. Nothing of the run around it: the link is a right to answer, not to look around. */
export const LinkedQuestion = Schema.Struct({
  task: TaskId,
  /** As whom the link answers; `null` where the configuration has no people. */
  person: Schema.NullOr(Schema.String),
  agent: Schema.String,
  since: Schema.Finite,
  /** When the link opens nothing any more, Unix milliseconds. */
  expires: Schema.Finite,
  request: Schema.Struct({
    key: Schema.String,
    mode: InputRequest.fields.mode,
    message: Schema.String,
    schema: InputRequest.fields.schema,
    url: InputRequest.fields.url,
    deadline: InputRequest.fields.deadline,
    about: InputRequest.fields.about,
    policy: Schema.optionalKey(Policy),
    approval: Schema.optionalKey(ExactAction)
  })
}).annotate({ identifier: "LinkedQuestion" })
export type LinkedQuestion = typeof LinkedQuestion.Type

export const LinkAnswer = Schema.Struct({
  token,
  action: Schema.Literals(["accept", "decline", "cancel"]),
  content: Schema.optionalKey(Schema.Json)
})

/** What was recorded, and as whose word. */
export const LinkAnswered = Schema.Struct({ action: Schema.String, by: Schema.String })
export type LinkAnswered = typeof LinkAnswered.Type

const open = HttpApiEndpoint.post("open", "/link/open", {
  payload: OpenLink,
  success: LinkedQuestion,
  error: [Forbidden, NotFound, Conflict]
})

const answer = HttpApiEndpoint.post("answer", "/link/answer", {
  payload: LinkAnswer,
  success: LinkAnswered,
  error: [BadRequest, Forbidden, NotFound, Conflict, TooLarge]
})

/** The group `link`. */
export class LinkApi extends HttpApiGroup.make("link").add(open, answer).prefix("/api/v1") {}
