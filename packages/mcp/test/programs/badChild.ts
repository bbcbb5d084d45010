/**
 * A server on a pipe that misbehaves as its argument says.
 */
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { createInterface } from "node:readline"

const mode = process.argv[2]

if (mode === "exits") process.exit(3)
if (mode === "complains") {
  process.stderr.write(`${"noise\n".repeat(200_000)}the port is taken\n`, () => process.exit(1))
  await new Promise(() => {})
}
if (mode === "stubborn") {
  process.on("SIGTERM", () => {})
  // keeps the process when its input is closed
  createServer().listen(0)
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", method: "ready", params: { pid: process.pid } })}\n`)
}
if (mode === "parent") {
  createServer().listen(0)
  const child = spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], {
    stdio: "ignore"
  })
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", method: "grandchild", params: { pid: child.pid } })}\n`)
}
if (mode === "chatty") process.stdout.write("Welcome to the server!\n\n{ not json\n")

const reply = (id: unknown, body: object) =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...body })}\n`)

const call = (id: unknown, name: string) => {
  if (name === "dies") process.exit(9)
  if (name === "floods") return process.stdout.write("x".repeat(20 * 1024 * 1024))
  if (name === "halves") return process.stdout.write(`{"jsonrpc":"2.0","id":${String(id)},"res`, () => process.exit(7))
  if (name === "stutters") {
    const text = `${JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "ok" }] } })}\n`
    for (const letter of text) process.stdout.write(letter)
    return true
  }
  if (name === "environment") {
    return reply(id, { result: { content: [{ type: "text", text: JSON.stringify(process.env) }] } })
  }
  if (name === "process") return reply(id, { result: { content: [{ type: "text", text: String(process.pid) }] } })
  return reply(id, { result: { content: [{ type: "text", text: "ok" }] } })
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === "server/discover") {
    if (mode === "allergic") process.exit(1)
    return reply(id, { error: { code: -32_601, message: "Method not found" } })
  }
  if (method === "initialize") {
    const capabilities = { tools: {} }
    return reply(id, {
      result: { protocolVersion: "2025-06-18", capabilities, serverInfo: { name: "bad", version: "1" } }
    })
  }
  if (method === "tools/list") {
    const tools = ["dies", "floods", "halves", "stutters", "environment", "process", "fine"]
    return reply(id, { result: { tools: tools.map((name) => ({ name, inputSchema: { type: "object" } })) } })
  }
  return method === "tools/call" ? call(id, params.name) : undefined
})
