import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as LoopLag from "../src/LoopLag.ts"

const spin = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

const state = Metric.value(LoopLag.lag)

const nextTurn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("the lag of the event loop", () => {
  it.live("is what a block of it took, also of one that begins at once", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* state).count, 0)
      yield* Layer.build(LoopLag.layer)
      yield* spin(400)
      yield* nextTurn.pipe(Effect.andThen(state), Effect.repeat({ until: ({ count }) => count > 0 }))
      assert.isAtLeast((yield* state).max, 300)
    }))

  it.live("is measured no longer than somebody wants to know", () =>
    Effect.gen(function*() {
      yield* Effect.scoped(Layer.build(LoopLag.layer))
      const { count } = yield* state
      yield* spin(100)
      yield* nextTurn
      assert.strictEqual((yield* state).count, count)
    }))
})
