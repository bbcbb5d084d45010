/**
 * Agents the tests run, in this process and as a real service.
 */
import { Agent, Durable, Human, Mcp, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Text = Schema.Struct({ text: Schema.String })

export class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { why: Schema.String }) {}

const Echo = Agent.make("echo", { description: "Says it again", input: Text, output: Schema.String })
const Double = Workflow.make("double", { description: "Says it twice", input: Text, output: Schema.String })
const Ask = Agent.make("ask", { description: "Asks a person", input: Text, output: Schema.Boolean })
const Nap = Agent.make("nap", {
  description: "Sleeps",
  input: Schema.Struct({ seconds: Schema.Finite }),
  output: Schema.Null
})
const Refuse = Agent.make("refuse", { description: "Refuses", input: Text, output: Schema.Null, error: Refusal })
const Survey = Workflow.make("survey", {
  description: "Asks through another agent",
  input: Text,
  output: Schema.Boolean
})
const Narrow = Agent.make("narrow", {
  description: "One at a time",
  input: Text,
  output: Schema.Null,
  concurrency: 1,
  queue: 1
})
const Mend = Agent.make("mend", {
  description: "Fails every other time, after some work",
  input: Text,
  output: Schema.Struct({ works: Schema.Int }),
  error: Schema.Literal("not yet")
})

const count = { works: 0, checks: 0 }
const work = Step.run("work", Effect.sync(() => ++count.works))
const check = Step.run(
  "check",
  Effect.suspend(() => ++count.checks % 2 === 1 ? Effect.fail("not yet" as const) : Effect.void)
)

/** Holds a place until it is interrupted: a step's body is code, not a wait. */
const hold = Step.run("hold", Effect.never)

/** Something of a user's that does not let go. */
const slowStop = Layer.effectDiscard(
  Effect.addFinalizer(() => process.env["TEST_SLOW_STOP"] === undefined ? Effect.void : Effect.never)
)

/** Says which name it was asked for. */
const note = Mcp.template({
  uriTemplate: "note://{name}",
  name: "note",
  read: (uri, { name = "" }) => Effect.succeed(name === "none" ? undefined : [{ uri, text: name }])
})

export default Orchestrator.make({
  mcp: { templates: [note] },
  agents: [
    Echo.toLayer(({ text }) => Step.run("say", Effect.succeed(text))),
    Double.toLayer(({ text }) =>
      Effect.orDie(Effect.gen(function*() {
        const first = yield* Echo.call({ text })
        yield* Durable.progress({ progress: 1, total: 2 })
        return first + (yield* Echo.call({ text }))
      }))
    ),
    Ask.toLayer(({ text }) =>
      Effect.orDie(
        Human.ask({ message: text, form: Schema.Struct({ ok: Schema.Boolean }) }).pipe(
          Effect.map(({ ok }) => ok)
        )
      )
    ),
    Nap.toLayer(({ seconds }) => Effect.as(Effect.sleep(seconds * 1_000), null)),
    Refuse.toLayer(({ text }) => Effect.fail(new Refusal({ why: text }))),
    Survey.toLayer(({ text }) => Effect.orDie(Ask.call({ text }))),
    Narrow.toLayer(() => Effect.as(hold, null)),
    Mend.toLayer(() => Effect.flatMap(work, (works) => Effect.as(check, { works }))),
    slowStop
  ]
})
