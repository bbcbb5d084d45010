/**
 * A session of MCP 2025-11-25 written by hand, so that a case measures the server and not a client.
 */
import { createInterface } from "node:readline"
import type { Wire } from "./Wire.ts"

type Pool = Wire["pool"]

const revision = "2025-11-25"
const initialize = { protocolVersion: revision, capabilities: {}, clientInfo: { name: "bench", version: "1" } }

/** The message in an answer, which is JSON or the last event of a stream. */
const messageIn = (text: string): any =>
  JSON.parse(text.startsWith("{") ? text : text.split("\n").findLast((line) => line.startsWith("data:"))!.slice(5))

export class Session {
  private readonly pool: Pool
  private readonly headers: Record<string, string>

  private constructor(pool: Pool, headers: Record<string, string>) {
    this.pool = pool
    this.headers = headers
  }

  static async begin(pool: Pool, token: string): Promise<Session> {
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": revision
    }
    const begun = await new Session(pool, headers).send(0, "initialize", initialize)
    await begun.body.text()
    return new Session(pool, { ...headers, "mcp-session-id": String(begun.headers["mcp-session-id"]) })
  }

  /** The answer as it comes, its body unread. */
  send(id: number, method: string, params: object) {
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params })
    return this.pool.request({ path: "/mcp", method: "POST", headers: this.headers, body })
  }

  /** The result of a request. */
  async ask(id: number, method: string, params: object): Promise<any> {
    const { body } = await this.send(id, method, params)
    const { error, result } = messageIn(await body.text())
    if (error !== undefined) throw new Error(`refused: ${JSON.stringify(error)}`)
    return result
  }

  /** Hears what the server says by itself, until the pool is closed. */
  async stand(hear: (message: any) => void): Promise<void> {
    const { body } = await this.pool.request({ path: "/mcp", method: "GET", headers: this.headers })
    const lines = createInterface({ input: body })
    // the stream ends with its pool
    lines.on("error", () => {})
    lines.on("line", (line) => {
      if (line.startsWith("data:") && line.length > 6) hear(JSON.parse(line.slice(5)))
    })
  }
}
