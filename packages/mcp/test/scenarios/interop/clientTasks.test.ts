/**
 * A client that hosts tasks of its own: what an agent asks of its model becomes a task there (2025-11-25).
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks/index.js"
import { CallToolResultSchema, CreateMessageRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

const reply = { role: "assistant", content: { type: "text", text: "sampled" }, model: "m" } as const

const connect = async (service: Service, asked: Array<unknown>): Promise<Client> => {
  const taskStore = new InMemoryTaskStore()
  const tasks = { list: {}, cancel: {}, requests: { sampling: { createMessage: {} } } }
  const client = new Client({ name: "host", version: "1" }, { capabilities: { sampling: {}, tasks }, taskStore })
  client.setRequestHandler(CreateMessageRequestSchema, async ({ params }, { taskStore }) => {
    asked.push(params.task)
    const task = await taskStore!.createTask({ ttl: 60_000, pollInterval: 20 })
    setImmediate(() => void taskStore!.storeTaskResult(task.taskId, "completed", reply))
    return { task }
  })
  await client.connect(
    new StreamableHTTPClientTransport(service.mcp, { requestInit: { headers: service.headers } })
  )
  onTestFinished(() => client.close())
  return client
}

describe("a client that hosts tasks", () => {
  it("is asked through them, in a call and inside a task", async () => {
    const asked: Array<unknown> = []
    const client = await connect(await Service.start(), asked)
    await client.listTools()
    const call = { name: "test_sampling", arguments: { prompt: "x" } }
    const plain = await client.callTool(call)
    assert.deepStrictEqual(plain["content"], [{ type: "text", text: "LLM response: sampled" }])
    for await (const message of client.experimental.tasks.callToolStream(call, CallToolResultSchema, { task: {} })) {
      if (message.type !== "result") continue
      assert.deepStrictEqual(message.result.content, [{ type: "text", text: "LLM response: sampled" }])
    }
    assert.deepStrictEqual(asked, [{}, {}])
  }, 30_000)
})
