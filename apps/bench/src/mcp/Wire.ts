/**
 * Requests of MCP 2026-07-28 written by hand, so that a case measures the server and not a client.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Pool } from "undici"
import type { Place } from "./Child.ts"

const prefix = "io.modelcontextprotocol"
const meta = {
  [`${prefix}/protocolVersion`]: "2026-07-28",
  [`${prefix}/clientInfo`]: { name: "bench", version: "1" },
  [`${prefix}/clientCapabilities`]: { extensions: { [`${prefix}/tasks`]: {} } }
}

/** A request as it goes out. */
interface Outgoing {
  readonly path: string
  readonly method: "POST"
  readonly headers: Record<string, string>
  readonly body: string
}

export class Wire {
  readonly pool: Pool
  private readonly token: string

  constructor({ token, url }: Place, connections: number) {
    this.pool = new Pool(new URL(url).origin, { connections, headersTimeout: 0, bodyTimeout: 0 })
    this.token = token
  }

  /** The request, to be sent as often as wanted. */
  prepare(method: string, params: object, name: string, more: object = {}): Outgoing {
    return {
      path: "/mcp",
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        "mcp-name": name,
        ...this.token === "" ? {} : { authorization: `Bearer ${this.token}` }
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: { ...meta, ...more } } })
    }
  }

  async send(outgoing: Outgoing): Promise<any> {
    const { body } = await this.pool.request(outgoing)
    const reply = JSON.parse(await body.text())
    if (reply.error !== undefined) throw new Error(`refused: ${JSON.stringify(reply.error)}`)
    return reply.result
  }

  call(tool: string): Promise<any> {
    return this.send(this.prepare("tools/call", { name: tool, arguments: {} }, tool))
  }

  get(taskId: string): Promise<any> {
    return this.send(this.prepare("tasks/get", { taskId }, taskId))
  }

  close(): Promise<void> {
    return this.pool.destroy()
  }
}

/** A wire that is closed with its scope. */
export const wire = (place: Place, connections: number): Effect.Effect<Wire, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => new Wire(place, connections)), (wire) => Effect.promise(() => wire.close()))

/** Runs so many of them, so many at once. */
export const concurrently = async (count: number, atOnce: number, one: (n: number) => Promise<unknown>) => {
  let next = 0
  const lane = async () => {
    while (next < count) await one(next++)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane))
}
