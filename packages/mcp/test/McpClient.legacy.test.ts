/**
 * The client against the official server of 2025-11-25, over HTTP and over a pipe.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { fileURLToPath } from "node:url"
import * as McpClient from "../src/McpClient.ts"
import { listen } from "./support/LegacyServer.ts"

const program = fileURLToPath(new URL("programs/legacyServer.ts", import.meta.url))

const text = (end: McpClient.TaskEnd) =>
  end._tag === "Completed" ? (end.result.content[0] as { readonly text: string }).text : end

const server = Effect.acquireRelease(Effect.promise(listen), (legacy) => Effect.promise(legacy.close))

const options: Omit<McpClient.McpClientOptions, "endpoint"> = {
  name: "legacy",
  offers: { elicitation: { form: true } },
  ask: () => Effect.succeed(McpClient.accept({ sure: true, name: "Ada" }))
}

const http = (url: string, more: Partial<McpClient.McpClientOptions> = {}) =>
  McpClient.make({ ...options, endpoint: { _tag: "Http", url }, ...more })

const overHttp = Effect.gen(function*() {
  const legacy = yield* server
  return { legacy, client: yield* http(legacy.url) }
})

const overStdio = McpClient.make({
  ...options,
  endpoint: { _tag: "Stdio", command: process.execPath, args: [program], shutdown: 200 }
})

const ways = { http: Effect.map(overHttp, ({ client }) => client), stdio: overStdio }

for (const [way, connect] of Object.entries(ways)) {
  describe(`over ${way}`, () => {
    it.live("agrees on the revision and lists tools with what they say about tasks", () =>
      Effect.gen(function*() {
        const client = yield* connect
        const { generation, serverName } = yield* client.agreement
        const tools = yield* client.tools
        assert.deepStrictEqual({ generation, serverName }, { generation: "2025-11-25", serverName: "legacy" })
        assert.strictEqual(tools.find(({ name }) => name === "quick")?.taskSupport, "optional")
        assert.strictEqual(tools.find(({ name }) => name === "echo")?.taskSupport, "forbidden")
      }))

    it.live("calls a plain tool, and one with structured content", () =>
      Effect.gen(function*() {
        const client = yield* connect
        assert.strictEqual(text(yield* client.run("echo", { value: "hello" })), "hello")
        const sum = yield* client.run("sum", { a: 1, b: 2 })
        assert.deepStrictEqual(sum._tag === "Completed" && sum.result.structuredContent, { sum: 3 })
      }))

    it.live("brings the result of a task without waiting for a poll", () =>
      Effect.gen(function*() {
        const client = yield* connect
        // the server asks for a poll a minute
        assert.strictEqual(text(yield* client.run("quick", { value: "it" })), "did it")
      }))

    it.live("answers a question within a task, with the task's name on the answer", () =>
      Effect.gen(function*() {
        const client = yield* connect
        assert.strictEqual(text(yield* client.run("name", {})), "accept Ada")
      }))

    it.live("answers a question of a plain call, and adds the defaults of what was left out", () =>
      Effect.gen(function*() {
        const client = yield* connect
        const ask = () => Effect.succeed(McpClient.accept({ sure: true }))
        const answered = text(yield* client.run("confirm", {}, { ask }))
        assert.deepStrictEqual(JSON.parse(answered as string), {
          action: "accept",
          content: { sure: true, why: "because" }
        })
      }))

    it.live("tells the progress of a call", () =>
      Effect.gen(function*() {
        const client = yield* connect
        const heard: Array<McpClient.CallProgress> = []
        yield* client.run("steps", {}, { onProgress: (progress) => heard.push(progress) })
        assert.deepStrictEqual(heard.map(({ message, progress, total }) => [message, progress, total]), [
          ["step 1", 1, 2],
          ["step 2", 2, 2]
        ])
      }))

    it.live("cancels a task", () =>
      Effect.gen(function*() {
        const client = yield* connect
        const outcome = yield* client.call("manual", {})
        assert.strictEqual(outcome._tag, "Started")
        if (outcome._tag !== "Started") return
        const fiber = yield* Effect.forkChild(client.follow(outcome.reference, { isNew: true }))
        assert.strictEqual(yield* client.cancel(outcome.reference), "accepted")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "Cancelled")
        assert.strictEqual(yield* client.cancel(outcome.reference), "over")
      }))
  })
}

describe("a lost session", () => {
  it.live("is opened again, and the request sent again", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      yield* client.run("echo", { value: "1" })
      legacy.forget()
      assert.strictEqual(text(yield* client.run("echo", { value: "2" })), "2")
      assert.deepStrictEqual(legacy.controls.calls, { echo: 2 })
    }))
})

describe("a task whose session is lost", () => {
  it.live("is looked for in the next one, and told as unknown when it is not there", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      const outcome = yield* client.call("manual", {})
      if (outcome._tag !== "Started") return assert.fail("no task")
      legacy.forget()
      const error = yield* Effect.flip(client.follow(outcome.reference))
      assert.deepStrictEqual(error.reason._tag === "Rpc" && error.reason.code, -32_602)
    }))
})

describe("a reply that is lost", () => {
  it.live("is told as unknown, and the tool is not called again", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      yield* client.tools
      legacy.intercept = (request, _, body) => {
        if (body?.method !== "tools/call") return false
        request.socket.destroy()
        return true
      }
      const error = yield* Effect.flip(client.run("echo", { value: "1" }))
      assert.deepStrictEqual([error.reason._tag, error.mayHaveRun, error.isRetryable], ["OutcomeUnknown", true, false])
      assert.strictEqual(legacy.requests.filter((request) => request === "POST tools/call").length, 1)
    }))

  it.live("is asked for again under our key when the server is a Coppice", () =>
    Effect.gen(function*() {
      const legacy = yield* server
      const client = yield* http(legacy.url, { isCoppice: true })
      yield* client.tools
      let cut = 0
      legacy.intercept = (request, _, body) => {
        if (body?.method !== "tools/call" || cut++ > 0) return false
        request.socket.destroy()
        return true
      }
      const end = yield* client.run("echo", { value: "1" }, { context: { idempotencyKey: "k" } })
      assert.deepStrictEqual([text(end), cut], ["1", 2])
    }))
})

describe("a task", () => {
  it.live("is found again by its reference from another client", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      const outcome = yield* client.call("manual", {})
      if (outcome._tag !== "Started") return assert.fail("no task")
      const reference = JSON.parse(JSON.stringify(outcome.reference)) as McpClient.TaskReference
      const other = yield* http(legacy.url)
      const fiber = yield* Effect.forkChild(other.follow(reference))
      yield* Effect.promise(() => legacy.controls.finish("late"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "late")
    }))

  it.live("survives that the request for its result is cut", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      const outcome = yield* client.call("manual", {})
      if (outcome._tag !== "Started") return assert.fail("no task")
      let cuts = 0
      legacy.intercept = (request, _, body) => {
        if (body?.method !== "tasks/result" || cuts++ > 0) return false
        request.socket.destroy()
        return true
      }
      const fiber = yield* Effect.forkChild(client.follow(outcome.reference, { isNew: true }))
      yield* Effect.promise(() => legacy.controls.finish("late"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "late")
      assert.isAbove(cuts, 0)
    }))

  it.live("that fails keeps its reason", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      const outcome = yield* client.call("manual", {})
      if (outcome._tag !== "Started") return assert.fail("no task")
      yield* Effect.promise(() => legacy.controls.finish("no room", true))
      const end = yield* client.follow(outcome.reference)
      assert.deepStrictEqual([end._tag === "Completed" && end.result.isError, text(end)], [true, "no room"])
    }))
})

describe("a call whose caller goes away", () => {
  it.live("is cancelled at the server", () =>
    Effect.gen(function*() {
      const { client, legacy } = yield* overHttp
      yield* client.tools
      const fiber = yield* Effect.forkChild(client.run("hang", {}))
      yield* Effect.promise(() => legacy.controls.called("hang"))
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => legacy.controls.called("hang cancelled"))
    }))
})

describe("calls beyond the limit of a server", () => {
  it.live("wait for their turn", () =>
    Effect.gen(function*() {
      const legacy = yield* server
      const client = yield* http(legacy.url, { concurrency: 1 })
      const first = yield* Effect.forkChild(client.run("hang", {}))
      yield* Effect.promise(() => legacy.controls.called("hang"))
      const second = yield* Effect.forkChild(client.run("echo", { value: "x" }))
      yield* client.request("ping")
      assert.isUndefined(legacy.controls.calls["echo"])
      yield* Fiber.interrupt(first)
      assert.strictEqual(text(yield* Fiber.join(second)), "x")
    }))
})

describe("a server that is not there", () => {
  it.live("is unreachable, and the message says what to look at", () =>
    Effect.gen(function*() {
      const client = yield* http("http://127.0.0.1:1/mcp")
      const error = yield* Effect.flip(client.run("echo", {}))
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.include(error.message, "is it running")
    }))
})
