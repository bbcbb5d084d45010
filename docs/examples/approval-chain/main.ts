/** Three invoices and four people: agreed and delegated, changed after the yes, and left alone. */
import { Orchestrator, type TaskId, Tasks } from "coppice"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import assert from "node:assert/strict"
import * as Bank from "./agents/Bank.ts"
import config from "./coppice.config.ts"

const start = (supplier: string, patience: number) =>
  Effect.flatMap(
    Tasks,
    (tasks) => Effect.map(tasks.submit({ agent: "pay", input: { supplier, patience } }), ({ id }) => id)
  )

/** Waits until the run has asked so many questions. */
const asked = (id: TaskId, count: number) =>
  Effect.flatMap(Tasks, (tasks) =>
    tasks.watch({ run: id, since: 0 }).pipe(
      Stream.filter(({ event }) => event._tag === "InputRequested"),
      Stream.take(count),
      Stream.runDrain
    ))

const say = (id: TaskId, by: string, action: "accept" | "decline" = "accept", content: object = {}) =>
  Effect.flatMap(
    Tasks,
    (tasks) => tasks.respond({ id, response: { action, content: content as { readonly choice?: string }, by } })
  )

const ended = (id: TaskId) =>
  Effect.flatMap(
    Tasks,
    (tasks) => Effect.map(tasks.result(id), ({ ending }) => ending._tag === "Completed" ? ending.result : ending)
  )

const hour = 60 * 60 * 1_000

/** Ann agrees, Bob has Dan decide, and Dan does. */
const agreed = Effect.gen(function*() {
  const tasks = yield* Tasks
  const id = yield* start("acme", hour)
  yield* asked(id, 1)
  const early = yield* Effect.flip(say(id, "cy"))
  assert.equal(early.message, "\"cy\" may not answer this question; ann, bob may")
  yield* say(id, "ann")
  yield* tasks.delegate({ id, by: "bob", to: "dan" })
  yield* say(id, "dan")
  yield* asked(id, 2)
  yield* say(id, "ann", "accept", { choice: "reserve" })
  assert.deepEqual(yield* ended(id), { paid: true, why: "ann and dan agreed" })
})

/** What is owed changes after the yes: they are asked again, about what would be paid now. */
const changed = Effect.gen(function*() {
  const tasks = yield* Tasks
  const id = yield* start("globex", hour)
  yield* asked(id, 1)
  for (const by of ["ann", "bob"]) yield* say(id, by)
  yield* asked(id, 2)
  Bank.owed.set("globex", 9_000_000)
  yield* say(id, "bob", "accept", { choice: "main" })
  yield* asked(id, 3)
  const [again] = yield* tasks.inbox({ run: id })
  assert.match(again!.request.message, /"cents": 9000000/)
  yield* say(id, "bob", "decline")
  assert.deepEqual(yield* ended(id), { paid: false, why: "bob said no" })
})

/** Nobody looks: the director is let in, and in the end it was nobody's no. */
const silent = Effect.gen(function*() {
  const tasks = yield* Tasks
  const id = yield* start("initech", 400)
  assert.deepEqual(yield* ended(id), { paid: false, why: "nobody decided (undelivered)" })
  const facts = yield* tasks.events({ task: id, since: 0, limit: 100 })
  const told = facts.flatMap(({ event }) => event._tag.startsWith("Input") ? [event._tag] : [])
  assert.deepEqual(told, ["InputRequested", "InputReminded", "InputEscalated", "InputReceived"])
})

const program = Effect.andThen(agreed, Effect.andThen(changed, silent))
await Effect.runPromise(Effect.provide(program, Orchestrator.layer(config)))
assert.deepEqual(Bank.transfers, [{ to: "acme", cents: 120_000, account: "reserve" }])
console.log("1 of 3 invoices paid, by two people who saw exactly that payment")
