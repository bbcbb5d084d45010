/**
 * A retry is told what the first task had got, and does only what is left.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Executor from "../../src/Executor.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root, type Work } from "../support/Twice.ts"
import { eventsOf, inWorld, type Options, result, submit, tagsOf } from "../support/World.ts"

/** What ran, in order, and how the handler goes on: tests change it between two tasks. */
class World {
  readonly ran: Array<string> = []
  work: Work = Effect.void

  readonly step = (name: string, body: Effect.Effect<unknown, unknown> = Effect.succeed(`${name}'s`)) =>
    Step.run(name, Effect.andThen(Effect.sync(() => this.ran.push(name)), body))

  readonly agent = root(Effect.suspend(() => this.work))
}

/** Does the work, then the work of a retry of it; how both ended and what the retry ran. */
const both = Effect.fnUntraced(function*(world: World, first: Work, again: Work, fresh?: boolean) {
  const tasks = yield* Tasks
  world.work = first
  const before = yield* result(yield* submit("root", null))
  world.ran.length = 0
  world.work = again
  const { id, spec } = yield* tasks.retry(before.task.id, { fresh })
  assert.strictEqual(spec.retryOf, before.task.id)
  const { ending } = yield* result(id)
  return { before, id, ending, ran: [...world.ran] }
})

const inWorldOf = (test: (world: World) => Effect.Effect<any, any, any>, options: Partial<Options> = {}) => {
  const world = new World()
  return inWorld({ ...options, agents: [world.agent, ...options.agents ?? []] }, test(world) as Effect.Effect<any>)
}

describe("a retry", () => {
  it.effect("does not do again what had succeeded, and does what had failed", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const { step } = world
        const broken = Effect.all([step("a"), step("b"), step("c", Effect.fail("no")), step("d")])
        const mended = Effect.all([step("a"), step("b"), step("c"), step("d")])
        const { before, ending, id, ran } = yield* both(world, broken, mended)
        assert.deepInclude(before.ending, { _tag: "Failed", reason: "agent_error" })
        assert.deepStrictEqual(ending, { _tag: "Completed", result: ["a's", "b's", "c's", "d's"] })
        assert.deepStrictEqual(ran, ["c", "d"])
        assert.deepStrictEqual(yield* tagsOf(id), [
          "Created",
          "StepReused",
          "StepReused",
          "Started",
          "StepRecorded",
          "StepRecorded",
          "StepRecorded",
          "StepRecorded",
          "Completed"
        ])
      })
    ))

  it.effect("does everything again when asked to", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const work = Effect.all([world.step("a"), world.step("b")])
        const { id, ran } = yield* both(world, work, work, true)
        assert.deepStrictEqual(ran, ["a", "b"])
        assert.notInclude(yield* tagsOf(id), "StepReused")
      })
    ))

  it.effect("may be of changed code: in another order, without some, with others, under other names", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const { step } = world
        const first = Effect.andThen(Effect.all([step("a"), step("b"), step("c")]), Effect.fail("no"))
        const changed = Effect.all([step("new"), step("c"), step("b2"), step("a")])
        const { ending, ran } = yield* both(world, first, changed)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: ["new's", "c's", "b2's", "a's"] })
        assert.deepStrictEqual(ran, ["new", "b2"])
      })
    ))

  it.effect("of a task whose code no longer fitted its log goes on with what it had", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const { step } = world
        const wait = Effect.sleep("1 minute")
        const executor = yield* Executor.Executor
        const tasks = yield* Tasks
        world.work = Effect.andThen(step("a"), Effect.andThen(step("gone"), wait))
        const id = yield* submit("root", null)
        yield* Effect.sleep("1 second")
        yield* executor.evictIdle
        world.work = Effect.andThen(step("a"), Effect.andThen(wait, step("b")))
        yield* Effect.sleep("2 minutes")
        yield* tasks.respond({ id, response: { action: "accept", content: { choice: "stop" }, by: "ada" } })
        assert.deepInclude((yield* result(id)).ending, { reason: "replay_mismatch" })
        world.ran.length = 0
        const again = yield* tasks.retry(id)
        assert.strictEqual((yield* result(again.id)).ending._tag, "Completed")
        assert.deepStrictEqual(world.ran, ["b"])
      })
    ))

  it.effect("of a retry has what both had got", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const { step } = world
        const tasks = yield* Tasks
        const first = Effect.andThen(Effect.all([step("a"), step("b")]), Effect.fail("no"))
        // fails before it asks for b
        const { id } = yield* both(world, first, Effect.all([step("a"), step("c"), step("d", Effect.fail("no"))]))
        world.ran.length = 0
        world.work = Effect.all([step("a"), step("b"), step("c"), step("d")])
        const third = yield* tasks.retry(id)
        assert.strictEqual((yield* result(third.id)).ending._tag, "Completed")
        assert.deepStrictEqual(world.ran, ["d"])
        assert.strictEqual(third.spec.retryOf, id)
      })
    ))

  it.effect("makes anew a result its step's schema has outgrown", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const typed = (success: Schema.Codec<any, any>, value: unknown) =>
          Step.run("typed", null, Effect.sync(() => (world.ran.push("typed"), value)), { success })
        const first = Effect.andThen(typed(Schema.String, "one"), Effect.fail("no"))
        const { ending, ran } = yield* both(world, first, typed(Schema.Finite, 1))
        assert.deepStrictEqual([ending, ran], [{ _tag: "Completed", result: 1 }, ["typed"]])
      })
    ))

  it.effect("tells equal steps apart as the first task did", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        let n = 0
        const toss = Step.run("toss", "coin", Effect.sync(() => ++n))
        const three = Effect.all([toss, toss, toss])
        const { ending } = yield* both(world, Effect.andThen(Effect.all([toss, toss]), Effect.fail("no")), three)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: [1, 2, 3] })
      })
    ))

  it.effect("survives eviction and restart like any other task", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      const world = new World()
      const { step } = world
      const agents = [world.agent]
      const wait = Effect.as(Effect.sleep("1 minute"), null)
      const last = yield* inWorld(
        { agents, store: recording(batches) },
        Effect.gen(function*() {
          const { id } = yield* both(
            world,
            Effect.andThen(Effect.all([step("a"), step("b")]), Effect.fail("no")),
            Effect.andThen(step("a"), Effect.fail("still not"))
          )
          world.work = Effect.all([step("a"), wait, step("b"), step("c")])
          const again = yield* (yield* Tasks).retry(id)
          yield* Effect.sleep("1 second")
          return again.id
        })
      )
      // before its first line of code, and while it sleeps
      const created = batches.findIndex(({ created }) => created.some(({ state }) => state.id === last))
      assert.include(batches[created]!.events.map(({ event }) => event._tag), "StepReused")
      for (const life of [created + 1, batches.length]) {
        world.ran.length = 0
        const { ending } = yield* inWorld({ agents, store: restored(batches.slice(0, life)) }, result(last))
        assert.deepStrictEqual(ending, { _tag: "Completed", result: ["a's", null, "b's", "c's"] })
        assert.deepStrictEqual(world.ran, ["c"])
      }
    }))

  it.effect("that is cancelled before its code begins comes to rest", () =>
    inWorldOf((world) =>
      Effect.gen(function*() {
        const [tasks, log] = [yield* Tasks, yield* TaskLog]
        world.work = Effect.andThen(world.step("a"), Effect.fail("no"))
        const { task } = yield* result(yield* submit("root", null))
        const { id } = yield* tasks.retry(task.id)
        yield* Effect.ignore(tasks.cancel({ id, by: "ada" }))
        yield* Effect.sleep("10 seconds")
        assert.isNotNull((yield* tasks.get(id)).settlement)
        assert.strictEqual(log.residentCount, 0)
      })
    ))
})

describe("the calls of a retry", () => {
  const Child = Agent.make("child", {
    description: "",
    input: Schema.String,
    output: Schema.Json,
    error: Schema.String
  })

  const child = (world: World) =>
    Child.toLayer((input) =>
      Effect.gen(function*() {
        world.ran.push(input)
        if (input === "fails" && world.ran.length < 3) return yield* Effect.fail("no")
        return `${input}'s`
      })
    )

  it.effect("that had succeeded are not made again; those that had failed are, as new tasks", () => {
    const world = new World()
    return inWorld(
      { agents: [world.agent, child(world)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const work = Effect.all([Child.call("one"), Child.call("fails")])
        world.work = work
        const before = yield* result(yield* submit("root", null))
        assert.deepStrictEqual([before.ending._tag, world.ran], ["Failed", ["one", "fails"]])
        const { id } = yield* tasks.retry(before.task.id)
        const { ending } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: ["one's", "fails's"] })
        assert.deepStrictEqual(world.ran, ["one", "fails", "fails"])
        assert.lengthOf(yield* tasks.tree(id), 2)
        const reused = (yield* eventsOf(id)).flatMap(({ event }) => event._tag === "StepReused" ? [event] : [])
        const [one] = yield* tasks.list({ parent: before.task.id, status: ["completed"], limit: 10 })
        assert.deepStrictEqual(reused.map(({ from, name }) => [name, from]), [["child", one!.id]])
      })
    )
  })

  it.effect("are made anew when the callee's answer no longer fits its contract", () => {
    const Wider = Agent.make("child", { description: "", input: Schema.String, output: Schema.Finite })
    return inWorldOf((world) =>
      Effect.gen(function*() {
        const first = Effect.andThen(Child.call("one"), Effect.fail("no"))
        const { ending } = yield* both(world, first, Effect.ignore(Wider.call("one")))
        assert.deepStrictEqual([ending._tag, world.ran], ["Completed", []])
        assert.lengthOf(yield* (yield* Tasks).list({ agent: "child", limit: 10 }), 2)
      }), { agents: [Child.toLayer((input) => Effect.succeed(input))] })
  })

  it.effect("of ephemeral agents are steps, and reused as such", () => {
    const Quick = Agent.make("quick", { description: "", input: Schema.String, output: Schema.Int, ephemeral: true })
    let calls = 0
    return inWorldOf((world) =>
      Effect.gen(function*() {
        const first = Effect.andThen(Quick.call("x"), Effect.fail("no"))
        const { ending } = yield* both(world, first, Quick.call("x"))
        assert.deepStrictEqual(ending, { _tag: "Completed", result: 1 })
      }), { agents: [Quick.toLayer(() => Effect.sync(() => ++calls))] })
  })
})
