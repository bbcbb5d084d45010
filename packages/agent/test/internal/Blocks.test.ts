import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Executor from "../../src/Executor.ts"
import { root } from "../support/Twice.ts"
import { inWorld, result, submit } from "../support/World.ts"

const spin = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

const blockOf = (millis: number) =>
  inWorld(
    { agents: [root(spin(millis))] },
    Effect.gen(function*() {
      const { blocked } = yield* Executor.Executor
      const id = yield* submit("root", null)
      yield* result(id)
      return blocked(id)
    })
  )

describe("code that keeps the event loop busy", () => {
  it.effect("is known by its task, and for how long", () =>
    Effect.gen(function*() {
      assert.isAtLeast((yield* blockOf(300))!.millis, 300)
      assert.isUndefined(yield* blockOf(0))
    }))
})
