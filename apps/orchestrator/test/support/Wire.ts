/**
 * `/mcp` as hostile peers use it: bytes as they are, headers as they are, sockets that stop in the middle.
 */
import * as Effect from "effect/Effect"
import { type IncomingMessage, request } from "node:http"
import { connect, type Socket } from "node:net"
import { Service } from "./Service.ts"

export interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | Array<string>>
  readonly text: string
  /** The answer itself: the JSON, or the last message of a stream. */
  readonly message: any
}

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

const messageOf = (type: string, text: string): unknown => {
  const json = type.includes("text/event-stream")
    ? text.split("\n").findLast((line) => line.startsWith("data: {"))?.slice(6) ?? ""
    : text
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const readAll = async (incoming: IncomingMessage): Promise<Answer> => {
  const text = Buffer.concat(await incoming.toArray()).toString()
  const { headers, statusCode: status = 0 } = incoming
  return { status, headers, text, message: messageOf(headers["content-type"] ?? "", text) }
}

/** One request under way; nothing is read of a stream unless somebody does. */
export const open = Effect.fnUntraced(
  function*(
    options: { readonly headers: Headers; readonly body?: string | Buffer | undefined; readonly method?: string }
  ) {
    const { token, url } = yield* Service
    const all = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...options.headers
    }
    const headers = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    return yield* Effect.callback<IncomingMessage>((resume) => {
      const outgoing = request(
        `${url}/mcp`,
        { method: options.method ?? "POST", headers: headers, agent: false },
        (incoming) => resume(Effect.succeed(incoming))
      )
      outgoing.on("error", (cause) => resume(Effect.die(cause)))
      outgoing.end(options.body)
    })
  }
)

/** The whole answer. */
export const send = (options: Parameters<typeof open>[0]): Effect.Effect<Answer, never, Service> =>
  Effect.flatMap(open(options), (incoming) => Effect.promise(() => readAll(incoming)))

const tasksExtension = { "io.modelcontextprotocol/tasks": {} }

/** A request of 2026-07-28 as it should be. */
export const modern = (method: string, params: object = {}, capabilities: object = { extensions: tasksExtension }) => ({
  jsonrpc: "2.0",
  id: 1,
  method,
  params: {
    ...params,
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": capabilities,
      ...(params as { readonly _meta?: object })._meta
    }
  }
})

/** The headers that belong to it. */
export const headersOf = (message: { readonly method: string; readonly params: object }): Record<string, string> => {
  const { name, taskId, uri } = message.params as Record<string, unknown>
  const named = taskId ?? name ?? uri
  return {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": message.method,
    ...typeof named === "string" ? { "mcp-name": named } : {}
  }
}

/** Sends a good request. */
export const call = (
  method: string,
  params: object = {},
  capabilities?: object
): Effect.Effect<Answer, never, Service> => {
  const message = modern(method, params, capabilities)
  return send({ headers: headersOf(message), body: JSON.stringify(message) })
}

export const tool = (name: string, args: object, more: object = {}): Effect.Effect<Answer, never, Service> =>
  call("tools/call", { name, arguments: args, ...more })

/** A session of 2025-11-25; its headers. */
export const session = (capabilities: object = {}) =>
  Effect.map(
    send({
      headers: {},
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities, clientInfo: { name: "raw", version: "1" } }
      })
    }),
    ({ headers }) => ({
      "mcp-session-id": String(headers["mcp-session-id"]),
      "mcp-protocol-version": "2025-11-25"
    })
  )

/** A socket to the service, closed with the scope. What it reads stands in the returned text, if it reads. */
export const socket = Effect.gen(function*() {
  const { url } = yield* Service
  const { hostname, port } = new URL(url)
  return yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const made = connect(Number(port), hostname, () => resume(Effect.succeed(made)))
      // whoever is cut off learns of it by `close`
      made.on("error", () => {})
    }),
    (made) => Effect.sync(() => made.destroy())
  )
})

/** A request as bytes: its head, and what is said of its body. */
export const head = (length: number | undefined, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(Service, ({ token, url }) =>
    [
      "POST /mcp HTTP/1.1",
      `Host: ${new URL(url).host}`,
      `Authorization: Bearer ${token}`,
      "Content-Type: application/json",
      "Accept: application/json, text/event-stream",
      length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "",
      ""
    ].join("\r\n"))

/** Writes, and waits until the bytes have left. */
export const write = (to: Socket, bytes: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    to.write(bytes, () => resume(Effect.void))
  })

/** Everything the socket says until it is closed. */
export const rest = (from: Socket): Effect.Effect<string> =>
  Effect.callback((resume) => {
    let text = ""
    from.setEncoding("latin1").on("data", (chunk) => text += chunk)
    from.on("close", () => resume(Effect.succeed(text)))
  })

const clean = Object.getOwnPropertyNames(Object.prototype).join()

/** What has to hold after every case: the service works, and nobody has changed the prototype of all objects. */
export const stands = Effect.gen(function*() {
  const { fetch } = yield* Service
  const { status } = yield* fetch("/healthz")
  const { message } = yield* tool("echo", { text: "still here" })
  return status === 200 && message?.result?.content?.[0]?.text === "still here" &&
    Object.getOwnPropertyNames(Object.prototype).join() === clean
})
