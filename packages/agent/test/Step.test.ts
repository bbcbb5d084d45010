import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { AmbiguousStep } from "../src/AgentError.ts"
import * as Step from "../src/Step.ts"
import { recording, restored } from "./support/Recording.ts"
import { root, twice, type Work } from "./support/Twice.ts"
import { eventsOf, failureIn, inWorld, result, run, submit, tagsOf } from "./support/World.ts"

const dateAt = (millis: number) => new Date(millis)

const of = (work: Work) => inWorld({ agents: [root(work)] }, run("root", null))
const failureOf = (work: Work) => failureIn(of(work))

/** An effect that counts its runs. */
class Counter {
  runs = 0
  readonly body = Effect.sync(() => ++this.runs)
}

const keysOf = (work: Work) =>
  inWorld(
    { agents: [root(work)] },
    Effect.gen(function*() {
      yield* run("root", null)
      return (yield* eventsOf()).flatMap(({ event }) => event._tag === "StepRecorded" ? [event.key] : [])
    })
  )

describe("a step", () => {
  it.effect("runs once, and is read ever after", () =>
    Effect.gen(function*() {
      const counter = new Counter()
      const { added, live, replayed } = yield* twice(Step.run("count", counter.body))
      assert.deepStrictEqual([live, replayed], [Exit.succeed(1), Exit.succeed(1)])
      assert.deepStrictEqual([added, counter.runs], [["Started"], 1])
    }))

  it.effect("fails as it failed, and does not run again", () =>
    Effect.gen(function*() {
      let runs = 0
      const { live, replayed } = yield* twice(Step.run("fail", Effect.suspend(() => Effect.fail({ n: ++runs }))))
      assert.deepStrictEqual([live, replayed, runs], [Exit.fail({ n: 1 }), Exit.fail({ n: 1 }), 1])
    }))

  it.effect("is known by its name, its input, and how many times that input came before", () =>
    Effect.gen(function*() {
      const steps = [Step.run("a", Effect.void), Step.run("b", 1, Effect.void), Step.run("b", 2, Effect.void)]
      const again = [Step.run("b", 1, Effect.void), Step.run("b", { y: 1, x: 2 }, Effect.void)]
      const keys = yield* keysOf(Effect.all([...steps, ...again, Step.run("b", { x: 2, y: 1 }, Effect.void)]))
      const same = `step:b:{"x":2,"y":1}`
      assert.deepStrictEqual(keys, ["step:a", "step:b:1:0", "step:b:2:0", "step:b:1:1", `${same}:0`, `${same}:1`])
    }))

  it.effect("is known by a digest of its input when that is long", () =>
    Effect.gen(function*() {
      const long = "x".repeat(1_000)
      const [one, other] = yield* keysOf(
        Effect.all([Step.run("a", long, Effect.void), Step.run("a", `${long}y`, Effect.void)])
      )
      assert.match(one!, /^step:a:[\w-]{43}:0$/)
      assert.notStrictEqual(one, other)
    }))

  it.effect("cannot be taken for another one by its name", () =>
    Effect.gen(function*() {
      const work = Effect.all([
        Step.run("a", 1, Effect.succeed("with input")),
        Step.run("a:1:0", Effect.succeed("named like it")),
        Step.run("a:1:0:", Effect.succeed("named like that one"))
      ], { concurrency: 3 })
      assert.deepStrictEqual(yield* of(work), {
        _tag: "Completed",
        result: ["with input", "named like it", "named like that one"]
      })
    }))

  describe("without an input, used twice under one name", () => {
    const again = Effect.andThen(Step.run("twice", Effect.void), Step.run("twice", Effect.succeed("again")))
    const message = `AmbiguousStep: Step "twice" runs more than once in this task, under one key; ` +
      `give each use an input of its own, Step.run("twice", input, body), or another name as its key`

    it.effect("fails the task, which names the step and what to do, and is not attempted again", () =>
      inWorld(
        { agents: [root(again)] },
        Effect.gen(function*() {
          const { ending, task } = yield* result(yield* submit("root", null))
          assert.deepStrictEqual(ending, { _tag: "Failed", reason: "defect", message, error: null })
          assert.strictEqual(task.attempt, 1)
        })
      ))

    it.effect("is not taken for a failure by code that tries again or falls back", () =>
      Effect.gen(function*() {
        let tries = 0
        const broken = Step.run("twice", Effect.suspend(() => Effect.fail(++tries)))
        const failed = yield* failureOf(Effect.ignore(Effect.retry(broken, Schedule.spaced("1 second"))))
        assert.deepStrictEqual([failed.message, tries], [message, 1])
      }))

    it.effect("can be seen by a handler, live and replayed alike", () =>
      Effect.gen(function*() {
        const seen = Effect.catchDefect(again, (defect) =>
          defect instanceof AmbiguousStep ? Effect.succeed(defect.step) : Effect.die(defect))
        const { live, replayed } = yield* twice(seen)
        assert.deepStrictEqual([live, replayed], [Exit.succeed("twice"), Exit.succeed("twice")])
      }))
  })
})

describe("a result", () => {
  class Point {
    readonly x = 1
    readonly hidden = undefined
    readonly at = dateAt(0)
  }

  const values: ReadonlyArray<readonly [string, unknown, Schema.Json]> = [
    ["undefined", undefined, null],
    ["a hole", Object.assign([1], { 2: 3 }), [1, null, 3]],
    ["an undefined field", { a: 1, b: undefined }, { a: 1 }],
    ["a date", dateAt(0), "1970-01-01T00:00:00.000Z"],
    ["a class", new Point(), { x: 1, at: "1970-01-01T00:00:00.000Z" }],
    ["an error", Object.assign(new Error("no"), { code: 7 }), { message: "no", code: 7 }],
    ["a map", new Map([[1, 2]]), {}],
    ["a prototype's name", JSON.parse(`{"__proto__":{"a":1}}`), JSON.parse(`{"__proto__":{"a":1}}`)],
    ["minus zero", -0, 0]
  ]

  it.effect.each(values)(
    "that is %s comes back as JSON, live and replayed alike",
    ([, value, json]) =>
      Effect.gen(function*() {
        const { live, replayed } = yield* twice(Step.run("value", Effect.succeed(value)))
        assert.deepStrictEqual(live, replayed)
        assert(Exit.isSuccess(live))
        assert.deepStrictEqual(live.value, json)
      })
  )

  const impossible: ReadonlyArray<readonly [string, unknown, string]> = [
    ["a function", { items: [1, { f: () => 1 }] }, "a function at $.items[1].f"],
    ["a bigint", 1n, "a bigint at $"],
    ["a symbol", [Symbol.iterator], "a symbol at $[0]"],
    ["not finite", { n: NaN }, "NaN at $.n"],
    [
      "a cycle",
      (() => {
        const loop: { self?: unknown } = {}
        loop.self = loop
        return loop
      })(),
      "a cycle at $.self"
    ],
    [
      "bottomless",
      (() => {
        let deep: unknown = 1
        for (let i = 0; i < 10_000; i++) deep = [deep]
        return deep
      })(),
      "nested deeper than"
    ]
  ]

  it.effect.each(impossible)(
    "that is %s cannot be recorded, and the failure says where",
    ([, value, where]) =>
      Effect.gen(function*() {
        const failed = yield* failureOf(Step.run("odd", Effect.succeed(value)))
        assert.include(failed.message, `NotRecordable: The result of step "odd" cannot be recorded: `)
        assert.include(failed.message, where)
      })
  )

  it.effect("that is too large cannot be recorded", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(Step.run("large", Effect.succeed("x".repeat(1_100_000))))
      assert.include(failed.message, `The result of step "large" is larger than`)
    }))

  it.effect("goes through the step's schemas, both ways", () =>
    Effect.gen(function*() {
      const success = Schema.Struct({ at: Schema.Date, n: Schema.BigInt })
      const value = { at: dateAt(5), n: 7n }
      const { live, replayed } = yield* twice(Step.run("typed", null, Effect.succeed(value), { success }))
      assert.deepStrictEqual([live, replayed], [Exit.succeed(value), Exit.succeed(value)])
    }))

  it.effect("that is an error goes through the step's schema, too", () =>
    Effect.gen(function*() {
      class Broken extends Schema.TaggedError<Broken>()("Broken", { at: Schema.Date }) {}
      const failing = Effect.fail(new Broken({ at: dateAt(5) }))
      const { live, replayed } = yield* twice(Step.run("typed", null, failing, { error: Broken }))
      for (const exit of [live, replayed]) {
        const error = yield* Effect.flip(exit)
        assert.instanceOf(error, Broken)
        assert.deepStrictEqual(error.at, dateAt(5))
      }
    }))

  it.effect("that does not fit its schema ends the task", () =>
    Effect.gen(function*() {
      const work = Step.run("typed", null, Effect.succeed("x" as never), { success: Schema.Finite })
      assert.include((yield* failureOf(work)).message, `step "typed"`)
    }))

  it.effect("is the handler's own: what it does to it is not done to the record", () =>
    Effect.gen(function*() {
      const kept = [1]
      const { live, replayed } = yield* twice(Effect.gen(function*() {
        const list = yield* Step.run("list", Effect.succeed(kept))
        list.push(2)
        kept.push(3)
        return list
      }))
      assert.deepStrictEqual([live, replayed], [Exit.succeed([1, 2]), Exit.succeed([1, 2])])
    }))
})

describe("the idempotency key", () => {
  it.effect("is the same in every attempt, and names the task and the step", () => {
    const keys: Array<string> = []
    const body = Effect.flatMap(
      Step.idempotencyKey,
      (key) => keys.push(key) < 3 ? Effect.die("boom") : Effect.succeed(key)
    )
    return inWorld(
      { agents: [root(Step.run("pay", { sum: 7 }, body))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        const { ending, task } = yield* result(id)
        const key = `${id}/step:pay:{"sum":7}:0`
        assert.deepStrictEqual([ending, keys], [{ _tag: "Completed", result: key }, [key, key, key]])
        assert.strictEqual(task.attempt, 3)
      })
    )
  })

  it.effect("is the same when the process dies between the effect and its record, and the effect happens again (case 2)", () =>
    Effect.gen(function*() {
      const keys: Array<string> = []
      const batches: Array<Batch> = []
      const body = Effect.flatMap(Step.idempotencyKey, (key) => Effect.sync(() => keys.push(key)))
      const agents = [root(Step.run("pay", body))]
      yield* inWorld({ agents, store: recording(batches) }, run("root", null))
      const created = batches.slice(0, 1)
      const ending = yield* inWorld({ agents, store: restored(created) }, result(batches[0]!.events[0]!.task))
      assert.deepStrictEqual(ending.ending, { _tag: "Completed", result: 2 })
      assert.lengthOf(new Set(keys), 1)
      assert.lengthOf(keys, 2)
    }))

  it.effect("is nowhere but in the body of a step", () =>
    Effect.gen(function*() {
      assert.include((yield* failureOf(Step.idempotencyKey)).message, "only be used in the body of a step")
    }))
})

describe("a body", () => {
  it.effect("begins only when everything before it is durable", () => {
    const behind: Array<number> = []
    const steps = (log: typeof TaskLog.Service) =>
      Effect.forEach(Array.from({ length: 20 }, (_, n) => n), (n) =>
        Effect.gen(function*() {
          yield* Effect.sleep(n % 4)
          const before = log.head
          yield* Step.run("step", n, Effect.sync(() => log.written.events < before && behind.push(n)))
        }), { concurrency: "unbounded", discard: true })
    const given: { work: Work } = { work: Effect.void }
    return inWorld(
      { agents: [root(Effect.suspend(() => given.work))] },
      Effect.gen(function*() {
        given.work = steps(yield* TaskLog)
        assert.deepInclude(yield* run("root", null), { _tag: "Completed" })
        assert.deepStrictEqual(behind, [])
      })
    )
  })

  it.effect("that dies ends the attempt, and the siblings that had ended do not run again", () => {
    const done = new Counter()
    let dies = 2
    const mortal = Effect.andThen(
      Effect.sleep(10),
      Effect.suspend(() => dies-- > 0 ? Effect.die("boom") : Effect.succeed("lives"))
    )
    const work = Effect.all([Step.run("done", done.body), Step.run("mortal", mortal)], { concurrency: 2 })
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: [1, "lives"] })
        assert.deepStrictEqual((yield* tagsOf(id)).filter((tag) => tag !== "StepRecorded"), [
          "Created",
          "AttemptFailed",
          "Started",
          "AttemptFailed",
          "Started",
          "Completed"
        ])
      })
    )
  })

  it.effect("of a dying attempt is stopped, its finalizers awaited, and nothing of it recorded", () => {
    const notes: Array<string> = []
    const slow = Effect.onInterrupt(
      Effect.sleep("1 hour"),
      () => Effect.andThen(Effect.sleep(20), Effect.sync(() => notes.push("gone")))
    )
    let dies = true
    const mortal = Effect.andThen(
      Effect.sleep(5),
      Effect.suspend(() => dies ? Effect.die("boom") : Effect.succeed("lives"))
    )
    const work = Effect.raceFirst(Step.run("slow", slow), Step.run("mortal", mortal))
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* Effect.sleep(20)
        assert.deepStrictEqual(notes, [])
        assert.notInclude(yield* tagsOf(id), "AttemptFailed")
        dies = false
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: "lives" })
        assert.strictEqual(notes[0], "gone")
      })
    )
  })

  it.effect("that is interrupted has ended before the code goes on", () =>
    Effect.gen(function*() {
      const notes: Array<string> = []
      const note = (text: string) => Effect.sync(() => notes.push(text))
      const slow = Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.sleep(30), note("body")))
      yield* of(Effect.andThen(Effect.ignore(Effect.timeout(Step.run("slow", slow), 10)), note("code")))
      assert.deepStrictEqual(notes, ["body", "code"])
    }))

  it.effect("may not use the task: no calls, no steps, no durable time", () =>
    Effect.gen(function*() {
      const failed = yield* failureOf(Step.run("outer", Step.run("inner", Effect.void)))
      assert.include(failed.message, "not in the body of a step")
    }))

  it.effect("of a cancelled task's finalizer still runs, and is not recorded", () => {
    const notes: Array<string> = []
    const work = Effect.ensuring(Effect.never, Step.run("clean up", Effect.sync(() => notes.push("clean"))))
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* Effect.sleep(5)
        yield* tasks.cancel({ id, by: "ada" })
        yield* Effect.sleep(5)
        assert.deepStrictEqual(notes, ["clean"])
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Cancelled", "Settled"])
      })
    )
  })
})
