/**
 * A command's way to the service: its client, and its errors as failures for people.
 *
 * A service that is restarted has another token and perhaps another address. A command that waits for a run outlives
 * that: it looks for the service again where it found it first.
 */
import type { Envelope } from "@coppice/api/Api"
import * as ApiClient from "@coppice/api/ApiClient"
import type { Follow } from "@coppice/api/EventReader"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Failure, fromCall } from "./Failure.ts"
import { Host } from "./Host.ts"
import { findService, type Found } from "./Service.ts"

export class Connection extends Context.Service<Connection, {
  readonly found: Found
  /** The client of the service as it was last found. */
  readonly client: ApiClient.ApiClient
  /**
   * Follows the log, fact by fact, also across restarts of the service; see `ApiClient.follow`. `onReady` runs whenever
   * the service has begun to listen: whatever was read before that may be old.
   */
  readonly facts: (query: Follow, onReady?: () => void) => Stream.Stream<Envelope, Failure>
  /** Runs a call; what goes wrong is said for people. */
  readonly call: <A, R>(effect: Effect.Effect<A, unknown, R>) => Effect.Effect<A, Failure, R>
  /** Waits until the service is found anew, elsewhere or with another token. */
  readonly renewed: Effect.Effect<void>
}>()("@coppice/cli/Connection") {}

/** What to do about it in the words of this program; the service speaks of its HTTP routes. */
const fixes: Readonly<Record<string, string>> = {
  already_answered: "coppice events <id> tells what became of it",
  already_ended: "coppice events <id> tells what became of it",
  ambiguous_id: "give more of the id",
  invalid_input: "coppice agents --json has the schema of every agent's input",
  key_reused: "use a new --key",
  no_open_question: "coppice inbox lists every open question",
  not_entitled: "one of them can answer, or give you the right: coppice answer <id> --delegate NAME",
  not_a_run: "give the run's own id",
  still_running: "cancel it first: coppice cancel <id>",
  task_not_found: "coppice ps lists the runs",
  unauthorized: "the token stands in <data>/service.json: give its folder with --data, or the token in COPPICE_TOKEN",
  unknown_agent: "coppice agents lists them"
}

/** What went wrong with a call to `found`. */
export const failureOf = (error: unknown, found: Found): Failure => {
  const said = ApiClient.describe(error, found.url)
  if (said.code === "unreachable" && found.file !== undefined && found.source === found.file.path) {
    return fromCall({ ...said, message: `${said.message}, where ${found.source} says one runs` })
  }
  return fromCall({ ...said, fix: fixes[said.code] ?? said.fix })
}

/** A restarted service says where it is, and with which token, a moment after it answers. */
const patience = "10 seconds"

/** The connection of the given service; `look` finds it again after it was restarted. */
export const make = Effect.fnUntraced(function*(
  first: Found,
  look: () => Result.Result<Found, Failure> = () => Result.succeed(first)
): Effect.fn.Return<Connection["Service"]> {
  const clientOf = ({ token, url }: Found) => ApiClient.make({ url, token })
  const state = { found: first, client: yield* clientOf(first) }

  const changedFrom = Effect.fnUntraced(function*(found: Found) {
    while (state.found === found) {
      yield* Effect.sleep("500 millis")
      const next = Result.getOrElse(look(), () => found)
      if (state.found !== found || isSame(next, found)) continue
      state.client = yield* clientOf(next)
      state.found = next
    }
  })

  const renewed = Effect.suspend(() => changedFrom(state.found))

  const call: Connection["Service"]["call"] = (effect) =>
    Effect.mapError(effect, (error) => failureOf(error, state.found))

  /** A token that is no longer good: there is a new one soon, or there was a mistake. */
  const wait = (found: Found, failure: Failure) =>
    Effect.as(
      Effect.timeoutOrElse(changedFrom(found), { duration: patience, orElse: () => Effect.fail(failure) }),
      Stream.empty
    )

  /** The facts after `since`, over one service after the other. */
  const resumed = (
    query: Follow,
    since: number | undefined,
    onReady: () => void
  ): Stream.Stream<Envelope, Failure> => {
    let last = since
    const { client, found } = state
    return client.follow({ ...query, since: last }).pipe(
      Stream.filterMap((frame) => {
        if (frame.event === "message") return Result.succeed(frame.data)
        onReady()
        return Result.failVoid
      }),
      Stream.tap(({ seq }) => Effect.sync(() => last = seq)),
      Stream.mapError((error) => failureOf(error, found)),
      Stream.interruptWhen(changedFrom(found)),
      Stream.catch((failure) =>
        failure.code === "unauthorized" ? Stream.unwrap(wait(found, failure)) : Stream.fail(failure)
      ),
      Stream.concat(Stream.suspend(() => resumed(query, last, onReady)))
    )
  }

  return {
    get found() {
      return state.found
    },
    get client() {
      return state.client
    },
    call,
    renewed,
    facts: (query, onReady = () => undefined) => Stream.suspend(() => resumed(query, query.since, onReady))
  }
})

const tokenOf = ({ token }: Found): string | undefined => token === undefined ? undefined : Redacted.value(token)

const isSame = (a: Found, b: Found): boolean => a.url === b.url && tokenOf(a) === tokenOf(b)

/** The connection of the service that `--url`, `--data`, the environment or the folder point at. */
export const layer = (options: {
  readonly url: string | undefined
  readonly data: string | undefined
}): Layer.Layer<Connection, Failure, Host> =>
  Layer.effect(
    Connection,
    Effect.gen(function*() {
      const { cwd, env } = yield* Host
      const look = () => findService({ ...options, cwd, env })
      return yield* make(yield* Effect.fromResult(look()), look)
    })
  )

/** Now, in Unix milliseconds. */
export const now = Clock.currentTimeMillis
