/**
 * How a foreign server speaks MCP: 2025-11-25 with sessions and questions on streams, or 2026-07-28 with
 * `input_required`. Written by hand, after the specification alone.
 */
import type { Json, JsonObject } from "effect/Schema"
import type { Injector } from "./injector.ts"
import type { Sender } from "./wires.ts"
import { isOver, type Order, type Run, type Workshop } from "./workshop.ts"

interface Message {
  readonly id?: string | number
  readonly method?: string
  readonly params?: JsonObject
  readonly result?: Json
}

interface Call {
  readonly message: Message
  readonly params: JsonObject
  readonly request: Request
  readonly session: string | null
  readonly order: Order
}

const keyName = "dev.coppice/idempotency-key"
const related = "io.modelcontextprotocol/related-task"
const extension = "io.modelcontextprotocol/tasks"
const sometime = "2027-01-15T08:00:00.000Z"
const poll = 500

const objectOf = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {}

const textOf = (value: unknown): string => typeof value === "string" || typeof value === "number" ? String(value) : ""

const form = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] }

const questionOf = ({ work }: Pick<Run, "work">): JsonObject => ({
  mode: "form",
  message: work.asks ?? "",
  requestedSchema: form
})

const replyTo = ({ id }: Message, result: JsonObject): JsonObject => ({ jsonrpc: "2.0", id: id ?? null, result })
const faultOf = ({ id }: Message, code: number, message: string): JsonObject => ({
  jsonrpc: "2.0",
  id: id ?? null,
  error: { code, message }
})

/** A response that says things one after the other. */
class Stream {
  readonly response: Response
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor() {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.controller = controller) })
    this.response = new Response(body, { headers: { "content-type": "text/event-stream" } })
  }

  say(message: JsonObject): void {
    this.controller?.enqueue(new TextEncoder().encode(`event: message\ndata: ${JSON.stringify(message)}\n\n`))
  }

  end(): void {
    this.controller?.close()
    this.controller = undefined
  }

  /** The connection breaks. */
  tear(): void {
    this.controller?.error(new Error("the connection broke"))
    this.controller = undefined
  }
}

export class Talk {
  private readonly workshop: Workshop
  private readonly injector: Injector
  private sessions = new Set<string>()
  private opened = 0
  private calls = 0
  /** Plain calls by session and request. */
  private readonly plain = new Map<string, Run>()

  constructor(workshop: Workshop, injector: Injector) {
    this.workshop = workshop
    this.injector = injector
  }

  forget(): void {
    this.sessions = new Set()
  }

  private get isModern(): boolean {
    return this.workshop.server.generation === "2026-07-28"
  }

  answer(request: Request, body: unknown, from: Sender): Response {
    if (request.method === "DELETE") return this.close(request)
    if (request.method !== "POST") return new Response(null, { status: 405 })
    const message = objectOf(body) as Message
    const { method, params = {} } = message
    if (!this.isModern) {
      const version = request.headers.get("mcp-protocol-version")
      if (version === "2026-07-28") {
        return Response.json(faultOf(message, -32_000, "Unsupported version"), { status: 400 })
      }
      if (method === "initialize") return this.open(message)
      if (!this.sessions.has(request.headers.get("mcp-session-id") ?? "")) {
        return Response.json(faultOf(message, -32_001, "Session not found"), { status: 404 })
      }
    }
    const session = request.headers.get("mcp-session-id")
    const order = this.orderOf(params, from.name)
    return this.heard({ message, params, request, session, order })
  }

  private orderOf(params: JsonObject, node: string): Order {
    const key = objectOf(params["_meta"])[keyName]
    const tool = textOf(params["name"])
    const isWanted = this.isModern || params["task"] !== undefined
    return {
      tool,
      input: objectOf(params["arguments"]),
      node,
      task: typeof key === "string" ? key : null,
      isTask: isWanted && this.workshop.server.tools[tool]?.isTask === true,
      slow: 0
    }
  }

  private heard(call: Call): Response {
    const { message } = call
    const { method } = message
    if (method === undefined) return this.answered(message)
    if (message.id === undefined) return this.notified(call)
    switch (method) {
      case "ping":
        return Response.json(replyTo(message, {}))
      case "server/discover":
        return Response.json(replyTo(message, this.discovery))
      case "tools/list":
        return Response.json(replyTo(message, this.listed))
      case "tools/call":
        return this.called(call)
      case "tasks/get":
      case "tasks/result":
      case "tasks/update":
      case "tasks/cancel":
        return this.asked(call, method)
      default:
        return Response.json(faultOf(message, -32_601, "Method not found"), { status: this.isModern ? 404 : 200 })
    }
  }

  // ---------------------------------------------------------------- getting acquainted

  private open(message: Message): Response {
    const session = `${this.workshop.name}-session-${++this.opened}`
    this.sessions.add(session)
    const { cancels = true } = this.workshop.server
    const tasks = { requests: { tools: { call: {} } }, ...cancels ? { cancel: {} } : {} }
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {}, tasks },
      serverInfo: { name: this.workshop.name, version: "1" }
    }
    return Response.json(replyTo(message, result), { headers: { "mcp-session-id": session } })
  }

  private close(request: Request): Response {
    this.sessions.delete(request.headers.get("mcp-session-id") ?? "")
    return new Response(null, { status: this.isModern ? 405 : 200 })
  }

  private get discovery(): JsonObject {
    return {
      resultType: "complete",
      supportedVersions: ["2026-07-28"],
      capabilities: { tools: {}, extensions: { [extension]: {} } },
      _meta: { "io.modelcontextprotocol/serverInfo": { name: this.workshop.name, version: "1" } },
      ttlMs: 3_600_000,
      cacheScope: "public"
    }
  }

  private get listed(): JsonObject {
    const tools = Object.entries(this.workshop.server.tools).map(([name, { isTask }]) => ({
      name,
      inputSchema: { type: "object" },
      ...this.isModern ? {} : { execution: { taskSupport: isTask === true ? "optional" : "forbidden" } }
    }))
    return { tools, ...this.isModern ? { resultType: "complete", ttlMs: 3_600_000, cacheScope: "public" } : {} }
  }

  // ---------------------------------------------------------------- calls

  private called(call: Call): Response {
    const { message, params } = call
    const nth = this.calls++
    if (this.workshop.server.tools[call.order.tool] === undefined) {
      return Response.json(faultOf(message, -32_602, "Unknown tool"))
    }
    // who is told 500 cannot know whether anything happened
    if (this.injector.nth("outside-error", nth) !== undefined) {
      return new Response("broken", { status: this.workshop.chance.pick([500, 503]) })
    }
    const busy = this.injector.nth("outside-429", nth)
    if (busy !== undefined) {
      return new Response("busy", { status: 429, headers: { "retry-after": String(Math.ceil(busy.millis / 1_000)) } })
    }
    const slow = this.injector.nth("outside-slow", nth)?.millis ?? 0
    const order = { ...call.order, slow }
    const asks = this.isModern && !order.isTask ? this.workshop.workOf(order.tool, order.input).asks : undefined
    const responses = objectOf(params["inputResponses"])
    if (asks !== undefined && responses["consent"] === undefined) {
      const question = { method: "elicitation/create", params: questionOf({ work: { takes: 0, asks } }) }
      const result = { resultType: "input_required", inputRequests: { consent: question }, requestState: "asked" }
      return Response.json(replyTo(message, result))
    }
    const run = this.workshop.begin(asks === undefined ? order : { ...order, answer: responses["consent"]! })
    const isLost = this.injector.nth("outside-lost-reply", nth) !== undefined
    return order.isTask ? this.created(call, run, isLost) : this.ran(call, run, isLost)
  }

  private created({ message }: Call, run: Run, isLost: boolean): Response {
    const stream = new Stream()
    const task = this.taskOf(run)
    stream.say(replyTo(message, this.isModern ? { ...task, resultType: "task" } : { task }))
    if (!isLost) {
      stream.end()
      return stream.response
    }
    const torn = new Stream()
    torn.tear()
    return torn.response
  }

  /** A plain call: its stream is open until it is over. */
  private ran({ message, request, session }: Call, run: Run, isLost: boolean): Response {
    const stream = new Stream()
    this.plain.set(`${session} ${message.id}`, run)
    if (run.status === "input_required") stream.say(this.requestOf(run))
    const finish = (): void => {
      if (isLost || run.result === undefined) return stream.tear()
      stream.say(replyTo(message, this.isModern ? { ...run.result, resultType: "complete" } : run.result))
      stream.end()
    }
    if (isOver(run)) finish()
    else this.workshop.whenChanged(run, finish)
    request.signal.addEventListener("abort", () => {
      // the older revision does not take the end of a connection for a cancellation; but nobody can answer any more
      if (this.isModern) this.workshop.giveUp(run)
      else if (run.status === "input_required") this.workshop.stop(run)
    })
    return stream.response
  }

  private requestOf(run: Run): JsonObject {
    const more = run.name === undefined ? {} : { _meta: { [related]: { taskId: run.name } } }
    return {
      jsonrpc: "2.0",
      id: `ask-${run.id}`,
      method: "elicitation/create",
      params: { ...questionOf(run), ...more }
    }
  }

  /** The answer to a question on a stream. */
  private answered({ id, result }: Message): Response {
    const run = this.workshop.asking(id)
    const { _meta: _, ...answer } = objectOf(result)
    if (run !== undefined && result !== undefined) this.workshop.hear(run, answer)
    return new Response(null, { status: 202 })
  }

  private notified({ message, params, session }: Call): Response {
    const run = message.method === "notifications/cancelled"
      ? this.plain.get(`${session} ${textOf(params["requestId"])}`)
      : undefined
    if (run !== undefined) this.workshop.giveUp(run)
    return new Response(null, { status: 202 })
  }

  // ---------------------------------------------------------------- tasks

  private taskOf({ name, status, work: { fails } }: Run): JsonObject {
    const told = !this.isModern && status === "completed" && fails === true ? "failed" : status
    const common = { taskId: name!, status: told, createdAt: sometime, lastUpdatedAt: sometime }
    return this.isModern
      ? { ...common, ttlMs: null, pollIntervalMs: poll }
      : { ...common, ttl: null, pollInterval: poll }
  }

  private asked(call: Call, method: string): Response {
    const { message, params } = call
    const run = this.workshop.find(params["taskId"])
    if (run === undefined) return Response.json(faultOf(message, -32_602, "Task not found"))
    switch (method) {
      case "tasks/get":
        return Response.json(replyTo(message, this.isModern ? this.detailed(run) : this.taskOf(run)))
      case "tasks/cancel":
        return this.cancelled(message, run)
      case "tasks/update":
        if (this.isModern) return this.updated(call, run)
        break
      case "tasks/result":
        if (!this.isModern) return this.held(message, run)
    }
    return Response.json(faultOf(message, -32_601, "Method not found"), { status: this.isModern ? 404 : 200 })
  }

  private detailed(run: Run): JsonObject {
    const { result, status } = run
    return {
      ...this.taskOf(run),
      resultType: "complete",
      ...status === "input_required"
        ? { inputRequests: { consent: { method: "elicitation/create", params: questionOf(run) } } }
        : {},
      ...result === undefined ? {} : { result: { ...result, resultType: "complete" } }
    }
  }

  private cancelled(message: Message, run: Run): Response {
    const { cancels = true } = this.workshop.server
    if (this.isModern) {
      if (cancels) this.workshop.cancel(run)
      return Response.json(replyTo(message, { resultType: "complete" }))
    }
    if (isOver(run)) return Response.json(faultOf(message, -32_602, "Cannot cancel task: it is over"))
    if (!cancels) return Response.json(faultOf(message, -32_601, "Method not found"))
    this.workshop.cancel(run)
    return run.work.stubborn === true
      ? Response.json(faultOf(message, -32_603, "The task cannot be stopped"))
      : Response.json(replyTo(message, this.taskOf(run)))
  }

  private updated({ message, params }: Call, run: Run): Response {
    const answer = objectOf(params["inputResponses"])["consent"]
    if (answer !== undefined) this.workshop.hear(run, answer)
    return Response.json(replyTo(message, { resultType: "complete" }))
  }

  /** `tasks/result` of 2025-11-25: open until the end, and the way questions take. */
  private held(message: Message, run: Run): Response {
    const stream = new Stream()
    if (run.status === "input_required") stream.say(this.requestOf(run))
    const finish = (): void => {
      const _meta = { [related]: { taskId: run.name! } }
      if (run.result === undefined) stream.say(faultOf(message, -32_603, "The task was cancelled"))
      else stream.say(replyTo(message, { ...run.result, _meta }))
      stream.end()
    }
    if (isOver(run)) finish()
    else this.workshop.whenChanged(run, finish)
    return stream.response
  }
}
