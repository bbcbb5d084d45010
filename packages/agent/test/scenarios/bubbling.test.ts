/** Questions from any depth wait at once, and an answer resumes only its asker (D7). */
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored } from "../support/Recording.ts"
import { root } from "../support/Twice.ts"
import { inWorld, pause, result, type Services, submit } from "../support/World.ts"

const Name = Schema.Struct({ name: Schema.String })
const agent = (name: string) =>
  Agent.make(name, { description: name, input: Name, output: Schema.Json, error: Schema.Never })
const Middle = agent("middle")
const Leaf = agent("leaf")

/** Code that ran, before a question and after it. */
const ran: Array<string> = []
const mark = (text: string) => Step.run("mark", { text }, Effect.sync(() => void ran.push(text)))

/** Asks once, with code before and after. */
const asks = (name: string) =>
  Effect.gen(function*() {
    yield* mark(`before ${name}`)
    const { n } = yield* Effect.orDie(
      Human.ask({ message: `${name}?`, name, form: Schema.Struct({ n: Schema.Int }) })
    )
    yield* mark(`after ${name}`)
    return n
  })

const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

// five questions on three levels: root ─► middle ─► leaf
const questions = ["root", "m1", "m1.a", "m1.b", "m2.a"] as const
const agents = [
  Leaf.toLayer(({ name }) => asks(name)),
  Middle.toLayer(({ name }) =>
    name === "m1"
      ? all([asks("m1"), Effect.orDie(Leaf.call({ name: "m1.a" })), Effect.orDie(Leaf.call({ name: "m1.b" }))])
      : all([Effect.orDie(Leaf.call({ name: "m2.a" }))])
  ),
  root(all([
    asks("root"),
    Effect.orDie(Middle.call({ name: "m1" })),
    Effect.orDie(Middle.call({ name: "m2" }))
  ]))
]
const whole = [0, [1, 2, 3], [4]]

/** The questions that are open below the root, from the inbox of its run. */
const openOf = (id: TaskId) =>
  Effect.flatMap(
    Tasks,
    (tasks) => Effect.map(tasks.inbox({ run: id }), (inputs) => inputs.map(({ request }) => request.key).toSorted())
  )

const answer = (id: TaskId, key: string) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    const open = (yield* tasks.inbox({ run: id })).find(({ request }) => request.key === key)!
    const n = questions.indexOf(key as typeof questions[number])
    yield* tasks.respond({ id: open.task, key, response: { action: "accept", content: { n }, by: "ann" } })
    yield* pause
  })

const before = questions.map((name) => `before ${name}`)

describe("five questions of three levels", () => {
  const order = Arbitrary.map(
    Arbitrary.schema(Schema.Tuple(questions.map(() => Schema.Finite))),
    (keys) =>
      questions.map((name, i) => ({ name, key: keys[i]! })).toSorted((a, b) => a.key - b.key).map(({ name }) => name)
  )

  it.effect.prop("resume their askers alone, in whatever order they are answered", [
    order,
    Arbitrary.schema(Schema.Boolean)
  ], (
    [order, isRestarted]
  ) =>
    Effect.gen(function*() {
      ran.length = 0
      const batches: Array<Batch> = []
      const world = <A>(life: Effect.Effect<A, unknown, Services>, seed: string) =>
        inWorld({ agents, store: recording(batches, restored([...batches])), seed, patience: 1e9 }, life)
      const asked = Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        assert.deepStrictEqual(yield* openOf(id), [...questions].toSorted())
        return id
      })
      const answered = (id: TaskId) =>
        Effect.gen(function*() {
          yield* pause
          for (const [i, name] of order.entries()) {
            yield* answer(id, name)
            assert.sameMembers(ran, [...before, ...order.slice(0, i + 1).map((name) => `after ${name}`)])
            assert.deepStrictEqual(yield* openOf(id), order.slice(i + 1).toSorted())
          }
          const { ending } = yield* result(id)
          assert.deepInclude(ending, { _tag: "Completed", result: whole })
        })
      if (!isRestarted) return yield* world(Effect.flatMap(asked, answered), "one")
      const id = yield* world(asked, "one")
      yield* world(answered(id), "two")
    }), { arbitrary: { runs: 20 } })
})
