/**
 * The log as it grows, over server-sent events.
 *
 * ```text
 *   id: 41        ready    {"since":41}      where the stream begins; what came before is committed and readable
 *   id: 42        message  the fact, as an Envelope
 *   id: 43        message  …
 *   :                      a comment every few seconds, so that a dead connection is noticed
 * ```
 *
 * The event id is the fact's place in the log, so a reader resumes with `Last-Event-ID` (it wins over `since`) without
 * gap or repetition. Without either, the stream of a run or a task begins at its first fact, and the stream of
 * everything begins now. An id that this log never gave out answers with `reset`: read anew what you show, then go on
 * from the id that comes with it.
 */
import { Envelope } from "@coppice/task/TaskEvent"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"
import { BadRequest, Conflict, NotFound, UnavailableResponse } from "./ApiError.ts"
import { Authorization } from "./Authorization.ts"

const Position = Schema.Struct({ since: Schema.Int })

/** What a stream carries. */
export const Frame = Schema.Union([
  Schema.Struct({
    id: Schema.String,
    event: Schema.Literal("message"),
    data: Schema.fromJsonString(Schema.toCodecJson(Envelope))
  }),
  Schema.Struct({
    id: Schema.String,
    event: Schema.Literals(["ready", "reset"]),
    data: Schema.fromJsonString(Position)
  })
])
export type Frame = typeof Frame.Type

const stream = HttpApiEndpoint.get("stream", "/events", {
  query: {
    run: Schema.optionalKey(Schema.String),
    task: Schema.optionalKey(Schema.String),
    since: Schema.optionalKey(Schema.String)
  },
  headers: { "last-event-id": Schema.optionalKey(Schema.String) },
  success: HttpApiSchema.StreamSse({ events: Frame }),
  error: [BadRequest, NotFound, Conflict, UnavailableResponse]
})

/** The group `events`. */
export class EventsApi extends HttpApiGroup.make("events")
  .add(stream)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
