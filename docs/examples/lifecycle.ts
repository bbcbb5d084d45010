/** The life of a task: it works, asks, is steered while it waits, and ends; read back from its facts. */
import { Agent, Human, Orchestrator, Steering, Step, type TaskId, Tasks } from "coppice"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const Report = Agent.make("report", {
  description: "Writes a report, as a person wants it",
  input: Schema.Struct({ topic: Schema.String }),
  output: Schema.String
})
const write = (text: string) => Step.run("write", text, Effect.succeed(text))

// #region steering
const ReportLive = Report.toLayer(
  Effect.fn("report")(function*({ topic }) {
    const draft = yield* write(`About ${topic}`)
    // goes on when somebody says how
    const { by, message } = yield* Steering.next
    const text = yield* write(`${draft}, ${message} (${by})`)
    const { publish } = yield* Human.ask({ message: text, form: Schema.Struct({ publish: Schema.Boolean }) })
    return publish ? text : "nothing"
  })
)
// #endregion steering

// #region steer
const hurry = Effect.fn("hurry")(function*(id: TaskId) {
  const tasks = yield* Tasks
  const deadline = (yield* Clock.currentTimeMillis) + 60_000
  yield* tasks.steer({ id, by: "ada", message: "in one line", priority: 5, deadline })
})
// #endregion steer

const story = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* tasks.submit({ agent: "report", input: { topic: "bees" } })
  yield* hurry(id)
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ publish: true })))
  const { ending, task } = yield* tasks.result(id)
  const facts = (yield* tasks.events({ task: id, since: 0, limit: 100 })).map(({ event }) => event._tag)
  const late = yield* Effect.flip(tasks.steer({ id, by: "ada", message: "too late" }))
  return { ending, task, facts, late }
})
const { ending, facts, late, task } = await Effect.runPromise(
  Effect.provide(story, Orchestrator.layer(Orchestrator.make({ agents: [ReportLive] })))
)

assert(ending._tag === "Completed" && ending.result === "About bees, in one line (ada)")
assert.equal(task.status, "completed")
assert.equal(task.settlement, "finished_before")
assert.equal(task.spec.priority, 5)
assert.match(late.message, /already completed/)
assert.deepEqual(
  new Set(facts),
  new Set([
    "Created",
    "StepRecorded",
    "Steered",
    "InputRequested",
    "InputReceived",
    "Completed"
  ])
)
console.log(facts.join(" → "))
