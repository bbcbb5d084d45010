/**
 * A bank that charges: a server of either revision whose replies a test loses, on real sockets.
 *
 * It knows no idempotency key. What it charged it can be asked for, by the tool `find`.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Generation } from "../../src/McpClient.ts"

/** What becomes of the reply to a charge: it comes, its connection breaks, or nothing is ever heard. */
type Fate = "answered" | "broken" | "silent"

type Handler = (params: any) => object | undefined

const object = { type: "object" } as const

export class Bank {
  /** Orders that were charged, in turn. */
  readonly charged: Array<string> = []
  fate: Fate = "answered"
  /** Whether a call that comes now charges before its reply is lost. */
  charges = true
  /** The tool that looks is out of order. */
  isBlind = false
  /** Everything that comes is taken, and nothing is answered. */
  isSilent = false
  /** Calls of each tool. */
  readonly calls: Record<string, number> = {}
  readonly generation: Generation
  url = ""
  /** As they came. */
  readonly methodsSeen: Array<string> = []
  /** Takes no more connections; what stands, stands. */
  vanish: () => void = () => {}
  private readonly waiting: Array<() => void> = []

  constructor(generation: Generation) {
    this.generation = generation
  }

  async called(tool: string, times = 1): Promise<void> {
    while ((this.calls[tool] ?? 0) < times) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** Waits until it has been asked whether it is there so often from now on. */
  async pinged(times: number): Promise<void> {
    const method = this.generation === "2025-11-25" ? "ping" : "server/discover"
    const before = this.methodsSeen.length
    const seen = () => this.methodsSeen.slice(before).filter((one) => one === method).length
    while (seen() < times) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  private text(value: unknown, isError = false): object {
    return this.complete({ content: [{ type: "text", text: JSON.stringify(value) }], isError })
  }

  private complete(value: object): object {
    return this.generation === "2025-11-25" ? value : { resultType: "complete", ...value }
  }

  private readonly methods: Readonly<Record<string, Handler>> = {
    "initialize": () => ({
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "bank", version: "1" }
    }),
    "server/discover": () =>
      this.generation === "2025-11-25" ? undefined : this.complete({
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {} }
      }),
    "ping": () => this.complete({}),
    "tools/list": () =>
      this.complete({
        tools: [{ name: "charge", inputSchema: object }, { name: "find", inputSchema: object }]
      }),
    "tools/call": ({ arguments: args, name }) => {
      if (name === "find") return this.found(args)
      if (this.charges) this.charged.push(args.order)
      return this.text({ receipt: args.order })
    }
  }

  private found({ reference }: { readonly reference?: string }): object {
    if (this.isBlind) return this.text("out of order", true)
    return this.text({ charge: this.charged.includes(reference!) ? { receipt: reference } : null })
  }

  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== "POST") return void response.writeHead(405).end()
    const { id, method, params } = JSON.parse(Buffer.concat(await request.toArray()).toString())
    this.methodsSeen.push(method)
    const isCharge = method === "tools/call" && params.name === "charge"
    const result = this.isSilent ? undefined : this.methods[method]?.(params)
    if (method === "tools/call") this.calls[params.name] = (this.calls[params.name] ?? 0) + 1
    for (const wake of this.waiting.splice(0)) wake()
    if (this.isSilent || isCharge && this.fate === "silent") return
    if (isCharge && this.fate === "broken") return void request.socket.destroy()
    if (id === undefined) return void response.writeHead(202).end()
    const reply = result === undefined ? { error: { code: -32_601, message: "Method not found" } } : { result }
    response.writeHead(200, { "content-type": "application/json" })
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...reply }))
  }
}

/** Open until the scope closes. */
export const open = (generation: Generation): Effect.Effect<Bank, never, Scope.Scope> =>
  Effect.gen(function*() {
    const bank = new Bank(generation)
    const server = createServer((request, response) => void bank.handle(request, response).catch(() => response.end()))
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(() => {
          server.closeAllConnections()
          return new Promise((resolve) => server.close(resolve))
        })
    )
    bank.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
    bank.vanish = () => void server.close()
    return bank
  })
