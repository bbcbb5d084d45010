import { AgentAway } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { answered } from "../src/ApiErrors.ts"

describe("an agent whose server is down", () => {
  it.effect("is no unknown one: the request may be sent again", () =>
    Effect.gen(function*() {
      const { error } = yield* Effect.flip(answered(Effect.fail(new AgentAway({ agent: "review", retryAfter: 1_000 }))))
      assert.deepInclude(error, {
        code: "agent_unavailable",
        field: "agent",
        message: `Agent "review" takes no tasks now: its server is down`,
        retryAfter: 1
      })
    }))
})
