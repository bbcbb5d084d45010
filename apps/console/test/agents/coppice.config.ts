/**
 * Agents for the console's tests: one that says what it is told in every way there is, one that refuses, one that dies,
 * two that ask, one that waits, and a workflow over them.
 */
import { Agent, Durable, Human, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Text = Schema.Struct({ text: Schema.String })

const Parrot = Agent.make("parrot", {
  description: "Says what it is told: as progress, as log lines, as the input and result of a step, as its result",
  input: Text,
  output: Text
})

const ParrotLive = Parrot.toLayer(({ text }) =>
  Effect.gen(function*() {
    yield* Durable.progress({ progress: 1, total: 2, message: text })
    yield* Durable.log("warning", text)
    yield* Durable.log("info", { [text]: text })
    yield* Step.run("say", { text }, Effect.succeed(text))
    return { text }
  })
)

const Refuse = Agent.make("refuse", {
  description: "Fails, with an error it declares",
  input: Text,
  output: Schema.Null,
  error: Schema.Struct({ reason: Schema.String })
})

const Crash = Agent.make("crash", { description: "Dies", input: Text, output: Schema.Null })

const Nap = Agent.make("nap", {
  description: "Sleeps",
  input: Schema.Struct({ seconds: Schema.Finite }),
  output: Schema.Null
})

const Approval = Schema.Struct({ ok: Schema.Boolean, note: Schema.optionalKey(Schema.String) })

const Approve = Agent.make("approve", { description: "Asks a person", input: Text, output: Approval })

const Visit = Agent.make("visit", {
  description: "Sends a person to a page",
  input: Schema.Struct({ text: Schema.String, url: Schema.String }),
  output: Schema.Null
})

const Release = Workflow.make("release", {
  description: "Does some parts, naps beside them, and asks for approval",
  input: Schema.Struct({ parts: Schema.Int, naps: Schema.Int, text: Schema.String }),
  output: Approval
})

const times = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

const ReleaseLive = Release.toLayer(Effect.fnUntraced(function*({ naps, parts, text }) {
  yield* Effect.forEach(times(parts), (part) => Parrot.call({ text: `part ${part}` }), { concurrency: 8 })
  const sleeping = Effect.forEach(times(naps), (nap) => Nap.call({ seconds: 600 + nap }), { concurrency: "unbounded" })
  const [answer] = yield* Effect.all([Approve.call({ text }), sleeping], { concurrency: "unbounded" })
  return answer
}, Effect.orDie))

/** As many tasks as somebody wants, in one run. */
const Fan = Workflow.make("fan", {
  description: "Calls many",
  input: Schema.Struct({ width: Schema.Int }),
  output: Schema.Int
})

/** As many facts of one task as somebody wants. */
const Chatter = Agent.make("chatter", {
  description: "Logs many lines",
  input: Schema.Struct({ lines: Schema.Int }),
  output: Schema.Int
})

export default Orchestrator.make({
  agents: [
    Chatter.toLayer(({ lines }) =>
      Effect.as(Effect.forEach(times(lines), (line) => Durable.log("info", `line ${line}`), { discard: true }), lines)
    ),
    ParrotLive,
    Refuse.toLayer(({ text }) => Effect.fail({ reason: text })),
    Crash.toLayer(({ text }) => Effect.die(new Error(text))),
    Nap.toLayer(({ seconds }) => Effect.as(Durable.sleep(seconds * 1_000), null)),
    Approve.toLayer(({ text }) => Effect.orDie(Human.ask({ message: text, form: Approval }))),
    Visit.toLayer(({ text, url }) => Effect.as(Effect.orDie(Human.openUrl({ message: text, url })), null)),
    ReleaseLive,
    Fan.toLayer(Effect.fnUntraced(function*({ width }) {
      yield* Effect.forEach(times(width), (part) => Parrot.call({ text: `part ${part}` }), { concurrency: 16 })
      return width
    }, Effect.orDie))
  ]
})
