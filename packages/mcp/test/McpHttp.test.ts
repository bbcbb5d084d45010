import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { McpHttp } from "../src/McpHttp.ts"
import { idOf } from "./suites/Case.ts"
import * as Bench from "./support/Bench.ts"

describe("McpHttp", () => {
  it.effect("keeps nothing of what has ended", () =>
    Effect.gen(function*() {
      const { advance, hand, modern, session } = yield* Bench.make("HTTP")
      const { open } = yield* McpHttp
      yield* Effect.promise(async () => {
        const [peer, other] = [await session(), await modern()]
        for (let i = 0; i < 5; i++) {
          await peer.tool("slow", [["complete"]]).response
          await other.tool("slow", [["complete"]]).response
          const quick = await peer.start("always", [["complete"]])
          const slow = await peer.start("always", [["ask", "q"]])
          const waiting = peer.request("tasks/result", slow)
          const question = await peer.next(
            "elicitation/create",
            ({ params }) => params._meta["io.modelcontextprotocol/related-task"].taskId === slow.taskId
          )
          // as long as a person needs to read it
          await advance(1_000)
          await peer.answer(question, { action: "decline" })
          await peer.next(
            "notifications/tasks/status",
            ({ params }) => params.taskId === slow.taskId && params.status === "working"
          )
          assert.strictEqual(open().followed, 1)
          hand.act(idOf(slow), ["fail", "no"])
          await waiting.response
          for (const task of [quick, slow]) {
            await peer.request("tasks/result", task).response
            await peer.call("tasks/get", task)
          }
          await peer.call("tasks/cancel", await peer.start("always", [["ask", "r"]]))
        }
      })
      assert.deepStrictEqual(open(), { sessions: 1, followed: 0, subscriptions: 0, runs: 0 })
    }).pipe(Effect.provide(Bench.layer)))
})
