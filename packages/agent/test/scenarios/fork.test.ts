/** New runs from a part of a recorded one (field.md D14). */
import type { TaskId } from "@coppice/task/Task"
import { type Fork, Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { eventsOf, inWorld, result, submit } from "../support/World.ts"

const Leaf = Agent.make("leaf", { description: "", input: Schema.Json, output: Schema.Json, error: Schema.String })
const Root = Agent.make("root", { description: "", input: Schema.Json, output: Schema.Json, error: Schema.String })
const ran: Array<string> = []
const step = (name: string, takes = 0) =>
  Step.run(name, Effect.delay(Effect.sync(() => (ran.push(name), `${name} ${ran.length}`)), takes))
const failing = (name: string) => Effect.flip(Step.run(name, Effect.suspend(() => (ran.push(name), Effect.fail("no")))))
const Form = Schema.Struct({ way: Schema.String })
const ask = (name: string) => Effect.orDie(Human.ask({ message: `${name}?`, form: Form, name }))

const agents = [
  Leaf.toLayer((input) => input === "bad" ? Effect.fail("bad") : Effect.map(step("leaf"), (made) => [input, made])),
  Root.toLayer(Effect.fnUntraced(function*(input) {
    const first = yield* step("first")
    const error = yield* failing("failing")
    const race = yield* Effect.race(step("slow", 60_000), step("quick", 10))
    yield* Effect.sleep("1 hour")
    const calls = yield* Effect.orDie(Effect.all([Leaf.call("a"), Effect.flip(Leaf.call("bad"))], { concurrency: 2 }))
    const { way } = yield* ask("way")
    const late = yield* Effect.timeoutOption(step("late", 600_000), "1 minute")
    const last = yield* Step.run("last", { way }, Effect.sync(() => (ran.push("last"), `last ${way}`)))
    return { input, first, error, race, calls: calls.map(String), way, late: late._tag, last }
  }))
]

const answered = (id: TaskId, way: string) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    while ((yield* tasks.inbox({ run: id })).length === 0) {
      if ((yield* tasks.get(id)).settlement !== null) return yield* result(id)
      yield* Effect.sleep("1 minute")
    }
    yield* tasks.respond({ id, response: { action: "accept", content: { way }, by: "ada" } })
    return yield* result(id)
  })

/** One recorded run, and a world that holds it. */
const recorded = Effect.gen(function*() {
  const batches: Array<Batch> = []
  ran.length = 0
  const options = { agents, patience: 100_000_000 }
  const { ending, task } = yield* inWorld(
    { ...options, store: recording(batches) },
    Effect.flatMap(submit("root", 1), (id) => answered(id, "left"))
  )
  const before = [...ran]
  const fork = (request: Omit<Fork, "id" | "by">, way = "left") =>
    inWorld(
      { ...options, store: restored(batches), seed: "later" },
      Effect.gen(function*() {
        ran.length = 0
        const tasks = yield* Tasks
        const forked = yield* tasks.fork({ id: task.id, by: "ada", ...request })
        const { ending } = yield* answered(forked.id, way)
        return { ending, forked, ran: [...ran], events: yield* eventsOf(forked.id) }
      })
    )
  return { batches, ending, task, fork, before }
})

const resultOf = (ending: { readonly _tag: string }) => {
  assert(ending._tag === "Completed", JSON.stringify(ending))
  return (ending as unknown as { readonly result: Record<string, unknown> }).result
}

describe("a fork", () => {
  it.effect("at each point of a recorded run comes to the same end and does only what is left", () =>
    Effect.gen(function*() {
      const { batches, before, ending, fork, task } = yield* recorded
      const tags = new Set(["StepRecorded", "TimerFired", "InputReceived"])
      const own = batches.flatMap(({ events }) =>
        events.filter((one) => one.task === task.id && tags.has(one.event._tag))
      )
      assert.isAtLeast(own.length, 7)
      for (const { seq } of own) {
        const again = yield* fork({ at: `${seq}` })
        const done = own.filter((one) => one.seq < seq && one.event._tag === "StepRecorded")
        const names = done.map(({ event }) => "name" in event ? event.name : "")
        for (const name of again.ran) assert.notInclude(names, name, `at ${seq}`)
        // what is done anew is done at another moment: only the counts in its results differ
        const text = (value: unknown) => JSON.stringify(value).replaceAll(/ \d+/g, "")
        assert.strictEqual(text(resultOf(again.ending)), text(resultOf(ending)), `at ${seq}`)
      }
      assert.isAtLeast(before.length, 5)
    }))

  it.effect("takes names and keys, and knows where it comes from", () =>
    Effect.gen(function*() {
      const { fork, task } = yield* recorded
      for (const at of ["last", "step:last"]) {
        const { ending, events, forked, ran } = yield* fork({ at })
        assert.deepStrictEqual(ran, ["last"])
        assert.deepStrictEqual(forked.spec.forkOf, { task: task.id, at })
        assert.strictEqual(forked.spec.trace.traceId, task.spec.trace.traceId)
        assert.strictEqual(forked.spec.trace.parentSpanId, task.spec.trace.spanId)
        assert.strictEqual(resultOf(ending)["first"], "first 1")
        assert.notInclude(events.map(({ event }) => event._tag), "TimerSet")
      }
      const at = yield* fork({ at: "leaf" }).pipe(Effect.flip)
      assert(at instanceof Error && "field" in at)
      assert.match(at.message, /"leaf" occurs 2 times/)
      assert.match(String(yield* Effect.flip(fork({ at: "nowhere" }))), /There is no step, call or question "nowhere"/)
      assert.match(String(yield* Effect.flip(fork({}))), /at: is missing/)
    }))

  it.effect("with another answer changes the rest only", () =>
    Effect.gen(function*() {
      const { ending, fork } = yield* recorded
      const again = yield* fork({ answer: { key: "way", content: { way: "right" } } })
      assert.deepStrictEqual(resultOf(again.ending), { ...resultOf(ending), way: "right", last: "last right" })
      assert.deepStrictEqual(again.ran, ["last"])
      const wrong = yield* Effect.flip(fork({ answer: { key: "way", content: { way: 1 } } }))
      assert.match(String(wrong), /The answer does not fit/)
    }))

  it.effect("with another input keeps what does not depend on it", () =>
    Effect.gen(function*() {
      const { ending, fork } = yield* recorded
      const again = yield* fork({ at: "last", input: 2 })
      assert.deepStrictEqual(resultOf(again.ending), { ...resultOf(ending), input: 2 })
      assert.deepStrictEqual(again.ran, ["last"])
    }))

  it.effect("goes on after a crash, and can be forked and retried", () =>
    Effect.gen(function*() {
      const { batches, ending, task } = yield* recorded
      const later: Array<Batch> = []
      const options = { agents, patience: 100_000_000 }
      const at = "way"
      const forked = yield* inWorld(
        { ...options, store: recording(later, restored(batches)), seed: "fork" },
        Effect.flatMap(Tasks, (tasks) => Effect.tap(tasks.fork({ id: task.id, by: "ada", at }), () => Effect.sleep(10)))
      )
      yield* inWorld(
        { ...options, store: restored([...batches, ...later]), seed: "crash" },
        Effect.gen(function*() {
          ran.length = 0
          const text = (one: { readonly ending: { readonly _tag: string } }) => JSON.stringify(resultOf(one.ending))
          const tasks = yield* Tasks
          assert.strictEqual(text(yield* answered(forked.id, "left")), text({ ending }))
          assert.deepStrictEqual(ran, ["last"])
          const again = yield* tasks.fork({ id: forked.id, by: "ada", at: "last" })
          assert.strictEqual(text(yield* result(again.id)), text({ ending }))
          assert.deepStrictEqual(ran, ["last", "last"])
        })
      )
    }))
})
