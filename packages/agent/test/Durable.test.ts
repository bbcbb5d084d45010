import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import * as Durable from "../src/Durable.ts"
import * as Executor from "../src/Executor.ts"
import * as Step from "../src/Step.ts"
import { root, twice } from "./support/Twice.ts"
import { eventsOf, inWorld, pause, result, run, submit, tagsOf } from "./support/World.ts"

const start = 1_800_000_000_000

describe("time", () => {
  it.effect("is that of the last fact the handler has seen, live and replayed", () =>
    Effect.gen(function*() {
      const { live, replayed } = yield* twice(Effect.gen(function*() {
        const before = yield* Durable.now
        yield* Effect.sleep(250)
        yield* Step.run("slow", Effect.sleep(50))
        return [before, yield* Clock.currentTimeMillis, yield* Durable.now]
      }))
      assert.deepStrictEqual(live, Exit.succeed([start, start + 300, start + 300]))
      assert.deepStrictEqual(replayed, live)
    }))

  it.effect("of a task that waited for its place begins when it begins", () => {
    const Slow = Agent.make("slow", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 1 })
    const slow = Slow.toLayer(() =>
      Effect.andThen(Durable.now, (now) => Effect.as(Step.run("work", Effect.sleep(100)), now))
    )
    return inWorld(
      { agents: [slow] },
      Effect.gen(function*() {
        const ids = [yield* submit("slow", 1), yield* submit("slow", 2)]
        const ends = yield* Effect.forEach(ids, result)
        assert.deepStrictEqual(ends.map(({ ending }) => ending._tag === "Completed" && ending.result), [
          start,
          start + 100
        ])
      })
    )
  })

  it.effect("that is slept is not slept again after a restart", () =>
    Effect.gen(function*() {
      const { added } = yield* twice(Durable.sleep("10 seconds"))
      assert.notInclude(added, "TimerSet")
    }))

  it.effect("runs on while the process is down, and a timeout begun later counts from then", () =>
    inWorld(
      {
        agents: [root(Effect.gen(function*() {
          yield* Step.run("first", Effect.void)
          yield* Effect.sleep("1 hour")
          return yield* Effect.timeout(Step.run("second", Effect.as(Effect.sleep(500), "in time")), "1 second")
        }))],
        patience: 7_200_000
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("root", null), { _tag: "Completed", result: "in time" })
      })
    ))

  it.effect("that is not finite, or nothing, sets no timer", () =>
    inWorld(
      { agents: [root(Effect.race(Effect.sleep(Infinity), Effect.as(Effect.sleep(0), "none")))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: "none" })
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Completed"])
      })
    ))
})

describe("chance", () => {
  it.effect("is the task's own, and the same again", () =>
    Effect.gen(function*() {
      const { live, replayed } = yield* twice(Effect.all([Durable.random, Random.next, Durable.uuid, Random.nextInt]))
      assert.deepStrictEqual(replayed, live)
      assert(Exit.isSuccess(live))
      const [one, other, uuid] = live.value
      assert.isTrue(one >= 0 && one < 1 && other >= 0 && other < 1 && one !== other)
      assert.match(uuid, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    }))

  it.effect("differs from task to task", () =>
    inWorld(
      { agents: [root(Durable.uuid)] },
      Effect.gen(function*() {
        assert.notDeepEqual(yield* run("root", null), yield* run("root", null))
      })
    ))
})

describe("progress", () => {
  const reporting = root(Effect.gen(function*() {
    yield* Durable.progress({ progress: 1, total: 2, message: "half" })
    yield* Effect.sleep("1 minute")
    yield* Durable.progress({ progress: 2, total: NaN, message: "x".repeat(5_000) })
    yield* Effect.sleep("1 minute")
  }))

  it.effect("is told to watchers, and not again by a replay", () =>
    inWorld(
      { agents: [reporting] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* pause
        assert.deepStrictEqual((yield* tasks.get(id)).progress, { progress: 1, total: 2, message: "half" })
        assert.strictEqual(yield* (yield* Executor.Executor).evictIdle, 1)
        yield* Effect.sleep("90 seconds")
        const reports = (yield* eventsOf(id)).filter(({ event }) => event._tag === "Progressed")
        assert.lengthOf(reports, 1 + 1)
      })
    ))

  it.effect("is cut to what a log can keep", () =>
    inWorld(
      { agents: [reporting] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* Effect.sleep("61 seconds")
        assert.deepStrictEqual((yield* tasks.get(id)).progress, {
          progress: 2,
          total: null,
          message: "x".repeat(1_000)
        })
      })
    ))
})

describe("a log line", () => {
  const logging = root(Effect.gen(function*() {
    yield* Durable.log("notice", { file: "a.js" }, "migrator")
    yield* Effect.sleep("1 minute")
    yield* Durable.log("info", "done")
  }))

  it.effect("is a fact, and not written again by a replay", () =>
    inWorld(
      { agents: [logging] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        assert.strictEqual(yield* (yield* Executor.Executor).evictIdle, 1)
        yield* Effect.sleep("61 seconds")
        const lines = (yield* eventsOf(id)).map(({ event }) => event).filter((event) => event._tag === "Logged")
        assert.deepStrictEqual(lines, [
          { _tag: "Logged", level: "notice", logger: "migrator", data: { file: "a.js" } },
          { _tag: "Logged", level: "info", logger: null, data: "done" }
        ])
      })
    ))
})
