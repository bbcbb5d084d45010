/**
 * The client against a server of 2026-07-28 with the tasks extension.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { fileURLToPath } from "node:url"
import * as McpClient from "../src/McpClient.ts"
import { listen, type ModernTasks } from "./support/ModernServer.ts"

const server = Effect.acquireRelease(Effect.promise(() => listen()), (modern) => Effect.promise(modern.close))

const connect = (more: Partial<McpClient.McpClientOptions> = {}) =>
  Effect.gen(function*() {
    const { tasks, url } = yield* server
    const client = yield* McpClient.make({
      name: "modern",
      endpoint: { _tag: "Http", url },
      offers: { elicitation: { form: true } },
      ask: () => Effect.succeed(McpClient.accept({ name: "Ada" })),
      ...more
    })
    return { client, tasks, url }
  })

const text = (end: McpClient.TaskEnd) =>
  end._tag === "Completed" ? (end.result.content[0] as { readonly text: string }).text : end

const until = (tasks: ModernTasks, look: (tasks: ModernTasks) => boolean) => Effect.promise(() => tasks.until(look))

const done = (said: string) => ({
  status: "completed",
  result: { content: [{ type: "text", text: said }], isError: false }
})

const begin = (client: McpClient.McpClient) =>
  Effect.map(client.call("manual", {}), (outcome) => {
    if (outcome._tag !== "Started") throw new Error("no task")
    return outcome.reference
  })

describe("2026-07-28", () => {
  it.live("is agreed on, and calls repeat in headers what they carry", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      assert.strictEqual((yield* client.agreement).generation, "2026-07-28")
      assert.strictEqual(text(yield* client.run("echo", { value: "héllo" })), "héllo")
      const headers = tasks.headers.at(-1)!
      assert.deepStrictEqual(
        [headers["mcp-protocol-version"], headers["mcp-method"], headers["mcp-name"], headers["mcp-param-value"]],
        ["2026-07-28", "tools/call", "echo", "=?base64?aMOpbGxv?="]
      )
    }))

  it.live("answers what a tool asks before there is a task, and calls again with it", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const answers = JSON.parse(text(yield* client.run("ask first", {})) as string)
      assert.deepStrictEqual(answers, { who: { action: "accept", content: { name: "Ada" } } })
      assert.strictEqual(tasks.count("tools/call"), 2)
    }))

  it.live("refuses a kind of result it does not know", () =>
    Effect.gen(function*() {
      const { client } = yield* connect()
      const error = yield* Effect.flip(client.run("odd", {}))
      assert.strictEqual(error.reason._tag, "InvalidReply")
    }))

  it.live("hears of a task's end by a push, long before the next poll", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const fiber = yield* Effect.forkChild(client.run("manual", {}))
      yield* until(tasks, ({ subscribed }) => subscribed === 1)
      tasks.set(tasks.last, done("pushed"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "pushed")
    }))

  it.live("listens once for tasks that begin together, and stops when they are over", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      yield* client.tools
      const fibers = yield* Effect.forEach([1, 2, 3, 4], () => Effect.forkChild(client.run("manual", {})))
      yield* until(tasks, (now) => now.subscribed > 0 && now.tasks.size === 4 && now.count("tasks/get") >= 4)
      for (const task of tasks.tasks.values()) tasks.set(task, done("all"))
      yield* Effect.forEach(fibers, Fiber.join)
      yield* until(tasks, ({ subscribed }) => subscribed === 0)
      assert.isAtMost(tasks.count("subscriptions/listen"), 4)
    }))

  it.live("misses nothing when its subscription is cut", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const fiber = yield* Effect.forkChild(client.run("manual", {}))
      yield* until(tasks, ({ subscribed }) => subscribed === 1)
      const { last } = tasks
      tasks.cut()
      Object.assign(last, done("meanwhile"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "meanwhile")
    }))

  it.live("polls at the server's interval when nothing is pushed", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      tasks.pushes = false
      tasks.interval = 20
      const fiber = yield* Effect.forkChild(client.run("manual", {}))
      yield* until(tasks, (now) => now.count("tasks/get") >= 3)
      tasks.set(tasks.last, done("polled"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "polled")
    }))

  it.live("answers a task's question once, with its key", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const fiber = yield* Effect.forkChild(client.run("manual", {}))
      yield* until(tasks, ({ subscribed }) => subscribed === 1)
      const request = { method: "elicitation/create", params: { mode: "form", message: "Who?", requestedSchema: {} } }
      tasks.set(tasks.last, { status: "input_required", inputRequests: { who: request } })
      yield* until(tasks, ({ answers }) => answers.length > 0)
      tasks.set(tasks.last, done("thanks"))
      assert.strictEqual(text(yield* Fiber.join(fiber)), "thanks")
      assert.deepStrictEqual(tasks.answers, [{ who: { action: "accept", content: { name: "Ada" } } }])
    }))

  it.live("tells a failed task from a failed tool", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const reference = yield* begin(client)
      tasks.set(tasks.last, { status: "failed", error: { code: -32_603, message: "rate limit" } })
      const end = yield* client.follow(reference)
      assert.deepStrictEqual(end, { _tag: "Failed", fault: { code: -32_603, message: "rate limit" } })
    }))

  it.live("cancels, and sees that it was", () =>
    Effect.gen(function*() {
      const { client } = yield* connect()
      const reference = yield* begin(client)
      assert.strictEqual(yield* client.cancel(reference), "accepted")
      assert.strictEqual((yield* client.follow(reference))._tag, "Cancelled")
    }))

  it.live("cancels what it ran when it is interrupted", () =>
    Effect.gen(function*() {
      const { client, tasks } = yield* connect()
      const fiber = yield* Effect.forkChild(client.run("manual", {}))
      yield* until(tasks, ({ subscribed }) => subscribed === 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(tasks.last.status, "cancelled")
    }))

  it.live("says that a task is unknown", () =>
    Effect.gen(function*() {
      const { client } = yield* connect()
      const error = yield* Effect.flip(client.follow({ generation: "2026-07-28", taskId: "gone" }))
      assert.deepStrictEqual(error.reason._tag === "Rpc" && error.reason.code, -32_602)
      assert.isFalse(error.isTransient)
    }))

  it.live("does not take a reference of the other revision", () =>
    Effect.gen(function*() {
      const { client } = yield* connect()
      const error = yield* Effect.flip(client.follow({ generation: "2025-11-25", taskId: "old" }))
      assert.include(error.message, "2025-11-25")
    }))

  it.live("is not asked again when it was agreed on before", () =>
    Effect.gen(function*() {
      const { client, url } = yield* connect()
      const agreed = yield* client.agreement
      const again = yield* McpClient.make({ name: "modern", endpoint: { _tag: "Http", url }, agreed })
      assert.strictEqual(text(yield* again.run("echo", { value: "x" })), "x")
    }))

  it.live("follows a task through a restart of the server", () =>
    Effect.gen(function*() {
      const first = yield* Effect.promise(() => listen())
      first.tasks.interval = 20
      const client = yield* McpClient.make({ name: "modern", endpoint: { _tag: "Http", url: first.url } })
      const fiber = yield* Effect.forkChild(client.follow(yield* begin(client)))
      yield* until(first.tasks, (now) => now.count("tasks/get") > 0)
      yield* Effect.promise(first.close)
      Object.assign(first.tasks.last, done("afterwards"))
      yield* Effect.acquireRelease(
        Effect.promise(() => listen(first.tasks, Number(new URL(first.url).port))),
        (second) => Effect.promise(second.close)
      )
      assert.strictEqual(text(yield* Fiber.join(fiber)), "afterwards")
    }))

  it.live("gives up a task whose server stays away", () =>
    Effect.gen(function*() {
      const gone = yield* Effect.promise(() => listen())
      const client = yield* McpClient.make({ name: "modern", endpoint: { _tag: "Http", url: gone.url } })
      const reference = yield* begin(client)
      yield* Effect.promise(gone.close)
      const error = yield* Effect.flip(client.follow(reference, { patience: 200 }))
      assert.strictEqual(error.reason._tag, "Unreachable")
    }))
})

describe("2026-07-28 on a pipe", () => {
  const onPipe = McpClient.make({
    name: "modern",
    endpoint: {
      _tag: "Stdio",
      command: process.execPath,
      args: [fileURLToPath(new URL("programs/modernServer.ts", import.meta.url))],
      shutdown: 200
    },
    offers: { elicitation: { form: true } },
    ask: () => Effect.succeed(McpClient.accept({ name: "Ada" }))
  })

  it.live("is agreed on, and polled where nothing is pushed", () =>
    Effect.gen(function*() {
      const client = yield* onPipe
      assert.strictEqual((yield* client.agreement).generation, "2026-07-28")
      assert.strictEqual(text(yield* client.run("third look", {})), "at last")
    }))

  it.live("asks before there is a task", () =>
    Effect.gen(function*() {
      const client = yield* onPipe
      const answers = JSON.parse(text(yield* client.run("ask first", {})) as string)
      assert.deepStrictEqual(answers, { who: { action: "accept", content: { name: "Ada" } } })
    }))
})
