import { AgentAway, layer, type Worker, Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Calls } from "../../../src/internal/server/Calls.ts"
import { ofSubmit } from "../../../src/internal/server/wireError.ts"

const worker = { contract: { name: "slow", listed: true } } as Worker

describe("an agent whose server restarts", () => {
  it.effect("is offered and known all the while: a call of it waits instead of being unknown", () =>
    Effect.gen(function*() {
      const workers = yield* Workers
      const calls = new Calls({ workers } as ConstructorParameters<typeof Calls>[0])
      assert.isUndefined(calls.contract("slow"))
      yield* Effect.scoped(workers.register(worker))
      assert.isUndefined(workers.find("slow"))
      assert.strictEqual(calls.contract("slow"), worker.contract)
      assert.deepStrictEqual(calls.listed(), [worker.contract])
      assert.strictEqual(yield* calls.tool("slow"), worker.contract)
    }).pipe(Effect.provide(layer)))

  it("that does not come back in time may be called again later", () => {
    const { data, message } = ofSubmit(new AgentAway({ agent: "slow", retryAfter: 1_000 }))
    assert.deepStrictEqual(data, { retryable: true, retryAfterMs: 1_000 })
    assert.include(message, "slow")
  })
})
