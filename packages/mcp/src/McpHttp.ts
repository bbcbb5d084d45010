/**
 * MCP over Streamable HTTP, both revisions on one address: requests in, responses out, of the web's own types.
 *
 * Who may come at all (Host, Origin, token) and how large and deep a body may be is decided by whoever calls `handle`.
 */
import { createMcpHandler, isLegacyRequest, type McpHttpHandler } from "@modelcontextprotocol/server"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { problemIn } from "./internal/server/envelope.ts"
import { isStream, watched } from "./internal/server/sse.ts"
import { Sessions } from "./internal/v2025_11_25/Sessions.ts"
import { isTaskListen, TaskListener } from "./internal/v2026_07_28/listen.ts"
import * as modern from "./internal/v2026_07_28/server.ts"
import { type Caller, McpServer } from "./McpServer.ts"

export class McpHttp extends Context.Service<McpHttp, {
  /** Serves one request. `body` is its JSON, read and parsed; the request's own is not touched. */
  readonly handle: (request: Request, body: unknown, caller: Caller) => Promise<Response>
  /** The service is about to stop: subscriptions end, and what others wait for goes on without them. */
  readonly stop: () => void
  /** Sessions of 2025-11-25 in memory and the tasks they follow, streams of subscriptions, runs somebody hears of. */
  readonly open: () => {
    readonly sessions: number
    readonly followed: number
    readonly subscriptions: number
    readonly runs: number
  }
}>()("@coppice/mcp/McpHttp") {}

/** What the factory of a request's server has to know. */
interface Extra {
  readonly caller: Caller
  readonly method: string | undefined
}

/** How the SDK passes it on. */
const authInfo = (caller: Caller, body: unknown) => {
  const method = Predicate.hasProperty(body, "method") && typeof body.method === "string" ? body.method : ""
  return { token: "", clientId: caller.principal, scopes: [], extra: { caller, method } satisfies Extra }
}

const invalidRequest = (message: string): Response =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code: -32600, message } }, { status: 400 })

export const layer: Layer.Layer<McpHttp, never, McpServer> = Layer.effect(
  McpHttp,
  Effect.gen(function*() {
    const { door, facts, log, run, stop, store } = yield* McpServer
    const stateless: McpHttpHandler = createMcpHandler(({ authInfo }) => {
      const { caller, method } = authInfo!.extra as unknown as Extra
      return modern.make(door(caller), method)
    }, { legacy: "reject" })
    const sessions = new Sessions({ door, log, run, store })
    const listener = new TaskListener()
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        listener.close()
        await Promise.all([stateless.close(), sessions.close()])
      })
    )

    const handle: McpHttp["Service"]["handle"] = async (request, body, caller) => {
      const problem = request.method === "POST" ? problemIn(body) : undefined
      if (problem !== undefined) return invalidRequest(problem)
      const options = { authInfo: authInfo(caller, body), ...body === undefined ? {} : { parsedBody: body } }
      const isSession = request.method === "POST"
        ? await isLegacyRequest(request, body)
        : request.headers.has("mcp-session-id")
      if (isSession) return sessions.handle(request, body, caller)
      if (!isTaskListen(body)) {
        const response = await stateless.fetch(request, options)
        return isStream(response) ? watched(response, () => {}) : response
      }
      return listener.serve({
        door: door(caller),
        body,
        signal: request.signal,
        without: (rest) => stateless.fetch(request, { ...options, parsedBody: rest })
      })
    }
    return {
      handle,
      stop: () => {
        stop()
        listener.close()
      },
      open: () => ({
        sessions: sessions.size,
        followed: sessions.followed,
        subscriptions: listener.size,
        runs: facts.size
      })
    }
  })
)
