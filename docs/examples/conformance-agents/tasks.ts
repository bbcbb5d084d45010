/**
 * Agents whose calls become tasks.
 */
import { Agent, Content, Human } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { nothing } from "./content.ts"

const said = (text: string) => Content.result(Content.text(text))

const Greet = Agent.make("greet", {
  description: "Greets at once",
  input: Schema.Struct({ name: Schema.String }),
  output: Content.Result,
  task: "never"
}).toLayer(({ name }) => Effect.succeed(said(`Hello, ${name}!`)))

const SlowCompute = Agent.make("slow_compute", {
  description: "Takes its time",
  input: Schema.Struct({ seconds: Schema.Finite, label: Schema.optionalKey(Schema.String) }),
  output: Content.Result,
  task: "always"
}).toLayer(({ label = "result", seconds }) =>
  Effect.as(Effect.sleep(seconds * 1000), said(`${label}: computed for ${seconds} s`))
)

const FailingJob = Agent.make("failing_job", {
  description: "Fails after a second with an error a model may read",
  input: nothing,
  output: Content.Result,
  error: Schema.String,
  task: "required"
}).toLayer(() => Effect.andThen(Effect.sleep("1 second"), Effect.fail("The job failed, as it always does")))

const ProtocolErrorJob = Agent.make("protocol_error_job", {
  description: "Breaks",
  input: nothing,
  output: Content.Result,
  task: "always",
  attempts: 1
}).toLayer(() => Effect.die(new Error("The job broke")))

const Confirm = Schema.Struct({ confirm: Schema.Boolean })

const ConfirmDelete = Agent.make("confirm_delete", {
  description: "Asks before it deletes",
  input: Schema.Struct({ filename: Schema.String }),
  output: Content.Result,
  task: "always"
}).toLayer(({ filename }) =>
  Effect.map(
    Human.ask({ message: `Delete ${filename}?`, form: Confirm, name: "confirm" }),
    ({ confirm }) => said(confirm ? `Deleted ${filename}` : `Kept ${filename}`)
  )
)

const MultiInput = Agent.make("multi_input", {
  description: "Asks two questions at once",
  input: nothing,
  output: Content.Result,
  task: "always"
}).toLayer(() =>
  Effect.map(
    Effect.all([
      Human.ask({ message: "What is your name?", form: Schema.Struct({ name: Schema.String }), name: "name" }),
      Human.ask({ message: "Are you sure?", form: Confirm, name: "sure" })
    ], { concurrency: "unbounded" }),
    ([{ name }, { confirm }]) => said(`${name}: ${confirm}`)
  )
)

const WithTask = Agent.make("test_tool_with_task", {
  description: "Asks first, then takes its time",
  input: nothing,
  output: Content.Result
}).toLayer(
  Effect.fn("with task")(function*() {
    const { name } = yield* Human.ask({
      message: "What is your name?",
      form: Schema.Struct({ name: Schema.String }),
      name: "user_name"
    })
    yield* Effect.sleep("500 millis")
    return said(`Done for ${name}`)
  })
)

export const tasks = [Greet, SlowCompute, FailingJob, ProtocolErrorJob, ConfirmDelete, MultiInput, WithTask]
