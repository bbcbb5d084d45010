/**
 * `/mcp`: checks who comes and how large a body is, then hands the request to `McpHttp` in the web's own types.
 *
 * It stands beside the router of everything else: hosts poll, and a poll should cost little more than the SDK's own work.
 */
import * as ApiError from "@coppice/api/ApiError"
import { McpHttp } from "@coppice/mcp/McpHttp"
import type { Caller } from "@coppice/mcp/McpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { IncomingMessage, ServerResponse } from "node:http"
import { pipeline, Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import { bodyOf } from "./Guard.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { Listener } from "./Listener.ts"
import { Refusals } from "./Refusals.ts"
import { isSame, refusal, responseHeaders, Token } from "./Security.ts"
import type { McpAuth, Settings } from "./Settings.ts"

interface Failure {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly headers?: Record<string, string>
}

const unauthorized: Failure = {
  status: 401,
  code: -32000,
  message: "This needs the service's token: send Authorization: Bearer with it, or use `coppice mcp`",
  headers: { "www-authenticate": "Bearer" }
}

const stopping: Failure = {
  status: 503,
  code: -32603,
  message: "The service is stopping",
  headers: { "retry-after": "2" }
}

const fail = (response: ServerResponse, { code, headers, message, status }: Failure): void => {
  response.writeHead(status, { ...responseHeaders, "content-type": "application/json", ...headers })
  // whoever is refused in the middle of a body need not send the rest
  if (!response.req.complete) response.once("finish", () => response.req.destroy())
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } }))
}

/** Who calls: the holder of the token, or, where the settings ask for none, any program of this machine. */
const callerOf = (auth: McpAuth, secret: string, authorization: string | undefined): Caller | undefined => {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
  if (given !== undefined && isSame(given, secret)) {
    return { principal: "local", isIdentified: true, by: "mcp", isOwner: true }
  }
  return auth === "none" && given === undefined ? { principal: "mcp", isIdentified: false, by: "mcp" } : undefined
}

/** The request in the web's types, without its body, which has been read. */
const webRequest = (request: IncomingMessage, url: string, signal: AbortSignal): Request => {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value)
  }
  return new Request(new URL(request.url ?? "/mcp", url), { method: request.method ?? "GET", headers, signal })
}

/** Passes a stream on as fast as its reader takes it. `McpHttp` ends the stream of a reader that is too far behind. */
const stream = (body: ReadableStream<Uint8Array>, response: ServerResponse): Effect.Effect<void> =>
  Effect.callback((resume) => {
    pipeline(Readable.fromWeb(body), response, () => resume(Effect.void))
  })

const send = (web: Response, response: ServerResponse): Effect.Effect<void> => {
  const headers = { ...responseHeaders, ...Object.fromEntries(web.headers) }
  if (web.body !== null && web.headers.get("content-type")?.startsWith("text/event-stream") === true) {
    response.writeHead(web.status, headers)
    response.flushHeaders()
    return stream(web.body as ReadableStream<Uint8Array>, response)
  }
  return Effect.map(Effect.promise(() => web.text()), (text) => {
    response.writeHead(web.status, { ...headers, "content-length": Buffer.byteLength(text) })
    response.end(text)
  })
}

/** Serves `/mcp` from the moment the routes answer. */
export const layer = (
  { mcpAuth }: Settings
): Layer.Layer<never, never, McpHttp | Token | Listener | Lifecycle | Refusals> =>
  Layer.effectDiscard(Effect.gen(function*() {
    const mcp = yield* McpHttp
    const secret = Redacted.value(yield* Token)
    const refusals = yield* Refusals
    const { authorities, mount, url } = yield* Listener
    const lifecycle = yield* Lifecycle
    // a stop is no caller's leaving: MCP is told of it before the first connection is cut
    yield* Effect.forkScoped(Effect.andThen(lifecycle.stopping, Effect.sync(mcp.stop)))
    const run = Effect.runForkWith(yield* Effect.context())

    const serve = Effect.fnUntraced(function*(request: IncomingMessage, response: ServerResponse, caller: Caller) {
      const body = request.method === "POST" ? yield* bodyOf(request) : { _tag: "Read" as const, value: undefined }
      if (body._tag === "Refused") return fail(response, body)
      const gone = new AbortController()
      response.once("close", () => {
        // an answer that was taken whole has nobody left to tell
        if (!response.writableFinished) gone.abort()
      })
      const web = yield* Effect.promise(() => mcp.handle(webRequest(request, url, gone.signal), body.value, caller))
      if (!response.destroyed) yield* send(web, response)
    }, Effect.catchCause((cause) => Effect.logError("A request to /mcp failed unexpectedly", cause)))

    mount("/mcp", (request, response) => {
      const refused = refusal(request.headers, authorities)
      if (refused !== undefined) {
        return fail(response, { status: ApiError.statusOf(refused), code: -32000, message: refused.error.message })
      }
      const caller = callerOf(mcpAuth, secret, request.headers.authorization)
      if (caller === undefined) {
        if (request.headers.authorization !== undefined) refusals.wrongToken("mcp")
        return fail(response, unauthorized)
      }
      if (lifecycle.phase() !== "ready") return fail(response, stopping)
      run(Effect.ensuring(
        serve(request, response, caller),
        Effect.sync(() => response.headersSent ? undefined : fail(response, { ...stopping, message: "Internal error" }))
      ))
    })
  }))
