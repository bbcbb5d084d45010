/**
 * What a client has to do by the tasks extension of 2026-07-28, against servers that show whether it does.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as McpClient from "../../../src/McpClient.ts"
import { form } from "../../support/ModernServer.ts"
import type { Reply, Script } from "../../support/ScriptedServer.ts"
import { type ClientCase, content, inTurn, script, textOf } from "./ClientCase.ts"

const interval = 30
const time = "2026-01-01T00:00:00.000Z"

const complete = (value: object): Reply => ({ result: { resultType: "complete", ...value } })
const plain = complete(content("plain"))

const taskOf = (status: string, more: object = {}) => ({
  taskId: "t1",
  status,
  createdAt: time,
  lastUpdatedAt: time,
  ttlMs: null,
  pollIntervalMs: interval,
  ...more
})

const created: Reply = { result: { resultType: "task", ...taskOf("working") } }
const at = (status: string, more?: object): Reply => complete(taskOf(status, more))
const done = at("completed", { result: { resultType: "complete", ...content("done") } })

const asks = at("input_required", { inputRequests: { who: form("Who?") } })

const server = (answers: Readonly<Record<string, Script>>) =>
  script({
    "server/discover": () =>
      complete({
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {}, prompts: {}, extensions: { "io.modelcontextprotocol/tasks": {} } }
      }),
    "tools/list": () => complete({ tools: [{ name: "work", inputSchema: { type: "object" } }] }),
    "tools/call": () => created,
    "tasks/cancel": () => complete({}),
    "tasks/update": () => complete({}),
    ...answers
  })

/** Remembers what it was asked. */
const listener = () => {
  const heard: Array<McpClient.Question> = []
  const ask: McpClient.Ask = (question) =>
    Effect.sync(() => {
      heard.push(question)
      return McpClient.accept({ name: "Ada" })
    })
  return { heard, ask }
}

export const clientCases: ReadonlyArray<ClientCase> = [
  {
    points: [3],
    name: "either answer to a call is taken",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "tools/call": inTurn(plain, created), "tasks/get": () => done }))
      const client = yield* bench.connect(scripted)
      assert.strictEqual(textOf(yield* client.run("work", {})), "plain")
      assert.strictEqual(textOf(yield* client.run("work", {})), "done")
    })
  },
  {
    points: [4],
    name: "a task is no answer to a request that cannot become one",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "prompts/get": () => created }))
      const client = yield* bench.connect(scripted)
      const outcome = yield* Effect.result(client.request("prompts/get", { name: "hello" }))
      assert(Result.isFailure(outcome))
      assert.strictEqual(outcome.failure.reason._tag, "InvalidReply")
    })
  },
  {
    points: [12],
    name: "a task is polled to its end",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "tasks/get": inTurn(at("working"), at("working"), done) }))
      const client = yield* bench.connect(scripted)
      assert.strictEqual(textOf(yield* client.run("work", {})), "done")
      assert.lengthOf(scripted.of("tasks/get"), 3)
    })
  },
  {
    points: [13],
    name: "what is kept of a task finds it again from another client",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "tasks/get": () => done }))
      const call = Effect.flatMap(bench.connect(scripted), (client) => client.call("work", {}))
      const outcome = yield* Effect.scoped(call)
      assert(outcome._tag === "Started")
      const client = yield* bench.connect(scripted)
      assert.strictEqual(textOf(yield* client.follow(JSON.parse(JSON.stringify(outcome.reference)))), "done")
      assert.lengthOf(scripted.of("tools/call"), 1)
    })
  },
  {
    points: [18, 41],
    name: "a task's questions go where those of a call go, as they are; a kind nobody offered is refused",
    run: Effect.fnUntraced(function*(bench) {
      const before = { resultType: "input_required", inputRequests: { who: form("Who?") }, requestState: "s" }
      const sampling = { method: "sampling/createMessage", params: { messages: [], maxTokens: 1 } }
      const both = at("input_required", { inputRequests: { who: form("Who?"), model: sampling } })
      const scripted = yield* bench.serve(server({
        "tools/call": inTurn({ result: before }, created),
        "tasks/get": inTurn(both, both, done)
      }))
      const { ask, heard } = listener()
      const client = yield* bench.connect(scripted, { ask })
      yield* client.run("work", {})
      assert.deepStrictEqual(heard.map(({ kind, message }) => [kind, message]), [["form", "Who?"], ["form", "Who?"]])
      assert.deepStrictEqual(heard[0], heard[1])
    })
  },
  {
    points: [19],
    name: "a question is asked once, though every poll shows it",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "tasks/get": inTurn(asks, asks, asks, asks, done) }))
      const { ask, heard } = listener()
      const client = yield* bench.connect(scripted, { ask })
      yield* client.run("work", {})
      assert.lengthOf(heard, 1)
      const updates = scripted.of("tasks/update").map(({ message }) => message.params.inputResponses)
      assert.deepStrictEqual(updates, [{ who: { action: "accept", content: { name: "Ada" } } }])
    })
  },
  {
    points: [27],
    name: "whoever goes away cancels the task and asks no more of it",
    run: Effect.fnUntraced(function*(bench) {
      const scripted = yield* bench.serve(server({ "tasks/get": () => at("working") }))
      const client = yield* bench.connect(scripted)
      const fiber = yield* Effect.forkScoped(client.run("work", {}))
      yield* scripted.has("tasks/get")
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(scripted.of("tasks/cancel")[0]!.message.params, { taskId: "t1" })
      const polls = scripted.of("tasks/get").length
      yield* client.request("prompts/list").pipe(Effect.ignore)
      yield* Effect.sleep(3 * interval)
      assert.lengthOf(scripted.of("tasks/get"), polls)
    })
  }
]
