/**
 * The MCP messages of each hop of a task, reconstructed from its log.
 */
import { TaskId } from "@coppice/task/Task"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { Conflict, NotFound } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"
import { largestPage } from "./TasksApi.ts"

/** What one fact of a task is on the wire. */
export const Message = Schema.Struct({
  /** Place of the fact in the log, and when it was written. */
  seq: Schema.Int,
  at: Schema.Finite,
  /** Name of the fact. */
  fact: Schema.String,
  from: Schema.Literals(["caller", "agent"]),
  /** Method and params, result or error, without what differs between the revisions. */
  neutral: Schema.JsonObject,
  /** JSON-RPC messages of MCP 2025-11-25, in order. */
  legacy: Schema.Array(Schema.JsonObject),
  /** Of MCP 2026-07-28. */
  modern: Schema.Array(Schema.JsonObject)
}).annotate({ identifier: "Message" })
export type Message = typeof Message.Type

/** Facts in log order; `next` is the `since` of the next page, and `more` says whether one is there now. */
export const MessagePage = Schema.Struct({
  task: TaskId,
  /** Who called whom: an agent or a principal, and the agent. */
  caller: Schema.String,
  agent: Schema.String,
  /** The MCP server the work is done on, where the call really crossed a wire; `null` inside of this process. */
  server: Schema.NullOr(Schema.String),
  messages: Schema.Array(Message),
  next: Schema.Int,
  more: Schema.Boolean
})
export type MessagePage = typeof MessagePage.Type

const list = HttpApiEndpoint.get("list", "/tasks/:id/messages", {
  params: { id: Schema.String },
  query: {
    since: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))),
    /** Facts to look at, not messages: most facts are none. */
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: largestPage })))
  },
  success: MessagePage,
  error: [NotFound, Conflict]
})

/** The group `messages`. */
export class MessagesApi extends HttpApiGroup.make("messages")
  .add(list)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
