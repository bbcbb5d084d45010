/** What a running task is told, and what becomes of its limits (field.md D18). */
import type { TaskId } from "@coppice/task/Task"
import { type Steer, Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import { Executor } from "../../src/Executor.ts"
import * as Human from "../../src/Human.ts"
import * as Steering from "../../src/Steering.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root, type Work } from "../support/Twice.ts"
import { eventsOf, inWorld, orderOf, pause, result, submit, tagsOf } from "../support/World.ts"

const Leaf = Agent.make("leaf", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 1 })
const leaf = (handler: (input: Schema.Json) => Work) => Leaf.toLayer(handler)
const asleep = leaf(() => Effect.as(Effect.sleep("1 hour"), "slept"))

const steer = (id: TaskId, more: Omit<Steer, "id" | "by">) =>
  Effect.flatMap(Tasks, (tasks) => tasks.steer({ id, by: "ada", ...more }))

const childOf = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.tree(id), (tree) => tree[1]!.id))
const get = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.get(id))
const completed = (id: TaskId) =>
  Effect.map(result(id), ({ ending }) => {
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return ending.result
  })

const said = Effect.map(Steering.next, ({ by, message }) => `${by}: ${message}`)

describe("a message", () => {
  it.effect("is heard by whoever waits for it, and who reads later", () =>
    inWorld(
      {
        agents: [root(Effect.gen(function*() {
          const first = yield* said
          yield* Effect.sleep("1 minute")
          const rest = yield* Steering.messages
          return [first, ...rest.map(({ message }) => message), (yield* Steering.messages).length]
        }))]
      },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* steer(id, { message: "one" })
        yield* pause
        yield* steer(id, { message: "two" })
        yield* steer(id, { message: "three" })
        assert.deepStrictEqual(yield* completed(id), ["ada: one", "two", "three", 0])
        assert.deepStrictEqual((yield* tagsOf(id)).filter((tag) => tag === "Steered").length, 3)
      })
    ))

  it.effect("wakes a task that has left memory", () =>
    inWorld(
      { agents: [root(said)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* (yield* Executor).evictIdle
        yield* pause
        assert.strictEqual((yield* Executor).residentCount(), 0)
        yield* steer(id, { message: "up" })
        assert.strictEqual(yield* completed(id), "ada: up")
      })
    ))

  it.effect("is not lost by a wait that gave up, and a replay hears all at the same moments", () => {
    const batches: Array<Batch> = []
    const bodies: Array<string> = []
    const step = (name: string) => Step.run(name, Effect.sync(() => bodies.push(name)))
    const work = Effect.gen(function*() {
      const none = yield* Effect.timeoutOption(said, "1 second")
      const early = (yield* Steering.messages).length
      yield* step("a")
      const heard = yield* Effect.all([said, said], { concurrency: "unbounded" })
      yield* step("b")
      yield* Effect.ignore(Human.ask({ message: "on?", form: Schema.Struct({}) }))
      return [none._tag, early, ...heard, ...(yield* Steering.messages).map(({ message }) => message)]
    })
    const answered = (id: TaskId) =>
      Effect.flatMap(Tasks, (tasks) => tasks.respond({ id, response: { action: "accept", content: {}, by: "ada" } }))
    return Effect.gen(function*() {
      const id = yield* inWorld(
        { agents: [root(work)], store: recording(batches) },
        Effect.gen(function*() {
          const id = yield* submit("root", null)
          yield* Effect.sleep("2 seconds")
          yield* steer(id, { message: "one" })
          yield* Effect.sleep(10)
          yield* steer(id, { message: "two" })
          yield* Effect.sleep(10)
          yield* steer(id, { message: "three" })
          yield* pause
          return id
        })
      )
      const again = yield* inWorld(
        { agents: [root(work)], store: restored(batches) },
        Effect.andThen(answered(id), completed(id))
      )
      assert.deepStrictEqual(again, ["None", 0, "ada: one", "ada: two", "three"])
      assert.deepStrictEqual(bodies, ["a", "b"])
    })
  })

  it.effect("reaches all of a tree when it is meant for all, and an ended task refuses it", () =>
    inWorld(
      {
        agents: [
          leaf(() => said),
          root(Effect.flatMap(Leaf.call(1), (below) => Effect.map(said, (own) => [below, own])))
        ]
      },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* steer(id, { message: "all", subtree: true })
        assert.deepStrictEqual(yield* completed(id), ["ada: all", "ada: all"])
        const refused = yield* Effect.flip(steer(id, { message: "late" }))
        assert.strictEqual(refused._tag, "Refused")
      })
    ))
})

describe("a priority", () => {
  it.effect("decides who goes first, is inherited, and can be changed while it waits", () =>
    inWorld(
      { agents: [leaf((input) => Step.run("work", Effect.as(Effect.sleep("1 minute"), input)))] },
      Effect.gen(function*() {
        yield* submit("leaf", "running")
        yield* pause
        const ids = new Map<string, TaskId>()
        for (const [name, priority] of [["low", 0], ["lower", -1], ["high", 5], ["late", 0], ["raised", 0]] as const) {
          ids.set(name, yield* submit("leaf", name, { priority }))
        }
        yield* pause
        yield* steer(ids.get("raised")!, { priority: 9 })
        for (const id of ids.values()) yield* result(id)
        const ends = (yield* eventsOf()).flatMap(({ event }) => event._tag === "Completed" ? [event.result] : [])
        assert.deepStrictEqual(ends, ["running", "raised", "high", "low", "late", "lower"])
        assert.strictEqual((yield* get(ids.get("raised")!)).spec.priority, 9)
      })
    ))

  it.effect("of a parent is that of the children it makes from then on", () =>
    inWorld(
      { agents: [asleep, root(Effect.andThen(said, Leaf.call(1)))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* steer(id, { message: "go", priority: 3 })
        yield* pause
        assert.strictEqual((yield* get(yield* childOf(id))).spec.priority, 3)
      })
    ))
})

describe("a deadline", () => {
  const minutes = (n: number) =>
    Effect.map(Effect.clockWith((clock) => clock.currentTimeMillis), (now) => now + n * 60_000)

  it.effect("can be set, shortens those below, and ends them", () =>
    inWorld(
      { agents: [asleep, root(Leaf.call(1))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        const child = yield* childOf(id)
        const deadline = yield* minutes(5)
        yield* steer(id, { deadline })
        assert.strictEqual((yield* get(child)).deadline, deadline)
        const { ending, task } = yield* result(id)
        assert(ending._tag === "Failed" && ending.reason === "deadline", JSON.stringify(ending))
        assert.isAtLeast(task.endedAt!, deadline)
        assert.isBelow(task.endedAt!, deadline + 1_000)
        yield* pause
        assert.deepStrictEqual(yield* orderOf(["Cancelled", "Failed"]), ["leaf Failed", "root Failed"])
      })
    ))

  it.effect("can be put off, but not beyond that of the task above", () =>
    inWorld(
      { agents: [asleep, root(Leaf.call(1, { deadline: 60_000 }))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null, { deadline: yield* minutes(90) })
        yield* pause
        const child = yield* childOf(id)
        const refused = yield* Effect.flip(steer(child, { deadline: yield* minutes(91) }))
        assert(refused._tag === "InvalidSteering", String(refused))
        assert.strictEqual(refused.field, "deadline")
        yield* steer(child, { deadline: yield* minutes(80) })
        assert.strictEqual(yield* completed(id), "slept")
      })
    ))

  it.effect("of the past, and an empty wish, are refused and write nothing", () =>
    inWorld(
      { agents: [asleep] },
      Effect.gen(function*() {
        const id = yield* submit("leaf", null)
        yield* pause
        const fields = yield* Effect.forEach(
          [{ deadline: 1 }, {}, { message: "" }, { priority: 0.5 }],
          (more) => Effect.map(Effect.flip(steer(id, more)), (error) => error._tag === "InvalidSteering" && error.field)
        )
        assert.deepStrictEqual(fields, ["deadline", "message", "message", "priority"])
        assert.notInclude(yield* tagsOf(id), "Steered")
      })
    ))
})
