/** Two agents, a question to a person and a supervision tree: the example of the README. */
// #region example
import { Agent, Human, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Review = Agent.make("review", {
  description: "Reviews one file",
  input: Schema.Struct({ path: Schema.String }),
  output: Schema.Struct({ path: Schema.String, verdict: Schema.Literals(["ok", "fix"]) })
})

const Migrate = Workflow.make("migrate", {
  description: "Reviews a folder and applies the fixes a person approves",
  input: Schema.Struct({ paths: Schema.Array(Schema.String) }),
  output: Schema.Struct({ fixed: Schema.Array(Schema.String) })
})

const ReviewLive = Review.toLayer(
  Effect.fn("review")(function*({ path }) {
    // recorded: after a crash the result is read from the log, the body does not run again
    const size = yield* Step.run("measure", { path }, Effect.succeed(path.length))
    return { path, verdict: size > 8 ? "fix" : "ok" }
  })
)

const MigrateLive = Migrate.toLayer(
  Effect.fn("migrate")(function*({ paths }) {
    const reviews = yield* Effect.forEach(paths, (path) => Review.call({ path }), { concurrency: 16 })
    const toFix = reviews.filter(({ verdict }) => verdict === "fix").map(({ path }) => path)
    const { apply } = yield* Human.ask({
      message: `Fix ${toFix.length} of ${paths.length} files?`,
      form: Schema.Struct({ apply: Schema.Boolean })
    })
    return { fixed: apply ? toFix : [] }
  })
)

export const orchestrator = Orchestrator.make({
  agents: [ReviewLive, MigrateLive],
  supervision: { strategy: "one_for_one", intensity: 5, period: "30 seconds" }
})
// #endregion example

// #region run
const program = Effect.gen(function*() {
  yield* Effect.forkChild(Orchestrator.answerAll(() => ({ apply: true })))
  return yield* Orchestrator.run("migrate", { paths: ["a.js", "long-name.js"] })
})

const { ending, task } = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
// #endregion run

if (ending._tag !== "Completed") throw new Error(`the run ${task.status}: ${task.statusMessage}`)
console.log(JSON.stringify(ending.result))
