/**
 * The official client of 2025-11-25 (`@modelcontextprotocol/sdk`) against our service.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

type Way = "HTTP" | "stdio"

const shared = Service.shared()

const transportTo = (service: Service, way: Way): Transport =>
  way === "HTTP"
    ? new StreamableHTTPClientTransport(service.mcp, {
      requestInit: { headers: service.headers },
      fetch: service.fetch,
      reconnectionOptions: {
        initialReconnectionDelay: 50,
        maxReconnectionDelay: 50,
        reconnectionDelayGrowFactor: 1,
        maxRetries: 100
      }
    })
    : new StdioClientTransport(service.pipe)

type Answer = (
  request: { readonly params: { readonly message: string } }
) => Promise<{ readonly action: "accept" | "decline"; readonly content?: Record<string, boolean> }>

const connect = async (service: Service, way: Way, answer?: Answer): Promise<Client> => {
  const client = new Client({ name: "v1", version: "1" }, {
    capabilities: answer === undefined ? {} : { elicitation: { form: {} }, tasks: { requests: {} } }
  })
  if (answer !== undefined) client.setRequestHandler(ElicitRequestSchema, answer)
  await client.connect(transportTo(service, way))
  onTestFinished(() => client.close())
  return client
}

const accepted = { action: "accept", content: { confirm: true } } as const

const yes: Answer = async () => accepted

const textOf = (result: unknown): string =>
  (result as { readonly content: ReadonlyArray<{ readonly text: string }> }).content[0]!.text

/** Everything a streamed call says, until its end. */
const stream = async (client: Client, name: string, args: Record<string, unknown>) => {
  const messages: Array<any> = []
  const calls = client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, {
    task: { ttl: 60_000 }
  })
  for await (const message of calls) messages.push(message)
  return messages
}

const startTask = async (client: Client, name: string, args: Record<string, unknown>): Promise<string> => {
  const calls = client.experimental.tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, {
    task: { ttl: 60_000 }
  })
  for await (const message of calls) if (message.type === "taskCreated") return message.task.taskId
  throw new Error("no task was created")
}

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => undefined, (error: { readonly code?: unknown }) => error.code)

describe.each(["HTTP", "stdio"] as const)("the official client 1.x over %s", (way) => {
  it("lists tools with their support for tasks, prompts and resources", async () => {
    const client = await connect(await shared(), way)
    const { tools } = await client.listTools()
    const support = Object.fromEntries(tools.map(({ execution, name }) => [name, execution?.taskSupport]))
    assert.deepInclude(support, { greet: "forbidden", slow_compute: "optional", failing_job: "required" })
    const { prompts } = await client.listPrompts()
    assert.include(prompts.map(({ name }) => name), "test_simple_prompt")
    const read = await client.readResource({ uri: "test://static-text" })
    assert.strictEqual((read.contents[0] as { text: string }).text, "This is the content of the static text resource.")
  })

  it("streams a call that is a task", async () => {
    const client = await connect(await shared(), way)
    await client.listTools()
    const messages = await stream(client, "slow_compute", { seconds: 0.3, label: "six" })
    assert.deepStrictEqual([messages[0].type, messages.at(-1).type], ["taskCreated", "result"])
    assert.strictEqual(messages[0].task.status, "working")
    assert.strictEqual(textOf(messages.at(-1).result), "six: computed for 0.3 s")
  })

  it("is asked inside a task, once", async () => {
    let asked = 0
    const client = await connect(await shared(), way, async () => {
      asked++
      return accepted
    })
    await client.listTools()
    const messages = await stream(client, "confirm_delete", { filename: "a.txt" })
    assert.strictEqual(textOf(messages.at(-1).result), "Deleted a.txt")
    assert.strictEqual(asked, 1)
  })

  it("is asked during a call that is no task", async () => {
    const client = await connect(await shared(), way, yes)
    const result = await client.callTool({ name: "confirm_delete", arguments: { filename: "b.txt" } })
    assert.strictEqual(textOf(result), "Deleted b.txt")
  })

  it("cancels a task, and cannot cancel it again", async () => {
    const client = await connect(await shared(), way)
    await client.listTools()
    const id = await startTask(client, "confirm_delete", { filename: "c.txt" })
    const { tasks } = client.experimental
    assert.strictEqual((await tasks.cancelTask(id)).status, "cancelled")
    assert.strictEqual((await tasks.getTask(id)).status, "cancelled")
    assert.strictEqual(await codeOf(tasks.cancelTask(id)), -32602)
    assert.strictEqual(await codeOf(tasks.getTask(`${id.slice(0, -1)}${id.endsWith("A") ? "B" : "A"}`)), -32602)
  })

  it("lists its tasks", async () => {
    const client = await connect(await shared(), way)
    await client.listTools()
    const ids = [
      await startTask(client, "slow_compute", { seconds: 0.1 }),
      await startTask(client, "slow_compute", { seconds: 60 })
    ]
    await client.experimental.tasks.getTaskResult(ids[0]!, CallToolResultSchema)
    const { tasks } = await client.experimental.tasks.listTasks()
    assert.includeMembers(tasks.map(({ taskId }) => taskId), ids)
  })

  it("fails as the task fails", async () => {
    const client = await connect(await shared(), way)
    await client.listTools()
    const id = await startTask(client, "failing_job", {})
    const result = await client.experimental.tasks.getTaskResult(id, CallToolResultSchema)
    assert.isTrue(result.isError)
    assert.strictEqual(textOf(result), "The job failed, as it always does")
    assert.strictEqual((await client.experimental.tasks.getTask(id)).status, "failed")
    assert.strictEqual(
      await codeOf(client.request({ method: "tools/call", params: { name: "failing_job" } }, CallToolResultSchema)),
      -32601
    )
  })

  it("polls on over a killed service, and answers after it what was asked before", async () => {
    const service = await Service.start()
    const asked = Promise.withResolvers<void>()
    const answers = Promise.withResolvers<void>()
    const client = await connect(service, way, async () => {
      asked.resolve()
      await answers.promise
      return accepted
    })
    await client.listTools()
    const working = await startTask(client, "slow_compute", { seconds: 60 })
    const question = await startTask(client, "confirm_delete", { filename: "d.txt" })
    const result = client.experimental.tasks.getTaskResult(question, CallToolResultSchema).catch(() => undefined)
    await asked.promise
    await service.kill()
    await service.again()
    const { tasks } = client.experimental
    assert.strictEqual((await tasks.getTask(working)).status, "working")
    assert.strictEqual((await tasks.getTask(question)).status, "input_required")
    answers.resolve()
    const after = await tasks.getTaskResult(question, CallToolResultSchema)
    assert.strictEqual(textOf(after), "Deleted d.txt")
    assert.strictEqual((await tasks.getTask(question)).status, "completed")
    assert.strictEqual((await tasks.cancelTask(working)).status, "cancelled")
    if (way === "stdio") assert.deepStrictEqual(await result, after)
  })

  it("keeps apart what was asked before a kill and what is asked after it", async () => {
    const service = await Service.start()
    const gates = new Map([["Delete old?", Promise.withResolvers<void>()], [
      "Delete new?",
      Promise.withResolvers<void>()
    ]])
    const asked = new Map([...gates.keys()].map((message) => [message, Promise.withResolvers<void>()]))
    const client = await connect(service, way, async ({ params: { message } }) => {
      asked.get(message)!.resolve()
      await gates.get(message)!.promise
      return accepted
    })
    await client.listTools()
    const old = await startTask(client, "confirm_delete", { filename: "old" })
    await asked.get("Delete old?")!.promise
    await service.kill()
    await service.again()
    const fresh = await startTask(client, "confirm_delete", { filename: "new" })
    await asked.get("Delete new?")!.promise
    gates.get("Delete old?")!.resolve()
    const { tasks } = client.experimental
    assert.strictEqual(textOf(await tasks.getTaskResult(old, CallToolResultSchema)), "Deleted old")
    assert.strictEqual((await tasks.getTask(fresh)).status, "input_required")
    gates.get("Delete new?")!.resolve()
    assert.strictEqual(textOf(await tasks.getTaskResult(fresh, CallToolResultSchema)), "Deleted new")
  })
})
