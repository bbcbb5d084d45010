/**
 * A server of 2025-11-25 that we did not write: the official SDK's, with its experimental tasks.
 */
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks"
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as z from "zod/v4"

const text = (text: string) => ({ content: [{ type: "text" as const, text }] })

type Result = { content: Array<{ type: "text"; text: string }>; isError?: boolean }

/** What a test sees and does by hand in one server. */
export class Controls {
  /** Calls of each tool so far. */
  readonly calls: Record<string, number> = {}
  private readonly waiting: Array<() => void> = []
  private readonly finishers: Array<(result: Result) => void> = []

  count(name: string): void {
    this.calls[name] = (this.calls[name] ?? 0) + 1
    this.changed()
  }

  /** Keeps a task open until the test ends it. */
  keep(finish: (result: Result) => void): void {
    this.finishers.push(finish)
    this.changed()
  }

  private changed(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  private async until<A>(look: () => A | undefined): Promise<A> {
    for (;;) {
      const found = look()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  /** Waits until a tool has been called so often. */
  called(name: string, times = 1): Promise<true> {
    return this.until(() => (this.calls[name] ?? 0) >= times ? true : undefined)
  }

  /** Ends the oldest task that waits for it. */
  async finish(text: string, isError = false): Promise<void> {
    const finish = await this.until(() => this.finishers.shift())
    finish({ content: [{ type: "text", text }], isError })
  }
}

interface Extra {
  readonly taskStore: any
  readonly taskRequestedTtl?: number | null
  readonly sendRequest: any
  readonly _meta?: { readonly progressToken?: string | number } | undefined
  readonly sendNotification: any
}

const registerTask = (
  mcp: McpServer,
  controls: Controls,
  name: string,
  options: { readonly interval: number; readonly run: (taskId: string, extra: Extra, args: any) => Promise<void> }
) => {
  mcp.experimental.tasks.registerToolTask(name, {
    description: `The tool ${name}`,
    inputSchema: { value: z.string().optional() },
    execution: { taskSupport: name === "required" ? "required" : "optional" }
  }, {
    createTask: async (args: any, extra: any) => {
      controls.count(name)
      const task = await extra.taskStore.createTask({
        ttl: extra.taskRequestedTtl ?? 60_000,
        pollInterval: options.interval
      })
      void options.run(task.taskId, extra, args).catch(() => {})
      return { task }
    },
    getTask: async (_: any, extra: any) => extra.taskStore.getTask(extra.taskId),
    getTaskResult: async (_: any, extra: any) => extra.taskStore.getTaskResult(extra.taskId)
  })
}

const plainTools = (mcp: McpServer, controls: Controls) => {
  mcp.registerTool(
    "echo",
    { description: "Says it again", inputSchema: { value: z.string() } },
    async ({ value }) => {
      controls.count("echo")
      return text(value)
    }
  )
  mcp.registerTool("sum", {
    description: "Adds",
    inputSchema: { a: z.number(), b: z.number() },
    outputSchema: { sum: z.number() }
  }, async ({ a, b }) => ({ ...text(String(a + b)), structuredContent: { sum: a + b } }))
  mcp.registerTool("broken", { description: "Fails", inputSchema: {} }, async () => ({
    ...text("the disk is full"),
    isError: true
  }))
  mcp.registerTool("confirm", { description: "Asks first", inputSchema: {} }, async () => {
    const { action, content } = await mcp.server.elicitInput({
      mode: "form",
      message: "Go on?",
      requestedSchema: {
        type: "object",
        properties: { sure: { type: "boolean" }, why: { type: "string", default: "because" } },
        required: ["sure"]
      }
    })
    return text(JSON.stringify({ action, content }))
  })
  mcp.registerTool("steps", { description: "Reports progress", inputSchema: {} }, async (_: any, extra: any) => {
    const progressToken = extra._meta?.progressToken
    for (const progress of [1, 2]) {
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress, total: 2, message: `step ${progress}` }
      })
    }
    return text("done")
  })
  mcp.registerTool("hang", { description: "Never returns", inputSchema: {} }, (_: any, extra: any) => {
    controls.count("hang")
    return new Promise((resolve) => {
      extra.signal.addEventListener("abort", () => {
        controls.count("hang cancelled")
        resolve(text("cancelled"))
      })
    })
  })
}

const taskTools = (mcp: McpServer, controls: Controls) => {
  registerTask(mcp, controls, "quick", {
    interval: 60_000,
    run: (taskId, { taskStore }, args) => taskStore.storeTaskResult(taskId, "completed", text(`did ${args.value}`))
  })
  registerTask(mcp, controls, "manual", {
    interval: 20,
    run: (taskId, { taskStore }) =>
      new Promise((resolve) => {
        controls.keep((result) =>
          resolve(taskStore.storeTaskResult(taskId, result.isError === true ? "failed" : "completed", result))
        )
      })
  })
  registerTask(mcp, controls, "name", {
    interval: 20,
    run: async (taskId, { sendRequest, taskStore }) => {
      await taskStore.updateTaskStatus(taskId, "input_required", "I need a name")
      const request = {
        method: "elicitation/create",
        params: {
          mode: "form",
          message: "Your name?",
          requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] }
        }
      }
      const answer = await sendRequest(request, ElicitResultSchema, { relatedTask: { taskId } })
      await taskStore.updateTaskStatus(taskId, "working")
      await taskStore.storeTaskResult(taskId, "completed", text(`${answer.action} ${answer.content?.name ?? ""}`))
    }
  })
}

/** One server; a session has its own. */
export const makeServer = (controls: Controls, taskStore = new InMemoryTaskStore()): McpServer => {
  const mcp = new McpServer({ name: "legacy", version: "1" }, {
    capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
    taskStore,
    taskMessageQueue: new InMemoryTaskMessageQueue()
  })
  plainTools(mcp, controls)
  taskTools(mcp, controls)
  return mcp
}

export interface LegacyHttp {
  readonly url: string
  readonly controls: Controls
  /** Requests as they came: method of HTTP, method of JSON-RPC. */
  readonly requests: Array<string>
  /** Called with each request before it is handled; true when it has been answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse, body: any) => boolean) | undefined
  readonly close: () => Promise<void>
  /** Drops every session, as a restart would. */
  readonly forget: () => void
}

const read = async (request: IncomingMessage): Promise<any> => {
  let body = ""
  for await (const chunk of request) body += chunk
  return body === "" ? undefined : JSON.parse(body)
}

/** The server over Streamable HTTP with sessions. */
export const listen = async (): Promise<LegacyHttp> => {
  const controls = new Controls()
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const requests: Array<string> = []
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport)
    })
    await makeServer(controls).connect(transport)
    return transport
  }
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = request.method === "POST" ? await read(request) : undefined
    requests.push(`${request.method} ${body?.method ?? (body === undefined ? "" : "reply")}`)
    if (legacy.intercept?.(request, response, body) === true) return
    const id = request.headers["mcp-session-id"] as string | undefined
    const known = id === undefined ? undefined : sessions.get(id)
    if (id !== undefined && known === undefined) {
      response.writeHead(404, { "content-type": "application/json" })
      response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32_001, message: "Session not found" } }))
      return
    }
    const transport = known ?? await open()
    await transport.handleRequest(request, response, body)
  }
  const server: Server = createServer((request, response) => void handle(request, response).catch(() => response.end()))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const legacy: LegacyHttp = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    controls,
    requests,
    intercept: undefined,
    forget: () => sessions.clear(),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
  return legacy
}
