/**
 * The raw baseline of the wire: a bare server of the official SDK that answers with constants. Prints its address.
 */
import { toNodeHandler } from "@modelcontextprotocol/node"
import { createMcpHandler, Server } from "@modelcontextprotocol/server"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const loose = {
  "~standard": { version: 1 as const, vendor: "bench", validate: (value: unknown) => ({ value }) }
}
const at = "2026-01-01T00:00:00.000Z"
const task = { taskId: "x", status: "working", createdAt: at, lastUpdatedAt: at, ttlMs: null, pollIntervalMs: 250 }
const result = { content: [{ type: "text", text: "1" }] }

const handler = createMcpHandler(() => {
  const capabilities = { tools: {}, extensions: { "io.modelcontextprotocol/tasks": {} } }
  const server = new Server({ name: "bare", version: "1" }, { capabilities })
  server.setRequestHandler("tasks/get" as never, { params: loose, result: loose } as never, (async () => task) as never)
  server.fallbackRequestHandler = async () => result
  return server
}, { legacy: "reject" })

const http = createServer(toNodeHandler(handler) as never)
http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(http.address() as AddressInfo).port}`))
