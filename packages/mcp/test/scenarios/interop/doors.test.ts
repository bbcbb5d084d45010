/**
 * One question, every door: it is answered at one of them, once, and each of the others learns that it is over, and by whom.
 * The host of 2025-11-25 is the official client 1.x.
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import { CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

const content = { confirm: true }
const accepted = { action: "accept", content } as const

interface Message {
  readonly type: string
  readonly data: {
    readonly task: string
    readonly key: string
    readonly links?: ReadonlyArray<{ readonly url: string }>
    readonly answer?: { readonly action: string; readonly by: string }
  }
}

/** Takes the service's webhook messages. */
const receiver = async () => {
  const told: Array<Message> = []
  const server = createServer(async (request, response) => {
    told.push(JSON.parse(Buffer.concat(await request.toArray()).toString()) as Message)
    response.writeHead(204).end()
    server.emit("told")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => void server.close())
  const next = async (type: string): Promise<Message> => {
    while (true) {
      const found = told.find((message) => message.type === type)
      if (found !== undefined) return found
      await once(server, "told")
    }
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, next }
}

/** The official client 1.x, asked and holding its answer back. */
const hostOf = async (service: Service) => {
  const gate = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const withdrawn = Promise.withResolvers<string>()
  const client = new Client({ name: "v1", version: "1" }, {
    capabilities: { elicitation: { form: {} }, tasks: { requests: {} } }
  })
  client.setRequestHandler(ElicitRequestSchema, async (_request, { signal }) => {
    signal.addEventListener("abort", () => withdrawn.resolve(String(signal.reason)))
    asked.resolve()
    await gate.promise
    return accepted
  })
  await client.connect(new StreamableHTTPClientTransport(service.mcp, { requestInit: { headers: service.headers } }))
  onTestFinished(() => client.close())
  await client.listTools()
  const calls = client.experimental.tasks.callToolStream(
    { name: "confirm_delete", arguments: { filename: "a.txt" } },
    CallToolResultSchema,
    { task: { ttl: 60_000 } }
  )
  const created = Promise.withResolvers<string>()
  const result = (async () => {
    for await (const message of calls) {
      if (message.type === "taskCreated") created.resolve(message.task.taskId)
      if (message.type === "result") return (message.result as { readonly content: any }).content[0].text as string
    }
    return undefined
  })()
  const taskId = await created.promise
  await asked.promise
  return { taskId, result, answer: () => gate.resolve(), withdrawn: withdrawn.promise }
}

/** A request of 2026-07-28. */
const modern = async (service: Service, method: string, params: Record<string, unknown>) => {
  const headers = {
    ...service.headers,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    "mcp-name": String(params["taskId"])
  }
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {
      elicitation: { form: {} },
      extensions: { "io.modelcontextprotocol/tasks": {} }
    }
  }
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } })
  const response = await fetch(service.mcp, { method: "POST", headers, body })
  return (await response.json() as { readonly result: any }).result
}

const json = { "content-type": "application/json" }

/** The console's cookie. */
const cookieOf = async ({ token, url }: Service): Promise<string> => {
  const body = JSON.stringify({ token })
  const response = await fetch(`${url}/api/v1/session`, { method: "POST", headers: json, body })
  return response.headers.getSetCookie()[0]!.split(";")[0]!
}

interface World {
  readonly service: Service
  readonly host: Awaited<ReturnType<typeof hostOf>>
  readonly task: string
  readonly key: string
  /** The token of ann's link. */
  readonly link: string
}

const link = ({ link: token, service }: World, path: "open" | "answer") =>
  service.api<any>(`link/${path}`, { token, ...path === "answer" ? accepted : {} })

/** How each door answers, and whose word it is. */
const doors: ReadonlyArray<readonly [door: string, by: string, answer: (world: World) => Promise<unknown>]> = [
  ["the console", "console", async ({ key, service, task }) => {
    const headers = { ...json, cookie: await cookieOf(service) }
    const body = JSON.stringify({ key, ...accepted })
    await fetch(`${service.url}/api/v1/tasks/${task}/answer`, { method: "POST", headers, body })
  }],
  [
    "the command line",
    "local",
    ({ service, task }) => service.coppice("answer", task, "--accept", JSON.stringify(content))
  ],
  ["the HTTP API", "local", ({ key, service, task }) => service.api(`tasks/${task}/answer`, { key, ...accepted })],
  ["an elicitation of 2025-11-25", "mcp", async ({ host }) => host.answer()],
  [
    "tasks/update of 2026-07-28",
    "mcp",
    ({ host: { taskId }, key, service }) =>
      modern(service, "tasks/update", { taskId, inputResponses: { [key]: accepted } })
  ],
  ["a link of a webhook", "ann", (world) => link(world, "answer")]
]

interface Fact {
  readonly event: { readonly _tag: string; readonly response?: { readonly action: string; readonly by: string } }
}

describe("a question that every door has", () => {
  it.each(doors)("is answered by %s, as %s, and is over everywhere", async (door, by, answer) => {
    const hook = await receiver()
    const service = await Service.start({
      options:
        "people: { ann: {} }, webhooks: { ops: { url: process.env.HOOK!, secret: \"HOOK_SECRET\", to: [\"ann\"] } }",
      environment: { HOOK: hook.url, HOOK_SECRET: "a secret of the test, long enough" }
    })
    const host = await hostOf(service)
    const { data: { key, links, task } } = await hook.next("question.asked")
    const world: World = { service, host, task, key, link: links![0]!.url.split("#")[1]! }
    // each door has it
    assert.strictEqual((await link(world, "open")).person, "ann")
    assert.deepStrictEqual(Object.keys((await modern(service, "tasks/get", { taskId: host.taskId })).inputRequests), [
      key
    ])
    assert.include((await service.coppice("inbox")).said, "Delete a.txt?")

    await answer(world)
    assert.strictEqual(await host.result, "Deleted a.txt")

    // each door knows
    const { answer: told } = (await hook.next("question.answered")).data
    assert.deepStrictEqual(told, { action: "accept", by })
    const { events } = await service.api<{ readonly events: ReadonlyArray<Fact> }>(`tasks/${task}/events`)
    const received = events.flatMap(({ event }) => event._tag === "InputReceived" ? [event.response] : [])
    assert.deepStrictEqual(received.map((response) => [response?.action, response?.by]), [["accept", by]])
    if (door !== "an elicitation of 2025-11-25") assert.match(await host.withdrawn, /answered elsewhere/)
    assert.strictEqual((await modern(service, "tasks/get", { taskId: host.taskId })).status, "completed")
    await modern(service, "tasks/update", { taskId: host.taskId, inputResponses: { [key]: { action: "decline" } } })
    const late = await service.api<any>(`tasks/${task}/answer`, { key, action: "decline" })
    assert.strictEqual(late.error.code, "already_answered")
    assert.include(late.error.message, by)
    assert.strictEqual((await service.coppice("answer", task, "--decline")).code, 2)
    assert.include((await service.coppice("inbox")).said, "Nobody waits")
    const { error } = await link(world, "open")
    assert.strictEqual(error.code, door === "a link of a webhook" ? "link_used" : "already_answered")
    host.answer()
    const after = await service.api<{ readonly events: ReadonlyArray<Fact> }>(`tasks/${task}/events`)
    assert.lengthOf(after.events.filter(({ event }) => event._tag === "InputReceived"), 1)
  }, 60_000)
})
