/**
 * A server whose every answer a test makes up, and which remembers what it was sent; over HTTP or a pipe.
 *
 * Over a pipe the client starts a child that only carries bytes (`programs/relay.ts`), so the script stays here.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { type AddressInfo, createServer as createPipe, type Server, type Socket } from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Endpoint } from "../../src/McpClient.ts"
import type { Wire } from "./Bench.ts"
import type { Message } from "./Inbox.ts"

const relay = fileURLToPath(new URL("../programs/relay.ts", import.meta.url))

/** A result or an error; nothing for what has no reply, and for what is never answered. */
export type Reply = { readonly result: object } | {
  readonly error: { readonly code: number; readonly message: string }
}
export type Script = (message: Message) => Reply | undefined

interface Came {
  readonly message: Message
  /** Milliseconds of a clock that only goes forward. */
  readonly at: number
}

export class ScriptedServer {
  readonly endpoint: Endpoint
  private readonly record: Record

  constructor(endpoint: Endpoint, record: Record) {
    this.endpoint = endpoint
    this.record = record
  }

  /** What came under this method, in order. */
  of(method: string): ReadonlyArray<Came> {
    return this.record.came.filter(({ message }) => message.method === method)
  }

  /** Waits until so many of a method have come. */
  has(method: string, times = 1): Effect.Effect<void> {
    return Effect.promise(() => this.record.until(() => this.of(method).length >= times))
  }
}

class Record {
  readonly came: Array<Came> = []
  private readonly waiting: Array<() => void> = []

  add(message: Message): void {
    this.came.push({ message, at: performance.now() })
    for (const wake of this.waiting.splice(0)) wake()
  }

  async until(look: () => boolean): Promise<void> {
    while (!look()) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }
}

type Answer = (message: Message) => object | undefined

const overHttp = (answer: Answer) => {
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== "POST") return void response.writeHead(405).end()
    const message: Message = JSON.parse(Buffer.concat(await request.toArray()).toString())
    const reply = answer(message)
    if (message.id === undefined) return void response.writeHead(202).end()
    // what is never answered stays open
    if (reply !== undefined) response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(reply))
  }
  const server = createServer((request, response) => void handle(request, response))
  return { server, close: () => server.closeAllConnections() }
}

const overPipe = (answer: Answer) => {
  const sockets = new Set<Socket>()
  const server = createPipe((socket) => {
    sockets.add(socket)
    createInterface(socket.on("error", () => {})).on("line", (line) => {
      const reply = answer(JSON.parse(line))
      if (reply !== undefined) socket.write(`${JSON.stringify(reply)}\n`)
    })
  })
  return { server, close: () => sockets.forEach((socket) => socket.destroy()) }
}

const endpointOf = (wire: Wire, server: Server): Endpoint => {
  const { port } = server.address() as AddressInfo
  return wire === "HTTP"
    ? { _tag: "Http", url: `http://127.0.0.1:${port}/mcp` }
    : { _tag: "Stdio", command: process.execPath, args: [relay, String(port)], shutdown: 200 }
}

/** Serves until the scope closes. */
export const make = (wire: Wire, script: Script): Effect.Effect<ScriptedServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const record = new Record()
    const answer: Answer = (message) => {
      record.add(message)
      const reply = script(message)
      return reply === undefined ? undefined : { jsonrpc: "2.0", id: message.id, ...reply }
    }
    const { close, server } = wire === "HTTP" ? overHttp(answer) : overPipe(answer)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(() => {
          close()
          return new Promise((resolve) => server.close(resolve))
        })
    )
    return new ScriptedServer(endpointOf(wire, server), record)
  })
