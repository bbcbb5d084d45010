import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import * as Caller from "../src/Caller.ts"
import { root } from "./support/Twice.ts"
import { inWorld, pause, result, submit } from "./support/World.ts"

/** Runs the work and answers what it asks the client; succeeds with the request and the task's end. */
const answered = (work: Effect.Effect<any, any, any>, action: "accept" | "decline", content: Json) =>
  inWorld(
    { agents: [root(work)] },
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const id = yield* submit("root", null)
      yield* pause
      const [open] = yield* tasks.inbox({})
      yield* tasks.respond({ id, key: open!.request.key, response: { action, content, by: "client" } })
      return { request: open!.request, ending: (yield* result(id)).ending }
    })
  )

const sample = Caller.sample({
  messages: [{ role: "user", content: { type: "text", text: "2 + 2?" } }],
  maxTokens: 10,
  name: "sum",
  temperature: undefined
})

describe("the calling client", () => {
  it.effect("is asked for its model, in MCP's words", () =>
    Effect.gen(function*() {
      const reply = { role: "assistant", content: { type: "text", text: "4" }, model: "m", stopReason: "endTurn" }
      const { ending, request } = yield* answered(sample, "accept", reply)
      assert.deepInclude(request, { key: "sum", mode: "sampling", schema: null })
      const messages = [{ role: "user", content: { type: "text", text: "2 + 2?" } }]
      assert.deepStrictEqual(request.params, { messages, maxTokens: 10 })
      assert.deepStrictEqual(ending, { _tag: "Completed", result: reply })
    }))

  it.effect("is asked for its folders", () =>
    Effect.gen(function*() {
      const roots = [{ uri: "file:///a", name: "a" }]
      const { ending, request } = yield* answered(Caller.roots(), "accept", { roots })
      assert.strictEqual(request.mode, "roots")
      assert.deepStrictEqual(ending, { _tag: "Completed", result: roots })
    }))

  it.effect("may refuse", () =>
    Effect.gen(function*() {
      const work = Effect.map(Effect.flip(sample), ({ action, by }) => [action, by])
      const { ending } = yield* answered(work, "decline", null)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: ["decline", "client"] })
    }))
})
