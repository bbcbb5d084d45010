/**
 * `/mcp`: checks who comes and how large a body is, then hands the request to `McpHttp` in the web's own types.
 */
import { McpHttp } from "@coppice/mcp/McpHttp"
import type { Caller } from "@coppice/mcp/McpServer"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Readable } from "node:stream"
import type { ReadableStream } from "node:stream/web"
import { bodyOf } from "./Guard.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { Listener } from "./Listener.ts"
import { isSame, Token } from "./Security.ts"
import type { McpAuth, Settings } from "./Settings.ts"

const failure = (status: number, code: number, message: string, headers: Record<string, string> = {}) =>
  HttpServerResponse.jsonUnsafe({ jsonrpc: "2.0", id: null, error: { code, message } }, { status, headers })

const unauthorized = failure(
  401,
  -32000,
  "This needs the service's token: send Authorization: Bearer with the token of service.json, or use `coppice mcp`",
  { "www-authenticate": "Bearer" }
)

const stopping = failure(503, -32603, "The service is stopping", { "retry-after": "2" })

/** Who calls: the holder of the token, or, where the settings ask for none, any program of this machine. */
const callerOf = (auth: McpAuth, secret: string, authorization: string | undefined): Caller | undefined => {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1]
  if (given !== undefined && isSame(given, secret)) return { principal: "local", isIdentified: true, by: "mcp" }
  return auth === "none" && given === undefined ? { principal: "mcp", isIdentified: false, by: "mcp" } : undefined
}

/** The request in the web's types, without its body, which has been read. */
const webRequest = (request: HttpServerRequest, url: string, signal: AbortSignal): Request =>
  new Request(new URL(request.url, url), { method: request.method, headers: request.headers, signal })

/** A stream is passed on piece by piece; everything else is one text. */
const toServerResponse = async (response: Response) => {
  const { body, status } = response
  const headers = Object.fromEntries(response.headers)
  if (body === null) return HttpServerResponse.empty({ status, headers })
  return headers["content-type"]?.includes("text/event-stream") === true
    ? HttpServerResponse.raw(Readable.fromWeb(body as ReadableStream<Uint8Array>), { status, headers })
    : HttpServerResponse.text(await response.text(), { status, headers, contentType: headers["content-type"] })
}

/** A stop is no caller's leaving: MCP is told of it before the first connection is cut. */
const stop = Layer.effectDiscard(Effect.gen(function*() {
  const mcp = yield* McpHttp
  yield* Effect.forkScoped(Effect.andThen((yield* Lifecycle).stopping, Effect.sync(mcp.stop)))
}))

const route = ({ mcpAuth }: Settings) =>
  HttpRouter.add(
    "*",
    "/mcp",
    Effect.gen(function*() {
      const mcp = yield* McpHttp
      const secret = Redacted.value(yield* Token)
      const { url } = yield* Listener
      const lifecycle = yield* Lifecycle
      const request = yield* HttpServerRequest
      const caller = callerOf(mcpAuth, secret, request.headers["authorization"])
      if (caller === undefined) return unauthorized
      if (lifecycle.phase() !== "ready") return stopping
      const body = request.method === "POST" ? yield* bodyOf(request) : { _tag: "Read" as const, value: undefined }
      if (body._tag === "Refused") return failure(body.status, body.code, body.message)
      const controller = new AbortController()
      return yield* Effect.promise(async () =>
        toServerResponse(await mcp.handle(webRequest(request, url, controller.signal), body.value, caller))
      ).pipe(Effect.onInterrupt(() => Effect.sync(() => controller.abort())))
    })
  )

export const layer = (settings: Settings) => Layer.merge(route(settings), stop)
