/**
 * `@modelcontextprotocol/ext-tasks`, the official requester of tasks, against our service: 2026-07-28 with a dispatcher
 * below the SDK, which cannot carry a task itself, and 2025-11-25.
 */
import {
  Client,
  type JSONRPCMessage,
  StreamableHTTPClientTransport,
  type Transport
} from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import {
  createApplicationInputHandler,
  createTaskSessionFromClient,
  type RawClientDispatch,
  resultFromTaskOutcome,
  toolDeclarationFromMcpTool
} from "@modelcontextprotocol/ext-tasks/client"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

type Way = "HTTP" | "stdio"

const shared = Service.shared()
type Era = "2025-11-25" | "2026-07-28"

type Answer = (message: string) => Promise<Readonly<Record<string, string | boolean>>>

const yes: Answer = async () => ({ confirm: true })

interface Reply {
  readonly id?: unknown
  readonly result?: object
  readonly error?: { readonly code: number; readonly message: string }
}

interface Sent {
  readonly method: string
  readonly params: { readonly name?: string }
}

const outcomeOf = ({ error, result }: Reply) =>
  (error === undefined ? { kind: "result", result } : { kind: "error", error }) as Awaited<
    ReturnType<RawClientDispatch>
  >

/** Sends requests of 2026-07-28 beside the SDK's own, on the same address. */
const dispatchOverHttp = (service: Service): RawClientDispatch => {
  let last = 0
  return async (sent, options) => {
    const request = sent as unknown as Sent
    const headers = new Headers({
      ...service.headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": request.method
    })
    const { name } = request.params
    if (name !== undefined) headers.set("mcp-name", name)
    for (const [key, value] of Object.entries(options?.context?.headers ?? {})) headers.set(key, value)
    const response = await service.fetch(service.mcp, {
      method: "POST",
      headers,
      body: JSON.stringify({ jsonrpc: "2.0", id: `raw-${last++}`, ...request }),
      signal: options?.signal ?? null
    })
    const text = await response.text()
    const isStream = response.headers.get("content-type")?.includes("event-stream") === true
    const data = isStream ? text.split("\n").findLast((line) => line.startsWith("data: {"))!.slice(6) : text
    return outcomeOf(JSON.parse(data))
  }
}

/** A pipe the SDK shares with a dispatcher: what answers the dispatcher's requests is kept from the SDK. */
class SharedPipe implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: NonNullable<Transport["onmessage"]>
  private readonly inner: StdioClientTransport
  private readonly waiting = new Map<string, (reply: Reply) => void>()
  private last = 0

  constructor(inner: StdioClientTransport) {
    this.inner = inner
  }

  async start(): Promise<void> {
    this.inner.onclose = () => this.onclose?.()
    this.inner.onerror = (error) => this.onerror?.(error)
    this.inner.onmessage = (message) => {
      const reply = message as Reply
      const taken = typeof reply.id === "string" ? this.waiting.get(reply.id) : undefined
      if (taken === undefined) this.onmessage?.(message)
      else taken(reply)
    }
    await this.inner.start()
  }

  send(message: JSONRPCMessage): Promise<void> {
    return this.inner.send(message)
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  readonly dispatch: RawClientDispatch = async (sent) => {
    const request = sent as unknown as Sent
    const id = `raw-${this.last++}`
    const { promise, resolve } = Promise.withResolvers<Reply>()
    this.waiting.set(id, resolve)
    await this.inner.send({ jsonrpc: "2.0", id, ...request })
    return outcomeOf(await promise)
  }
}

const clientInfo = { name: "ext", version: "1" }

const connect = async (service: Service, { era, way }: { era: Era; way: Way }, answer: Answer = yes) => {
  const elicitation = { form: {} }
  const client = new Client(clientInfo, {
    capabilities: { elicitation },
    versionNegotiation: { mode: era === "2025-11-25" ? "legacy" : { pin: era } }
  })
  const options = { requestInit: { headers: service.headers }, fetch: service.fetch }
  const pipe = way === "HTTP" ? undefined : new SharedPipe(new StdioClientTransport(service.pipe))
  await client.connect(pipe ?? new StreamableHTTPClientTransport(service.mcp, options))
  const { tools } = await client.listTools()
  const declared = new Map(tools.map((tool) => [tool.name, toolDeclarationFromMcpTool(tool)]))
  const onInputRequest = createApplicationInputHandler({
    elicitation: async ({ params }) => ({ action: "accept", content: await answer(params["message"] as string) }),
    sampling: async () => {
      throw new Error("no model")
    },
    roots: async () => ({ roots: [] })
  })
  const modern = {
    rawDispatch: pipe?.dispatch ?? dispatchOverHttp(service),
    v2RequestFraming: { protocolVersion: era, clientInfo, clientCapabilities: { elicitation } }
  }
  const session = createTaskSessionFromClient(client, {
    endpointId: "coppice",
    onInputRequest,
    tools: { currentTool: (name: string) => declared.get(name) },
    ...era === "2026-07-28" ? modern : {}
  })
  onTestFinished(async () => {
    await session.close().catch(() => {})
    await client.close()
  })
  return session
}

/** 2025-11-25 leaves it to the caller; 2026-07-28 does not ask. */
const task = { task: { preference: "prefer" } } as const

type Session = Awaited<ReturnType<typeof connect>>

const settle = async (session: Session, name: string, args: object): Promise<string> => {
  const execution = await session.callTool(name, args as never, task)
  const { outcome } = await execution.settle()
  const { content } = resultFromTaskOutcome(outcome) as { content: ReadonlyArray<{ text: string }> }
  return content[0]!.text
}

const ways = (["HTTP", "stdio"] as const).flatMap((way) =>
  (["2025-11-25", "2026-07-28"] as const).map((era) => ({ way, era }))
)

describe.each(ways)("ext-tasks, $era over $way", (at) => {
  it("gets the result of a task, and of a call that is none", async () => {
    const session = await connect(await shared(), at)
    assert.strictEqual(await settle(session, "greet", { name: "Ada" }), "Hello, Ada!")
    const execution = await session.callTool("slow_compute", { seconds: 0.3, label: "six" }, task)
    assert.strictEqual(execution.kind, "task")
    const { outcome } = await execution.settle()
    const { content } = resultFromTaskOutcome(outcome) as { content: ReadonlyArray<{ text: string }> }
    assert.strictEqual(content[0]!.text, "six: computed for 0.3 s")
  })

  it("is asked inside a task, each question once", async () => {
    const asked: Array<string> = []
    const session = await connect(await shared(), at, async (message) => {
      asked.push(message)
      return message === "What is your name?" ? { name: "Ada" } : { confirm: true }
    })
    assert.strictEqual(await settle(session, "multi_input", {}), "Ada: true")
    assert.sameMembers(asked, ["What is your name?", "Are you sure?"])
  })

  it("cancels a task", async () => {
    const session = await connect(await shared(), at, () => new Promise(() => {}))
    const execution = await session.callTool("slow_compute", { seconds: 60 }, task)
    assert.strictEqual(execution.kind, "task")
    if (execution.kind !== "task") return
    const settled = execution.settle()
    await execution.cancel()
    assert.strictEqual((await settled).outcome.status, "cancelled")
  })

  it("waits over a killed service, and answers after it what was asked before", async () => {
    const service = await Service.start()
    const asked = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const session = await connect(service, at, async () => {
      asked.resolve()
      await gate.promise
      return { confirm: true }
    })
    const waiting = settle(session, "slow_compute", { seconds: 2, label: "over" })
    const question = settle(session, "confirm_delete", { filename: "a.txt" })
    await asked.promise
    await service.kill()
    await service.again()
    gate.resolve()
    assert.strictEqual(await question, "Deleted a.txt")
    assert.strictEqual(await waiting, "over: computed for 2 s")
  })
})
