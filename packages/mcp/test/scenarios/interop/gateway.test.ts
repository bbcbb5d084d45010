/**
 * The gateway between two programs nobody here wrote: the official client of 2025-11-25 and the reference server.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it, onTestFinished } from "vitest"

const bin = fileURLToPath(new URL("../../../../../apps/cli/bin/coppice.mjs", import.meta.url))
const everything = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))

/** A folder for the gateway's tasks; the service behind it goes with the test. */
const folder = (): string => {
  const data = mkdtempSync(join(tmpdir(), "coppice-gateway-"))
  onTestFinished(() => {
    process.kill(JSON.parse(readFileSync(join(data, "service.json"), "utf8")).pid, "SIGKILL")
    rmSync(data, { recursive: true, force: true, maxRetries: 5 })
  })
  return data
}

const connect = async (data: string): Promise<Client> => {
  const client = new Client({ name: "host", version: "1" }, { capabilities: { tasks: {} } })
  const server = ["--", process.execPath, everything, "stdio"]
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, "gateway", "--data", data, ...server],
      stderr: "ignore"
    })
  )
  onTestFinished(() => client.close())
  return client
}

const textOf = (result: unknown): string =>
  (result as { readonly content: ReadonlyArray<{ readonly text: string }> }).content[0]!.text

describe("a gateway", () => {
  it("passes tools on as they are, and gives them tasks", async () => {
    const client = await connect(folder())
    const { tools } = await client.listTools()
    const echo = tools.find(({ name }) => name === "echo")
    assert.strictEqual(echo?.execution?.taskSupport, "optional")
    assert.deepStrictEqual(echo?.inputSchema.required, ["message"])
    assert.strictEqual(textOf(await client.callTool({ name: "echo", arguments: { message: "hi" } })), "Echo: hi")

    const call = { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 2 } }
    const seen: Array<string> = []
    let reports = 0
    const onprogress = () => void reports++
    const stream = client.experimental.tasks.callToolStream(call, CallToolResultSchema, { task: {}, onprogress })
    for await (const message of stream) {
      seen.push(message.type)
      if (message.type === "result") assert.match(textOf(message.result), /^Long running operation completed/)
    }
    assert.deepStrictEqual([seen[0], seen.at(-1)], ["taskCreated", "result"])
    assert.isAtLeast(reports, 1)
  }, 60_000)

  it("finds a task again after its host has gone", async () => {
    const data = folder()
    const first = await connect(data)
    const call = { name: "trigger-long-running-operation", arguments: { duration: 3, steps: 1 } }
    const stream = first.experimental.tasks.callToolStream(call, CallToolResultSchema, { task: {} })
    const created = (await stream.next()).value
    assert(created !== undefined && created.type === "taskCreated")
    await first.close()
    const second = await connect(data)
    const result = await second.experimental.tasks.getTaskResult(created.task.taskId, CallToolResultSchema)
    assert.match(textOf(result), /^Long running operation completed/)
  }, 60_000)
})
