import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { withKeepAlive } from "../src/StreamLiveness.ts"

const options = (onStalled: () => void = () => {}) =>
  ({ keepAlive: "15 seconds", patience: "60 seconds", comment: ":", onStalled }) as const

it.effect("withKeepAlive passes everything on and ends with the stream", () =>
  Effect.gen(function*() {
    const many = Array.from({ length: 1_000 }, (_, index) => String(index))
    const seen = yield* Stream.runCollect(withKeepAlive(Stream.fromIterable(many), options()))
    assert.deepStrictEqual(seen, many)
  }))

it.effect("withKeepAlive speaks in every silence and loses nothing by it", () =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<string>()
    const reading = yield* Effect.forkChild(
      Stream.runCollect(Stream.take(withKeepAlive(Stream.fromQueue(queue), options()), 4))
    )
    yield* TestClock.adjust("31 seconds")
    yield* Queue.offer(queue, "a")
    yield* TestClock.adjust("15 seconds")
    assert.deepStrictEqual(yield* Fiber.join(reading), [":", ":", "a", ":"])
  }))

it.effect("withKeepAlive fails as the stream fails", () =>
  Effect.gen(function*() {
    const failing = Stream.concat(Stream.succeed("a"), Stream.fail("broken"))
    assert.strictEqual(yield* Effect.flip(Stream.runDrain(withKeepAlive(failing, options()))), "broken")
  }))

it.effect("withKeepAlive gives a reader up that takes nothing, and reads no further for it", () =>
  Effect.gen(function*() {
    let stalled = 0
    let produced = 0
    const endless = Stream.fromEffectRepeat(Effect.sync(() => String(produced++)))
    const taken = yield* Deferred.make<void>()
    const reader = withKeepAlive(endless, options(() => stalled++)).pipe(
      Stream.runForEach(() => Effect.andThen(Deferred.succeed(taken, undefined), Effect.never))
    )
    const reading = yield* Effect.forkChild(reader)
    yield* Deferred.await(taken)
    yield* TestClock.adjust("59 seconds")
    assert.strictEqual(stalled, 0)
    yield* TestClock.adjust("2 seconds")
    assert.strictEqual(stalled, 1)
    assert.isBelow(produced, 10)
    yield* Fiber.interrupt(reading)
  }))
