/**
 * The log as server-sent events; `EventsApi` says what a stream carries.
 *
 * A stream is pulled: the next page of the log is read when the socket has taken the one before, so a reader that is
 * slow costs one page and one that has stopped is cut off.
 */
import { Api } from "@coppice/api/Api"
import * as ApiError from "@coppice/api/ApiError"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { answered } from "./ApiErrors.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { responseHeaders } from "./Security.ts"
import { withKeepAlive } from "./StreamLiveness.ts"

/** Limits of event streams. */
export const EventStreams = Context.Reference<{
  /** A comment is sent after this long without an event. */
  readonly keepAlive: Duration.Input
  /** A reader that takes nothing for this long is cut off. */
  readonly patience: Duration.Input
  readonly most: number
}>("@coppice/orchestrator/EventRoutes/EventStreams", {
  defaultValue: () => ({ keepAlive: "15 seconds", patience: "60 seconds", most: 2_000 })
})

/** Where a stream begins: a position the log has given out, or none. */
export const position = (text: string, head: number): number | undefined => {
  const seq = /^\d{1,16}$/.test(text) ? Number(text) : undefined
  return seq !== undefined && seq <= head ? seq : undefined
}

const frame = (event: string, id: number, data: string): string =>
  `${event === "message" ? "" : `event: ${event}\n`}id: ${id}\ndata: ${data}\n\n`

const toFrame = (envelope: Envelope): string => frame("message", envelope.seq, JSON.stringify(envelope))

const busy = ApiError.make("too_many_streams", { message: "Too many event streams are open", retryAfter: 5 })

export const layer = HttpApiBuilder.group(
  Api,
  "events",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks
    const log = yield* TaskLog
    const lifecycle = yield* Lifecycle
    const limits = yield* EventStreams
    let open = 0

    /** Everything up to the head is committed when this returns, so a reader of the store misses nothing. */
    const committedHead = Effect.gen(function*() {
      const { head, trouble } = log
      if (trouble !== undefined) return yield* trouble
      yield* log.barrier
      return head
    })

    const subject = Effect.fnUntraced(function*(query: { readonly run?: string; readonly task?: string }) {
      const find = (prefix: string) => Effect.flatMap(tasks.resolve(prefix), tasks.get)
      const run = query.run === undefined ? undefined : (yield* find(query.run)).run
      const task: TaskId | undefined = query.task === undefined ? undefined : (yield* find(query.task)).id
      return { run, task, isAll: run === undefined && task === undefined }
    })

    const stream = Effect.fnUntraced(function*(
      query: { readonly run?: string; readonly task?: string },
      asked: string | undefined
    ) {
      const { isAll, run, task } = yield* subject(query)
      const head = yield* committedHead
      const known = asked === undefined ? (isAll ? head : 0) : position(asked, head)
      const since = known ?? head
      const first = frame(known === undefined ? "reset" : "ready", since, JSON.stringify({ since }))
      const facts = tasks.watch({ run, task, since }).pipe(
        Stream.map(toFrame),
        Stream.interruptWhen(lifecycle.stopping)
      )
      return Stream.concat(Stream.succeed(first), facts)
    })

    return handlers.handleAll({
      stream: Effect.fnUntraced(function*({ headers, query, request }) {
        if (open >= limits.most) return yield* busy
        const events = yield* stream(query, headers["last-event-id"] ?? query.since).pipe(answered)
        const response = NodeHttpServerRequest.toServerResponse(request)
        const counted = Stream.unwrap(
          Effect.acquireRelease(
            Effect.sync(() => open++),
            () => Effect.sync(() => open--)
          ).pipe(Effect.as(
            withKeepAlive(events, { ...limits, comment: ":\n\n", onStalled: () => response.destroy() })
          ))
        )
        return HttpServerResponse.stream(Stream.encodeText(counted), {
          contentType: "text/event-stream",
          headers: { ...responseHeaders, "x-accel-buffering": "no" }
        }) as never
      })
    })
  })
)
