/**
 * The sessions of MCP 2025-11-25 over HTTP. A session is a row: its `initialize` request and whose it is. What it needs
 * in memory is made again from that row whenever a request names it, also after a restart.
 */
import type { TaskLog } from "@coppice/task/TaskLog"
import type { TaskStore } from "@coppice/task/TaskStore"
import {
  isInitializeRequest,
  type Server,
  WebStandardStreamableHTTPServerTransport
} from "@modelcontextprotocol/server"
import * as Predicate from "effect/Predicate"
import { randomBytes } from "node:crypto"
import type { Caller } from "../../McpServer.ts"
import type { Door } from "../server/Door.ts"
import type { Run } from "../server/Runner.ts"
import { isStream, toJson, watched } from "../server/sse.ts"
import { make, standingOf } from "./server.ts"
import type { Session } from "./Session.ts"

const kind = "mcp-session"

/** How long a session may lie unused before it is forgotten, milliseconds. */
const lifetime = 30 * 24 * 60 * 60 * 1000

/** Sessions in memory; the least recently used of those nobody is connected to gives way. */
const mostLive = 1_000

interface Row {
  readonly principal: string
  readonly initialize: unknown
}

interface Live {
  readonly id: string
  readonly principal: string
  readonly server: Server
  readonly session: Session
  readonly transport: WebStandardStreamableHTTPServerTransport
  /** Streams and requests under way, the standing stream among them. */
  busy: number
  /** The ids of those requests: the SDK would answer two of one id on one stream, and leave the other open for ever. */
  readonly underWay: Set<RequestId>
}

const failure = (status: number, code: number, message: string): Response =>
  Response.json({ jsonrpc: "2.0", id: null, error: { code, message } }, { status })

const notFound = () => failure(404, -32001, "Session not found")

/** Answers to these are one message, and no stream (2025-11-25, tasks: servers should not upgrade `tasks/get`). */
const isShort = (body: unknown): boolean =>
  Predicate.hasProperty(body, "method") && typeof body.method === "string" &&
  /^tasks\/(get|list|cancel)$/.test(body.method)

type RequestId = string | number

/** The id of a request. */
const requestIdOf = (body: unknown): RequestId | undefined =>
  Predicate.hasProperty(body, "method") && Predicate.hasProperty(body, "id") ? body.id as RequestId : undefined

export class Sessions {
  private readonly live = new Map<string, Live>()
  private readonly reviving = new Map<string, Promise<Live | undefined>>()
  private readonly door: (caller: Caller) => Door
  private readonly log: TaskLog["Service"]
  private readonly store: TaskStore["Service"]
  private readonly run: Run

  constructor(services: {
    readonly door: (caller: Caller) => Door
    readonly log: TaskLog["Service"]
    readonly store: TaskStore["Service"]
    readonly run: Run
  }) {
    this.door = services.door
    this.log = services.log
    this.store = services.store
    this.run = services.run
  }

  get size(): number {
    return this.live.size
  }

  /** Tasks they follow. */
  get followed(): number {
    return [...this.live.values()].reduce((sum, { session }) => sum + session.size, 0)
  }

  async handle(request: Request, body: unknown, caller: Caller): Promise<Response> {
    const id = request.headers.get("mcp-session-id")
    if (id === null) {
      if (isInitializeRequest(body)) return this.begin(request, body, caller)
      return failure(400, -32000, "Bad Request: Mcp-Session-Id header is required")
    }
    const live = this.live.get(id) ?? await this.revive(id, caller)
    if (live === undefined || live.principal !== caller.principal) return notFound()
    this.live.delete(id)
    this.live.set(id, live)
    return this.serve(live, request, body)
  }

  private async serve(live: Live, request: Request, body: unknown): Promise<Response> {
    const id = requestIdOf(body)
    if (id !== undefined && live.underWay.has(id)) return failure(400, -32600, "A request with this id is under way")
    live.busy++
    if (id !== undefined) live.underWay.add(id)
    const over = (): void => {
      live.busy--
      if (id !== undefined) live.underWay.delete(id)
    }
    const response = await live.transport.handleRequest(request, body === undefined ? {} : { parsedBody: body })
    if (isShort(body)) return toJson(response).finally(over)
    if (!isStream(response)) {
      over()
      return response
    }
    if (request.method === "GET") return this.stand(live, response, over)
    // a client that has gone away is answered no more, and its calls are over
    return watched(response, (isGone) => {
      over()
      if (!isGone || id === undefined) return
      live.transport.onmessage?.({
        jsonrpc: "2.0",
        method: "notifications/cancelled",
        params: { requestId: id, reason: "The connection was closed" }
      })
    })
  }

  private stand(live: Live, response: Response, over: () => void): Response {
    live.session.stand(standingOf(live.server))
    return watched(response, () => {
      over()
      live.session.stand(undefined)
    })
  }

  private async connect(id: string, caller: Caller): Promise<Live> {
    const { server, session } = make(this.door(caller))
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.forget(id)
    })
    await server.connect(transport)
    return { id, principal: caller.principal, server, session, transport, busy: 0, underWay: new Set() }
  }

  private async begin(request: Request, initialize: unknown, caller: Caller): Promise<Response> {
    const live = await this.connect(randomBytes(24).toString("base64url"), caller)
    const response = await live.transport.handleRequest(request, { parsedBody: initialize })
    if (!response.ok) {
      await live.server.close()
      return response
    }
    const row: Row = { principal: caller.principal, initialize }
    await this.keep(live.id, row)
    this.add(live)
    return response
  }

  /** The session is durable before its client hears of it. */
  private async keep(id: string, row: Row): Promise<void> {
    this.log.setNote({ kind, key: id, value: JSON.stringify(row), lifetime })
    await this.run(this.log.barrier)
  }

  private add(live: Live): void {
    this.live.set(live.id, live)
    if (this.live.size <= mostLive) return
    const idle = [...this.live.values()].find(({ busy }) => busy === 0)
    if (idle !== undefined) this.drop(idle)
  }

  private drop(live: Live): void {
    this.live.delete(live.id)
    live.session.end()
    void live.server.close().catch(() => {})
  }

  private forget(id: string): void {
    const live = this.live.get(id)
    this.log.setNote({ kind, key: id, value: null })
    this.live.delete(id)
    live?.session.end()
  }

  private revive(id: string, caller: Caller): Promise<Live | undefined> {
    const known = this.reviving.get(id)
    if (known !== undefined) return known
    const revived = this.restore(id, caller).finally(() => this.reviving.delete(id))
    this.reviving.set(id, revived)
    return revived
  }

  /** Says to a new server what the client said when it began. */
  private async restore(id: string, caller: Caller): Promise<Live | undefined> {
    const text = await this.run(this.store.note(kind, id))
    if (text === undefined) return undefined
    const row: Row = JSON.parse(text)
    if (row.principal !== caller.principal) return undefined
    const live = await this.connect(id, caller)
    const headers = { accept: "application/json, text/event-stream", "content-type": "application/json" }
    const said = await live.transport.handleRequest(
      new Request("http://localhost/mcp", { method: "POST", headers }),
      { parsedBody: row.initialize }
    )
    await said.text()
    live.transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/initialized" })
    await this.keep(id, row)
    this.add(live)
    return live
  }

  async close(): Promise<void> {
    const all = [...this.live.values()]
    this.live.clear()
    for (const { session } of all) session.end()
    await Promise.all(all.map(({ server }) => server.close().catch(() => {})))
  }
}
