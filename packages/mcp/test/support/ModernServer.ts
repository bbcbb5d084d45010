/**
 * A server of 2026-07-28 with the tasks extension, on the official SDK's primitives, as no package has one.
 *
 * It knows nothing of this package: tasks are plain objects, pushes are server-sent events written by hand.
 */
import { CLIENT_CAPABILITIES_META_KEY, createMcpHandler, ProtocolError, Server } from "@modelcontextprotocol/server"
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as z from "zod/v4"

const extension = "io.modelcontextprotocol/tasks"
const subscriptionId = "io.modelcontextprotocol/subscriptionId"

interface Task {
  readonly taskId: string
  status: string
  statusMessage?: string
  readonly createdAt: string
  lastUpdatedAt: string
  readonly ttlMs: number | null
  readonly pollIntervalMs: number
  inputRequests?: Record<string, unknown>
  result?: unknown
  error?: unknown
}

const text = (text: string) => ({ resultType: "complete", content: [{ type: "text", text }], isError: false })

/** A question, as a call and a task carry it. */
export const form = (message: string) => ({
  method: "elicitation/create",
  params: {
    mode: "form",
    message,
    requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
  }
})

/** What happens in it, and what a test does by hand. */
export class ModernTasks {
  readonly tasks = new Map<string, Task>()
  /** Methods as they came. */
  readonly requests: Array<string> = []
  /** Headers of each request. */
  readonly headers: Array<Record<string, unknown>> = []
  /** Answers as they came, by task. */
  readonly answers: Array<unknown> = []
  interval = 60_000
  /** Methods that are answered with "too busy". */
  readonly refused = new Set<string>()
  /** Whether a cancelled task stops. */
  obeys = true
  /** Whether task ids may be subscribed to. */
  pushes = true
  private readonly listeners = new Map<ServerResponse, { readonly id: unknown; readonly ids: ReadonlySet<string> }>()
  private readonly waiting: Array<() => void> = []

  /** Looks until a task is done. */
  readonly looks = new Map<string, number>()

  create(interval = this.interval): Task {
    const now = new Date().toISOString()
    const taskId = randomUUID()
    const task = {
      taskId,
      status: "working",
      createdAt: now,
      lastUpdatedAt: now,
      ttlMs: null,
      pollIntervalMs: interval
    }
    this.tasks.set(taskId, task)
    return task
  }

  find(taskId: string): Task {
    const task = this.tasks.get(taskId)
    const left = this.looks.get(taskId)
    if (left === 0) Object.assign(task!, { status: "completed", result: text("at last") })
    else if (left !== undefined) this.looks.set(taskId, left - 1)
    if (task === undefined) throw new ProtocolError(-32_602, "Failed to retrieve task: Task not found")
    return task
  }

  get last(): Task {
    return [...this.tasks.values()].at(-1)!
  }

  set(task: Task, change: Partial<Task>): void {
    Object.assign(task, change, { lastUpdatedAt: new Date().toISOString() })
    for (const [response, { id, ids }] of this.listeners) {
      if (!ids.has(task.taskId)) continue
      this.push(response, { method: "notifications/tasks", params: { ...task, _meta: { [subscriptionId]: id } } })
    }
    this.changed()
  }

  private push(response: ServerResponse, message: object): void {
    response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`)
  }

  /** Answers `subscriptions/listen`, which the SDK does not do for task ids. */
  listen(response: ServerResponse, { id, params }: any): void {
    const ids = this.pushes ? params.notifications.taskIds ?? [] : []
    response.writeHead(200, { "content-type": "text/event-stream" })
    this.push(response, {
      method: "notifications/subscriptions/acknowledged",
      params: { notifications: ids.length === 0 ? {} : { taskIds: ids }, _meta: { [subscriptionId]: id } }
    })
    this.listeners.set(response, { id, ids: new Set(ids) })
    response.on("close", () => {
      this.listeners.delete(response)
      this.changed()
    })
    this.changed()
  }

  /** Cuts every subscription. */
  cut(): void {
    for (const response of this.listeners.keys()) response.destroy()
  }

  changed(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  async until(look: (tasks: ModernTasks) => boolean): Promise<void> {
    while (!look(this)) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  get subscribed(): number {
    return this.listeners.size
  }

  count(method: string): number {
    return this.requests.filter((request) => request === method).length
  }
}

const parameters = z.looseObject({ taskId: z.string() })
const anything = z.looseObject({})

const call = (tasks: ModernTasks, { params }: any): any => {
  const task = () => ({ resultType: "task", ...tasks.create() })
  switch (params.name) {
    case "echo":
      return text(String(params.arguments.value))
    case "ask first":
      return params.requestState === "first"
        ? text(JSON.stringify(params.inputResponses))
        : { resultType: "input_required", inputRequests: { who: form("Who?") }, requestState: "first" }
    case "third look": {
      const task = tasks.create(20)
      tasks.looks.set(task.taskId, 2)
      return { resultType: "task", ...task }
    }
    case "odd":
      return { resultType: "later", content: [] }
    default:
      return task()
  }
}

/** One server over these tasks. */
export const makeServer = (tasks: ModernTasks) => {
  const server = new Server({ name: "modern", version: "1" }, {
    capabilities: { tools: {}, extensions: { [extension]: {} } }
  })
  server.setRequestHandler("tools/list", async () => ({
    tools: ["echo", "ask first", "odd", "manual", "third look"].map((name) => ({
      name,
      inputSchema: {
        type: "object" as const,
        properties: { value: { type: "string", "x-mcp-header": "Value" } }
      }
    }))
  }))
  const declared = (context: any) => {
    const capabilities = context.mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY]
    if (capabilities?.extensions?.[extension] === undefined) throw new ProtocolError(-32_021, "Missing the extension")
  }
  server.fallbackRequestHandler = async (request: any, context: any) => {
    if (request.method !== "tools/call") throw new ProtocolError(-32_601, "Method not found")
    declared(context)
    const { inputResponses, requestState } = context.mcpReq
    const state = typeof requestState === "function" ? requestState() : requestState
    return call(tasks, {
      params: { inputResponses, requestState: state, ...request.params }
    })
  }
  server.setRequestHandler("tasks/get", { params: parameters, result: anything }, async ({ taskId }: any) => ({
    ...tasks.find(taskId)
  }))
  server.setRequestHandler(
    "tasks/update",
    { params: parameters, result: anything },
    async ({ taskId }: any, context: any) => {
      const task = tasks.find(taskId)
      tasks.answers.push(context.mcpReq.inputResponses)
      const { inputRequests: _, ...rest } = task
      delete task.inputRequests
      tasks.set(task, { ...rest, status: "working" })
      return {}
    }
  )
  server.setRequestHandler("tasks/cancel", { params: parameters, result: anything }, async ({ taskId }: any) => {
    const task = tasks.find(taskId)
    const isActive = task.status === "working" || task.status === "input_required"
    if (isActive && tasks.obeys) tasks.set(task, { status: "cancelled" })
    return {}
  })
  return server
}

export interface ModernHttp {
  readonly url: string
  readonly tasks: ModernTasks
  readonly close: () => Promise<void>
}

const read = async (request: IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request) body += chunk
  return body
}

/** The server over HTTP. */
export const listen = async (tasks = new ModernTasks(), port = 0): Promise<ModernHttp> => {
  const handler = createMcpHandler(() => makeServer(tasks), { legacy: "reject" })
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await read(request)
    const message = JSON.parse(body)
    tasks.requests.push(message.method)
    tasks.headers.push(request.headers)
    tasks.changed()
    if (tasks.refused.has(message.method)) {
      response.writeHead(503).end()
      return
    }
    if (message.method === "subscriptions/listen") return tasks.listen(response, message)
    const reply = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, { method: "POST", headers: request.headers as any, body })
    )
    response.writeHead(reply.status, Object.fromEntries(reply.headers))
    response.end(await reply.text())
  }
  const server = createServer((request, response) => void handle(request, response).catch(() => response.end()))
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    tasks,
    close: async () => {
      await handler.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
