/**
 * Agents for the command's tests against a real service: one that ends at once, one that fails, one that fails every
 * other time, one that waits, one that asks, and a workflow over them.
 */
import { Agent, Durable, Human, Orchestrator, Step, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"

const Greet = Agent.make("greet", {
  description: "Greets somebody, in the language they like best",
  input: Schema.Struct({
    name: Schema.String.check(Schema.isNonEmpty()),
    language: Schema.optionalKey(Schema.Literals(["en", "de", "ja"]))
  }),
  output: Schema.Struct({ greeting: Schema.String })
})

const greetings = { en: "Hello", de: "Hallo", ja: "こんにちは" }

const GreetLive = Greet.toLayer(({ language = "en", name }) =>
  Effect.succeed({ greeting: `${greetings[language]} ${name}` })
)

const Break = Agent.make("break", {
  description: "Fails, with an error it declares",
  input: Schema.Struct({ why: Schema.optionalKey(Schema.String) }),
  output: Schema.Null,
  error: Schema.Struct({ reason: Schema.String })
})

const BreakLive = Break.toLayer(({ why = "it was asked to" }) => Effect.fail({ reason: why }))

const Mend = Agent.make("mend", {
  description: "Works, and then fails every other time",
  input: Schema.Struct({ what: Schema.String }),
  output: Schema.Struct({ works: Schema.Int, checks: Schema.Int }),
  error: Schema.Literal("not yet")
})

const count = { works: 0, checks: 0 }

const MendLive = Mend.toLayer(({ what }) =>
  Effect.gen(function*() {
    const works = yield* Step.run("work", what, Effect.sync(() => ++count.works))
    const check = Effect.suspend(() => ++count.checks % 2 === 1 ? Effect.fail("not yet" as const) : Effect.void)
    yield* Step.run("check", what, check)
    return { works, checks: count.checks }
  })
)

const Wait = Agent.make("wait", {
  description: "Waits, and tells how far it is",
  input: Schema.Struct({ millis: Schema.Int, steps: Schema.optionalKey(Schema.Int) }),
  output: Schema.Int
})

const WaitLive = Wait.toLayer(Effect.fnUntraced(function*({ millis, steps = 1 }) {
  for (let step = 1; step <= steps; step++) {
    yield* Durable.sleep(millis / steps)
    yield* Durable.progress({ progress: step, total: steps, message: `step ${step}` })
  }
  return millis
}))

const Spin = Agent.make("spin", {
  description: "Keeps the event loop busy, in its handler or in a step",
  input: Schema.Struct({ millis: Schema.Int, inStep: Schema.optionalKey(Schema.Boolean) }),
  output: Schema.Null
})

const SpinLive = Spin.toLayer(({ inStep = false, millis }) => {
  const spin = Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
    return null
  })
  return inStep ? Step.run("spin", spin) : spin
})

const Approval = Schema.Struct({
  approve: Schema.Boolean,
  reason: Schema.optionalKey(Schema.String),
  reviewers: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })))
})

const Approve = Agent.make("approve", {
  description: "Asks a person, or as many of the leads as are wanted",
  input: Schema.Struct({ message: Schema.String, quorum: Schema.optionalKey(Schema.Int) }),
  output: Approval
})

const ApproveLive = Approve.toLayer(({ message, quorum }) => {
  const rules = quorum === undefined ? {} : { to: "@lead", quorum, within: "2 hours", remind: "1 hour" }
  return Effect.orDie(Human.ask({ message, form: Approval, ...rules } as Human.Ask<typeof Approval>))
})

/** The token of a person of these tests. */
const tokenOf = (name: string) => Redacted.make(`the-own-token-of-${name}`)

const Release = Workflow.make("release", {
  description: "Checks some parts, asks for approval, and greets",
  input: Schema.Struct({ parts: Schema.Int, millis: Schema.optionalKey(Schema.Int) }),
  output: Schema.Struct({ approved: Schema.Boolean })
})

const ReleaseLive = Release.toLayer(Effect.fnUntraced(function*({ millis = 1_000, parts }) {
  let done = 0
  yield* Effect.forEach(
    Array.from({ length: parts }, (_, index) => index),
    (index) =>
      Effect.tap(
        Wait.call({ millis: millis + index * 300, steps: 5 }),
        () => Durable.progress({ progress: ++done, total: parts, message: `part ${index + 1} of ${parts}` })
      ),
    { concurrency: 8 }
  )
  const { approve } = yield* Approve.call({ message: `Release ${parts} parts?` })
  yield* Greet.call({ name: "world" })
  return { approved: approve }
}, Effect.orDie))

export default Orchestrator.make({
  agents: [GreetLive, BreakLive, MendLive, WaitLive, SpinLive, ApproveLive, ReleaseLive],
  people: {
    ann: { roles: ["lead"], token: tokenOf("ann") },
    bob: { roles: ["lead"], token: tokenOf("bob") },
    cy: { token: tokenOf("cy") }
  }
})
