/**
 * A command's way to the service: found once, its client, and its errors as failures for people.
 */
import type { Envelope } from "@coppice/api/Api"
import * as ApiClient from "@coppice/api/ApiClient"
import type { Follow } from "@coppice/api/EventReader"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type Failure, fromCall } from "./Failure.ts"
import { Host } from "./Host.ts"
import { findService, type Found } from "./Service.ts"

export class Connection extends Context.Service<Connection, {
  readonly found: Found
  readonly client: ApiClient.ApiClient
  /** Follows the log, fact by fact; see `ApiClient.follow`. */
  readonly facts: (query: Follow) => Stream.Stream<Envelope, Failure>
  /** Runs a call; what goes wrong is said for people. */
  readonly call: <A, R>(effect: Effect.Effect<A, unknown, R>) => Effect.Effect<A, Failure, R>
}>()("@coppice/cli/Connection") {}

/** What to do about it in the words of this program; the service speaks of its HTTP routes. */
const fixes: Readonly<Record<string, string>> = {
  already_ended: "coppice events <id> tells what became of it",
  ambiguous_id: "give more of the id",
  invalid_input: "coppice agents --json has the schema of every agent's input",
  key_reused: "use a new --key",
  no_open_question: "coppice inbox lists every open question",
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

/** The connection of the given service. */
export const make = Effect.fnUntraced(function*(found: Found): Effect.fn.Return<Connection["Service"]> {
  const client = yield* ApiClient.make({ url: found.url, token: found.token })
  return {
    found,
    client,
    call: (effect) => Effect.mapError(effect, (error) => failureOf(error, found)),
    facts: (query) =>
      client.follow(query).pipe(
        Stream.filterMap((frame) => frame.event === "message" ? Result.succeed(frame.data) : Result.failVoid),
        Stream.mapError((error) => failureOf(error, found))
      )
  }
})

/** The connection of the service that `--url`, `--data`, the environment or the folder point at. */
export const layer = (options: {
  readonly url: string | undefined
  readonly data: string | undefined
}): Layer.Layer<Connection, Failure, Host> =>
  Layer.effect(
    Connection,
    Effect.gen(function*() {
      const { cwd, env } = yield* Host
      const found = yield* Effect.fromResult(findService({ ...options, cwd, env }))
      return yield* make(found)
    })
  )

/** Now, in Unix milliseconds. */
export const now = Clock.currentTimeMillis
