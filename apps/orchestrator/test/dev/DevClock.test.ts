import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { DevClock } from "../../src/dev/DevClock.ts"

const day = 86_400_000

const make = Effect.fnUntraced(function*(lead?: number) {
  const clock = new DevClock(yield* Clock.Clock, lead)
  const woken: Array<string> = []
  const sleeper = (name: string, millis: number) =>
    Effect.forkChild(
      Effect.provideService(
        Effect.andThen(Effect.sleep(millis), Effect.sync(() => woken.push(name))),
        Clock.Clock,
        clock
      ),
      { startImmediately: true }
    )
  return { clock, woken, sleeper }
})

describe("a clock that can go ahead", () => {
  it.effect("shows the machine's time and how far it is ahead", () =>
    Effect.gen(function*() {
      const { clock } = yield* make(1_000)
      yield* TestClock.adjust(10)
      assert.strictEqual(clock.currentTimeMillisUnsafe(), 1_010)
      assert.strictEqual(yield* clock.currentTimeNanos, 1_010_000_000n)
      clock.jump(day)
      clock.jump(-day)
      assert.strictEqual(clock.ahead, day + 1_000)
      assert.strictEqual(yield* clock.currentTimeMillis, day + 1_010)
    }))

  it.effect("wakes who slept until then, in the order of their times, and nobody else", () =>
    Effect.gen(function*() {
      const { clock, sleeper, woken } = yield* make()
      const fibers = yield* Effect.all([sleeper("two", 2 * day), sleeper("one", day), sleeper("three", 3 * day)])
      clock.jump(2 * day)
      yield* Effect.forEach(fibers.slice(0, 2), Fiber.join)
      assert.deepStrictEqual(woken, ["one", "two"])
      // the rest of the sleep takes its time
      yield* TestClock.adjust(day - 1)
      assert.lengthOf(woken, 2)
      clock.jump(1)
      yield* Fiber.join(fibers[2])
      assert.deepStrictEqual(woken, ["one", "two", "three"])
    }))

  it.effect("lets sleeps end by themselves", () =>
    Effect.gen(function*() {
      const { sleeper, woken } = yield* make()
      const fiber = yield* sleeper("one", 50)
      yield* TestClock.adjust(50)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(woken, ["one"])
    }))

  it.effect("does not touch durations of the process", () =>
    Effect.gen(function*() {
      const { clock } = yield* make()
      const before = yield* clock.monotonicTimeNanos
      clock.jump(day)
      assert.strictEqual(yield* clock.monotonicTimeNanos, before)
    }))
})
