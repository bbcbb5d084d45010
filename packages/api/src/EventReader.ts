/**
 * Follows the log of a service across broken connections, without gap or repetition.
 *
 * Every frame carries its place in the log; a new connection asks for what came after the last one seen. What
 * reconnecting cannot cure (no such task, wrong token) ends the stream with that error.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as ApiError from "./ApiError.ts"
import type { Frame } from "./EventsApi.ts"

/** What to follow: one run, one task, or everything; after `since`, or from where `EventsApi` says. */
export interface Follow {
  readonly run?: string | undefined
  readonly task?: string | undefined
  readonly since?: number | undefined
  /** How long to wait before connecting again; one second unless said otherwise. */
  readonly reconnectAfter?: Duration.Input | undefined
}

/** One request for a stream, as the contract has it. */
export interface Request {
  readonly query: { readonly run?: string; readonly task?: string; readonly since?: string }
  readonly headers: { readonly "last-event-id"?: string }
}

const toRequest = (query: Follow, last: string | undefined): Request => ({
  query: {
    ...query.run === undefined ? {} : { run: query.run },
    ...query.task === undefined ? {} : { task: query.task },
    ...query.since === undefined ? {} : { since: String(query.since) }
  },
  headers: last === undefined ? {} : { "last-event-id": last }
})

/** Whether a new connection may go better. */
const isTransient = (error: unknown): boolean =>
  ApiError.isApiError(error)
    ? error instanceof ApiError.Unavailable || error instanceof ApiError.Internal
    : !(error instanceof Error && error.name === "SchemaError")

/** The frames of `connect`, resumed whenever a connection ends. `ready` comes once. */
export const follow = <E, E2>(
  connect: (request: Request) => Effect.Effect<Stream.Stream<Frame, E>, E2>,
  query: Follow
): Stream.Stream<Frame, E | E2> =>
  Stream.suspend(() => {
    let last: string | undefined
    const pause = Effect.sleep(query.reconnectAfter ?? Duration.seconds(1))
    const connection = Stream.suspend(() => {
      const resumed = last !== undefined
      return Stream.unwrap(connect(toRequest(query, last))).pipe(
        Stream.filter((frame) => {
          last = frame.id
          return !resumed || frame.event !== "ready"
        })
      )
    })
    return Stream.concat(connection, Stream.drain(Stream.fromEffect(pause))).pipe(
      Stream.forever,
      Stream.retry(
        Schedule.spaced(query.reconnectAfter ?? Duration.seconds(1)).pipe(
          Schedule.while(({ input }) => isTransient(input))
        )
      )
    )
  })
