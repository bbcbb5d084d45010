/** A test of an agent: in memory, on virtual time, with a person who answers. */
import { Agent, Human, Orchestrator, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import assert from "node:assert/strict"

const Reminder = Agent.make("reminder", {
  description: "Waits for three hours, then asks whether it is done",
  input: Schema.Struct({ what: Schema.String }),
  output: Schema.Boolean
})

let mails = 0
const mail = Effect.sync(() => void mails++)

const ReminderLive = Reminder.toLayer(
  Effect.fn("reminder")(function*({ what }) {
    yield* Step.run("mail", { what }, mail)
    yield* Effect.sleep("3 hours")
    const { done } = yield* Human.ask({ message: `Is "${what}" done?`, form: Schema.Struct({ done: Schema.Boolean }) })
    return done
  })
)

const orchestrator = Orchestrator.make({ agents: [ReminderLive] })

// #region clock
/** Moves the clock in small steps until the fiber ends; between them commits, which take real time, get their turn. */
const moveUntilEnd = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.gen(function*() {
    while (fiber.pollUnsafe() === undefined) {
      yield* TestClock.adjust("10 minutes")
      yield* TestClock.withLive(Effect.sleep("1 millis"))
    }
    return yield* Fiber.join(fiber)
  })
// #endregion clock

// #region test
const test = Effect.gen(function*() {
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ done: true })))
  const running = yield* Effect.forkChild(Orchestrator.run("reminder", { what: "tax" }))
  const { ending, task } = yield* moveUntilEnd(running)

  assert(ending._tag === "Completed" && ending.result === true)
  assert(task.updatedAt - task.createdAt >= 3 * 60 * 60 * 1_000)
  assert.equal(mails, 1)
})

const world = Layer.provideMerge(Orchestrator.layer(orchestrator, "memory:"), TestClock.layer())
await Effect.runPromise(Effect.provide(test, world))
// #endregion test
console.log("three hours in no time")
