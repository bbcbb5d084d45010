/** A release renames a step while a run waits: the run asks, is migrated, and does nothing twice. */
import { Agent, Human, Orchestrator, Step, Tasks } from "coppice"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import assert from "node:assert/strict"

const done: Array<string> = []
const step = (name: string) => Step.run(name, Effect.sync(() => done.push(name)))

const contract = {
  description: "Lists, checks, asks",
  input: Schema.Struct({ folder: Schema.String }),
  output: Schema.Boolean
}
const approval = Human.ask({ message: "Ship it?", form: Schema.Struct({ ship: Schema.Boolean }) })

const Old = Agent.make("review", contract)
const OldLive = Old.toLayer(
  Effect.fn("review")(function*() {
    yield* step("list files")
    yield* step("check")
    return (yield* approval).ship
  })
)

// #region migrate
const New = Agent.make("review", {
  ...contract,
  migrate: {
    moves: [
      { from: "step:check", to: "step:lint" }, // renamed
      { drop: "step:warm up" }, // gone
      { reuse: "step:list files" }, // asked for at another place
      { supply: "step:language", result: "en" } // new, for tasks that are past it
    ],
    input: (recorded) => recorded // as the schema wants it now
  }
})
// #endregion migrate
const NewLive = New.toLayer(
  Effect.fn("review")(function*() {
    yield* step("language")
    yield* step("lint")
    yield* step("list files")
    return (yield* approval).ship
  })
)

/** Answers what is asked next, as soon as it is. */
const answer = (content: Schema.Json) =>
  Effect.gen(function*() {
    const tasks = yield* Tasks
    while (true) {
      const [question] = yield* tasks.inbox({})
      if (question !== undefined) {
        const response = { action: "accept", content, by: "ada" } as const
        yield* tasks.respond({ id: question.task, key: question.request.key, response })
        return question.request
      }
      yield* TestClock.adjust("1 second")
      yield* TestClock.withLive(Effect.sleep("1 millis"))
    }
  })

const release = (agent: typeof OldLive, code: string) =>
  Layer.provideMerge(
    Orchestrator.layer(Orchestrator.make({ agents: [agent], code }), "sqlite:upgrades.db"),
    TestClock.layer()
  )

const before = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* tasks.submit({ agent: "review", input: { folder: "src" } })
  while ((yield* tasks.inbox({})).length === 0) yield* TestClock.withLive(Effect.sleep("1 millis"))
  return id
})
const id = await Effect.runPromise(Effect.provide(before, release(OldLive, "1.4.0")))

const after = Effect.gen(function*() {
  yield* answer({ ship: true })
  const question = yield* answer({ choice: "migrate" })
  assert.match(question.message, /- step "list files" {3}\(recorded, and the code does not ask for it\)/)
  assert.match(question.message, /Code 1\.4\.0 then, 1\.5\.0 now\./)
  return { question, ...yield* (yield* Tasks).result(id) }
})
const { ending, question } = await Effect.runPromise(Effect.provide(after, release(NewLive, "1.5.0")))

assert(ending._tag === "Completed" && ending.result === true)
assert.deepEqual(done, ["list files", "check"])
console.log(question.message)
