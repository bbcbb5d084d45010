/**
 * Streamable HTTP for everything about calls and tasks: one POST a message, its reply as JSON or as a stream.
 *
 * The SDK's transport opens the session, keeps the standing stream and runs authorization; this one shares its session
 * and token, and hands a request over to it when the server wants authorization. A stream of 2025-11-25 that ends before
 * its reply is resumed by the id of its last event; one of 2026-07-28 is not, because closing it cancelled the request.
 */
import * as Effect from "effect/Effect"
import type { SendOptions, Wire } from "./Connection.ts"
import { brief, type McpErrorReason, messageOf } from "./errors.ts"
import { routingHeaders } from "./headers.ts"
import type { Generation } from "./meta.ts"
import type { Received, Requests } from "./Pools.ts"
import { isReply, isRequest, type RpcId, type RpcMessage, toMessage } from "./rpc.ts"
import { SseReader } from "./sse.ts"

/** What the SDK's transport knows of the session, and does with a request it has to authorize. */
interface Session {
  readonly id: () => string | undefined
  readonly version: () => string
  readonly generation: () => Generation
  readonly token: () => Promise<string | undefined>
  /** Only the SDK can send: each request has a proof of its own. */
  readonly isBound: boolean
  /** Sends through the SDK; `undefined` when there is nothing to authorize with. */
  readonly authorized:
    | ((message: RpcMessage, options: AuthorizedOptions) => Promise<void>)
    | undefined
}

export interface AuthorizedOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** The response is over, whether or not it held a reply. */
  readonly ended: () => void
}

export interface HttpWireOptions {
  readonly url: URL
  readonly pools: Requests
  readonly session: Session
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of one message. */
  readonly limit: number
  readonly receive: (message: RpcMessage, via: RpcId | undefined) => void
  readonly lost: () => void
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

type Response = Received

/** A failure with its reason in hand. */
export class Failed extends Error {
  readonly reason: McpErrorReason

  constructor(reason: McpErrorReason) {
    super(reason._tag)
    this.reason = reason
  }
}

const notConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EMFILE",
  "UND_ERR_CONNECT_TIMEOUT"
])

/** What a failed exchange means: only a connection that never stood is certain. */
export const toReason = (error: unknown): McpErrorReason => {
  if (error instanceof Failed) return error.reason
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code } = cause as { readonly code?: unknown }
    if (typeof code === "string" && notConnected.has(code)) return { _tag: "Unreachable", detail: code }
  }
  return { _tag: "OutcomeUnknown", detail: messageOf(error) }
}

interface Exchange extends SendOptions {
  readonly message: RpcMessage
  readonly id: RpcId | undefined
  readonly signal: AbortSignal
  replied: boolean
}

const resumptions = 5

export class HttpWire implements Wire {
  readonly closingCancels = true
  private readonly options: HttpWireOptions
  private readonly path: string

  constructor(options: HttpWireOptions) {
    this.options = options
    this.path = options.url.pathname + options.url.search
  }

  send(message: RpcMessage, options: SendOptions): () => void {
    const controller = new AbortController()
    const id = isRequest(message) ? message.id : undefined
    const exchange: Exchange = { ...options, message, id, signal: controller.signal, replied: false }
    this.post(exchange).catch((error: unknown) => {
      if (!controller.signal.aborted) options.failed(toReason(error))
    })
    return () => controller.abort()
  }

  private async headersOf({ headers, message }: Exchange): Promise<Record<string, string>> {
    const { session } = this.options
    const all: Record<string, string> = {
      ...this.options.headers,
      ...headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": session.version()
    }
    const token = await session.token()
    if (token !== undefined) all["authorization"] = `Bearer ${token}`
    if (session.generation() === "2026-07-28") {
      if ("method" in message) Object.assign(all, routingHeaders(message.method, message.params ?? {}))
      return all
    }
    const id = session.id()
    if (id !== undefined) all["mcp-session-id"] = id
    return all
  }

  /** Sends through the SDK, which asks for authorization on the way. */
  private async delegate(exchange: Exchange, send: NonNullable<Session["authorized"]>): Promise<void> {
    const ended = () => exchange.failed({ _tag: "OutcomeUnknown", detail: "the stream ended before the reply" })
    await send(exchange.message, { headers: exchange.headers, signal: exchange.signal, ended })
    if (exchange.id === undefined) exchange.taken()
  }

  private async post(exchange: Exchange): Promise<void> {
    const { authorized, isBound } = this.options.session
    if (isBound && authorized !== undefined) return this.delegate(exchange, authorized)
    const { pools } = this.options
    const response = await pools.lane(exchange.lane).request({
      path: this.path,
      method: "POST",
      headers: await this.headersOf(exchange),
      body: JSON.stringify(exchange.message),
      signal: exchange.signal
    })
    const { statusCode } = response
    if (statusCode === 202 || statusCode === 204) {
      await response.body.dump()
      return exchange.taken()
    }
    if (statusCode >= 200 && statusCode < 300) return this.read(exchange, response)
    return this.refused(exchange, response)
  }

  // ---------------------------------------------------------------- replies

  private async read(exchange: Exchange, response: Response): Promise<void> {
    const type = String(response.headers["content-type"] ?? "").split(";")[0]!.trim().toLowerCase()
    if (type === "text/event-stream") return this.stream(exchange, response, 0)
    if (exchange.id === undefined) {
      await response.body.dump()
      return exchange.taken()
    }
    if (type !== "application/json") {
      await response.body.dump()
      throw new Failed({ _tag: "InvalidReply", detail: `content type "${brief(type)}"` })
    }
    const parsed = parse(await this.text(response))
    for (const item of Array.isArray(parsed) ? parsed : [parsed]) this.deliver(exchange, item)
    if (!exchange.replied) throw new Failed({ _tag: "InvalidReply", detail: "the response holds no reply" })
  }

  private deliver(exchange: Exchange, value: unknown): void {
    const message = toMessage(value)
    if (message === undefined) return
    if (isReply(message) && message.id === exchange.id) exchange.replied = true
    this.options.receive(message, exchange.id)
  }

  private async text({ body, headers }: Response): Promise<string> {
    const { limit } = this.options
    const what = "A reply"
    if (Number(headers["content-length"]) <= limit) return body.text()
    let size = 0
    const chunks: Array<Buffer> = []
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) throw new Failed({ _tag: "TooLarge", what, limit })
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString("utf8")
  }

  private async stream(exchange: Exchange, response: Response, tries: number): Promise<void> {
    const { limit } = this.options
    const reader = new SseReader(limit, (event) => {
      if (event.data !== "") this.deliver(exchange, parse(event.data))
    })
    response.body.setEncoding("utf8")
    try {
      for await (const chunk of response.body as AsyncIterable<string>) {
        if (!reader.push(chunk)) throw new Failed({ _tag: "TooLarge", what: "An event", limit })
      }
    } catch (error) {
      if (error instanceof Failed || reader.lastId === undefined) throw error
    }
    if (exchange.replied) return
    const isResumable = this.options.session.generation() === "2025-11-25" && reader.lastId !== undefined
    if (!isResumable || tries >= resumptions || exchange.signal.aborted) {
      throw new Failed({ _tag: "OutcomeUnknown", detail: "the stream ended before the reply" })
    }
    this.resume(exchange, reader.lastId!, { delay: reader.retry ?? 1_000, tries: tries + 1 })
  }

  private resume(exchange: Exchange, lastId: string, { delay, tries }: { delay: number; tries: number }): void {
    const again = Effect.promise(() =>
      this.get(exchange, lastId, tries).catch((error: unknown) => {
        if (!exchange.signal.aborted) exchange.failed(toReason(error))
      })
    )
    this.options.fork(Effect.delay(again, delay))
  }

  private async get(exchange: Exchange, lastId: string, tries: number): Promise<void> {
    if (exchange.signal.aborted) return
    const { "content-type": _, ...headers } = await this.headersOf(exchange)
    const response = await this.options.pools.lane("stream").request({
      path: this.path,
      method: "GET",
      headers: { ...headers, accept: "text/event-stream", "last-event-id": lastId },
      signal: exchange.signal
    })
    if (response.statusCode === 200) return this.stream(exchange, response, tries)
    await response.body.dump()
    throw new Failed({ _tag: "OutcomeUnknown", detail: `the stream cannot be resumed (HTTP ${response.statusCode})` })
  }

  // ---------------------------------------------------------------- refusals

  private async refused(exchange: Exchange, response: Response): Promise<void> {
    const { session } = this.options
    const { statusCode: status } = response
    const text = await this.text(response)
    if (session.authorized !== undefined && (status === 401 || status === 403 || isRedirect(status))) {
      return this.delegate(exchange, session.authorized)
    }
    if (status === 401 || status === 403) throw new Failed({ _tag: "Unauthorized", detail: `HTTP ${status}` })
    if (status === 429 || status === 503) {
      throw new Failed({ _tag: "Busy", status, retryAfter: waitOf(response.headers["retry-after"]) })
    }
    // whoever serves went away first; what it had begun may go on
    if (status === 499) throw new Failed({ _tag: "OutcomeUnknown", detail: "the server gave the request up, HTTP 499" })
    const parsed = parse(text)
    if (this.isLost(status, text)) {
      this.options.lost()
      throw new Failed({ _tag: "SessionLost" })
    }
    const message = toMessage(withId(parsed, exchange.id))
    if (message !== undefined && isReply(message)) return this.deliver(exchange, message)
    if (isRedirect(status)) {
      throw new Failed({ _tag: "Http", status, detail: "it redirects; configure the address it redirects to" })
    }
    throw new Failed({ _tag: "Http", status, detail: brief(text) })
  }

  /** 404 ends a session; many servers say 400 when they do not know it. */
  private isLost(status: number, text: string): boolean {
    const { session } = this.options
    if (session.generation() !== "2025-11-25" || session.id() === undefined) return false
    return status === 404 || (status === 400 && /session|not initialized/i.test(text))
  }
}

const isRedirect = (status: number): boolean => status >= 300 && status < 400

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An error whose request could not be read has no id; on its own response there is no doubt. */
const withId = (value: unknown, id: RpcId | undefined): unknown =>
  typeof value === "object" && value !== null && "error" in value && id !== undefined ? { ...value, id } : value

/** `Retry-After` in seconds; dates are left alone, the caller's own backoff then applies. */
const waitOf = (header: string | ReadonlyArray<string> | undefined): number | undefined =>
  typeof header === "string" && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined
