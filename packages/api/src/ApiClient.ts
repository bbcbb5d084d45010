/**
 * A typed client of a Coppice service, for Node and browsers, over `fetch`.
 *
 * ```ts
 * const client = yield* ApiClient.make({ url: "http://127.0.0.1:4280", token })
 * const task = yield* client.tasks.submit({ payload: { agent: "review", input: { path: "a.ts" } } })
 * const end = yield* client.result(task.id)
 * ```
 *
 * `client.<group>.<endpoint>` are the contract's own calls. Beside them are the two that need more than one request:
 * `result` waits for the end however long it takes, and `follow` follows the log across broken connections.
 */
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import { Api } from "./Api.ts"
import * as ApiError from "./ApiError.ts"
import { type Follow, follow } from "./EventReader.ts"
import type { Frame } from "./EventsApi.ts"
import { longestWait, type TaskResult } from "./TasksApi.ts"

/** Where the service is. Without a token only `client.service` answers. */
export interface Options {
  readonly url: string
  readonly token?: string | Redacted.Redacted | undefined
}

type Contract = HttpApiClient.ForApi<typeof Api>

/** Everything a call may fail with; `describe` tells them apart for people. */
export type CallError = Effect.Error<Connecting> | Stream.Error<Effect.Success<Connecting>>
type Connecting = ReturnType<Contract["events"]["stream"]>

/** The client; see the module's header. */
export interface ApiClient extends Contract {
  /** Waits until the task has ended, in as many requests as it takes. */
  readonly result: (id: string) => Effect.Effect<TaskResult, CallError>
  /** Follows the log across broken connections. Ends only with an error that connecting again cannot cure. */
  readonly follow: (query?: Follow) => Stream.Stream<Frame, CallError>
}

/** A client of the service at `url`. */
export const make: (options: Options) => Effect.Effect<ApiClient> = Effect.fnUntraced(function*(options: Options) {
  const contract = yield* HttpApiClient.make(Api, { transformClient: (client) => prepared(client, options) })
  const result = Effect.fnUntraced(function*(id: string) {
    while (true) {
      const result = yield* contract.tasks.result({ params: { id }, query: { wait: longestWait } })
      if (result.task.endedAt !== null) return result
    }
  })
  return { ...contract, result, follow: (query?: Follow) => follow(contract.events.stream, query ?? {}) }
}, Effect.provide(FetchHttpClient.layer))

// A trace parent nobody exports would leave the run's trace without its root, so none is sent.
const prepared = (client: HttpClient.HttpClient, options: Options): HttpClient.HttpClient =>
  client.pipe(
    HttpClient.mapRequest((request) => {
      const to = HttpClientRequest.prependUrl(request, options.url)
      return options.token === undefined ? to : HttpClientRequest.bearerToken(to, options.token)
    }),
    HttpClient.transformResponse(Effect.provideService(HttpClient.TracerPropagationEnabled, false))
  )

/** What went wrong with a call, for people and for exit codes. */
export interface Description extends ApiError.Detail {
  /** A code of the API, or `unreachable` when no service answered, or `unintelligible` when something else did. */
  readonly code: string
}

/** Says what went wrong. Takes anything: what is not an error of a call is `unintelligible`. */
export const describe = (error: unknown, url: string): Description => {
  if (ApiError.isApiError(error)) return error.error
  const tag = (error as { readonly reason?: { readonly _tag?: string } } | undefined)?.reason?._tag
  return tag === "TransportError"
    ? { code: "unreachable", message: `No service answers at ${url}`, fix: "start one with `coppice serve`" }
    : {
      code: "unintelligible",
      message: `${url} did not answer as a Coppice service of this release`,
      fix: "check the address, and that the service and this program are of one release"
    }
}
