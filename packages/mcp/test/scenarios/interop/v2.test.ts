/**
 * The official client of both revisions (`@modelcontextprotocol/client`) against our service. It knows no tasks: its calls
 * wait, and what an agent asks comes in rounds (2026-07-28) or as requests (2025-11-25).
 */
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client"
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio"
import { assert, describe, it, onTestFinished } from "vitest"
import { Service } from "./support/Service.ts"

type Way = "HTTP" | "stdio"

const shared = Service.shared()
type Era = "2025-11-25" | "2026-07-28"

const transportTo = (service: Service, way: Way): Transport =>
  way === "HTTP"
    ? new StreamableHTTPClientTransport(service.mcp, {
      requestInit: { headers: service.headers },
      fetch: service.fetch
    })
    : new StdioClientTransport(service.pipe)

const connect = async (service: Service, way: Way, era: Era | "auto"): Promise<Client> => {
  const mode = era === "2025-11-25" ? "legacy" : era === "auto" ? "auto" : { pin: era }
  const client = new Client({ name: "v2", version: "1" }, {
    capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} },
    versionNegotiation: { mode }
  })
  client.setRequestHandler("elicitation/create", async ({ params }) => ({
    action: "accept",
    content: params.message === "What is your name?" ? { name: "Ada" } : { confirm: true }
  }))
  client.setRequestHandler("sampling/createMessage", async () => ({
    model: "m",
    role: "assistant",
    content: { type: "text", text: "Paris" }
  }))
  client.setRequestHandler("roots/list", async () => ({ roots: [{ uri: "file:///work", name: "work" }] }))
  await client.connect(transportTo(service, way))
  onTestFinished(() => client.close())
  return client
}

const textOf = (result: unknown): string =>
  (result as { readonly content: ReadonlyArray<{ readonly text: string }> }).content[0]!.text

const ways = (["HTTP", "stdio"] as const).flatMap((way) =>
  (["2025-11-25", "2026-07-28"] as const).map((era) => ({ way, era }))
)

describe.each(ways)("the official client 2.x, $era over $way", ({ era, way }) => {
  it("lists and calls tools, and gives every kind of content", async () => {
    const client = await connect(await shared(), way, era)
    assert.strictEqual(client.getServerVersion()?.name, "conformance-agents")
    const { tools } = await client.listTools()
    assert.includeMembers(tools.map(({ name }) => name), ["greet", "slow_compute", "test_image_content"])
    assert.strictEqual(textOf(await client.callTool({ name: "greet", arguments: { name: "Ada" } })), "Hello, Ada!")
    const slow = await client.callTool({ name: "slow_compute", arguments: { seconds: 0.4, label: "six" } })
    assert.strictEqual(textOf(slow), "six: computed for 0.4 s")
    const mixed = await client.callTool({ name: "test_multiple_content_types", arguments: {} })
    assert.deepStrictEqual(mixed.content?.map(({ type }) => type), ["text", "image", "resource"])
    const failed = await client.callTool({ name: "test_error_handling", arguments: {} })
    assert.isTrue(failed.isError)
  })

  it("hears progress", async () => {
    const client = await connect(await shared(), way, era)
    const heard: Array<number> = []
    await client.callTool({ name: "test_tool_with_progress", arguments: {} }, {
      onprogress: ({ progress }) => void heard.push(progress)
    })
    // the SDK drops the last one when it comes in one piece with the result, as it may on a pipe
    assert.deepStrictEqual(heard.slice(0, 2), [0, 50])
  })

  it("is asked by an agent: a form, a model, roots", async () => {
    const client = await connect(await shared(), way, era)
    const call = async (name: string) => textOf(await client.callTool({ name, arguments: {} }))
    assert.strictEqual(await call("test_input_required_result_elicitation"), "Hello, Ada!")
    assert.strictEqual(await call("test_input_required_result_sampling"), "Sampling response: Paris")
    assert.include(await call("test_input_required_result_list_roots"), "file:///work")
    assert.include(await call("test_input_required_result_multiple_inputs"), "Paris Ada")
    const deleted = await client.callTool({ name: "confirm_delete", arguments: { filename: "a.txt" } })
    assert.strictEqual(textOf(deleted), "Deleted a.txt")
  })

  it("reads prompts, resources and completions", async () => {
    const client = await connect(await shared(), way, era)
    const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } })
    assert.strictEqual(
      (prompt.messages[0]!.content as { text: string }).text,
      "Prompt with arguments: arg1='a', arg2='b'"
    )
    const { resources } = await client.listResources()
    assert.include(resources.map(({ uri }) => uri), "test://static-text")
    const { contents } = await client.readResource({ uri: "test://template/7/data" })
    assert.include((contents[0] as { text: string }).text, "Data for ID: 7")
    const { completion } = await client.complete({
      ref: { type: "ref/prompt", name: "test_prompt_with_arguments" },
      argument: { name: "arg1", value: "par" }
    })
    assert.deepStrictEqual(completion.values, ["paris", "park", "party"])
  })

  it("goes on after a killed service, as the client it was", async () => {
    const service = await Service.start()
    const client = await connect(service, way, era)
    assert.strictEqual(textOf(await client.callTool({ name: "greet", arguments: { name: "A" } })), "Hello, A!")
    await service.kill()
    const called = client.callTool({ name: "test_input_required_result_elicitation", arguments: {} })
    await service.again()
    assert.strictEqual(textOf(await called), "Hello, Ada!")
  })

  it("cancels a call by going away from it", async () => {
    const service = await shared()
    const client = await connect(service, way, era)
    const abort = new AbortController()
    const call = client.callTool({ name: "test_tool_with_progress", arguments: {} }, {
      signal: abort.signal,
      onprogress: () => abort.abort()
    })
    assert.isTrue(await call.then(() => false, () => true))
    assert.strictEqual(await service.ending("test_tool_with_progress"), "cancelled")
    assert.strictEqual(textOf(await client.callTool({ name: "greet", arguments: { name: "B" } })), "Hello, B!")
  })
})

describe.each(["HTTP", "stdio"] as const)("the official client 2.x over %s", (way) => {
  it("finds the newest revision by itself", async () => {
    const client = await connect(await shared(), way, "auto")
    assert.strictEqual(client.getNegotiatedProtocolVersion(), "2026-07-28")
    assert.strictEqual(textOf(await client.callTool({ name: "greet", arguments: { name: "Ada" } })), "Hello, Ada!")
  })
})
