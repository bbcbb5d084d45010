import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Service } from "./support/Service.ts"

layer(Service.layerMemory)("the messages of a task", (it) => {
  it.effect("name who called whom, page by page", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const { id } = yield* client.tasks.submit({ payload: { agent: "double", input: { text: "a" } } })
      yield* client.result(id)
      const { tasks } = yield* client.tasks.tree({ params: { id }, query: {} })
      const root = yield* client.messages.list({ params: { id }, query: {} })
      const child = yield* client.messages.list({ params: { id: tasks[1]!.id }, query: {} })
      assert.deepStrictEqual([root.caller, root.agent, root.server, root.more], ["local", "double", null, false])
      assert.deepStrictEqual([child.caller, child.agent], ["double", "echo"])
      assert.deepStrictEqual(child.messages.map(({ fact }) => fact), ["Created", "Completed"])
      const first = yield* client.messages.list({ params: { id }, query: { limit: 1 } })
      assert.deepStrictEqual([first.messages.map(({ fact }) => fact), first.more], [["Created"], true])
      const rest = yield* client.messages.list({ params: { id }, query: { since: first.next } })
      assert.deepStrictEqual(
        [...first.messages, ...rest.messages].map(({ seq }) => seq),
        root.messages.map(({ seq }) => seq)
      )
    }))

  it.effect("are for the holder of the token only", () =>
    Effect.gen(function*() {
      const { fetch } = yield* Service
      const path = "/api/v1/tasks/00000000000000000000/messages"
      assert.strictEqual((yield* fetch(path, { headers: { authorization: "" } })).status, 401)
      assert.strictEqual((yield* fetch(path)).status, 404)
    }))
})
