/**
 * A small tree of agents in which every fact occurs that a log can hold, for the harness to kill in the middle of.
 *
 * Its results do not depend on when it is killed: every race has one winner that is decided by time, and what depends on
 * a person or on chance is compared inside the run.
 */
import { Agent, Durable, Human, Orchestrator, Step, TaskContext, Workflow } from "coppice"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Json } from "effect/Schema"
import { appendFileSync } from "node:fs"

/** Leaves a line with the step's idempotency key: the world has changed. */
const touchTheWorld = Effect.map(Step.idempotencyKey, (key) => {
  const file = process.env["COPPICE_EFFECTS"]
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ key, at: Date.now(), pid: process.pid })}\n`)
})

/** An effect that takes a while; a kill after the line and before the record makes it happen again. */
const effect = <A>(name: string, input: Json, value: A, before: Duration.Input = "2 millis") =>
  Step.run(
    name,
    input,
    Effect.sleep(before).pipe(
      Effect.andThen(touchTheWorld),
      Effect.andThen(Effect.sleep("5 millis")),
      Effect.as(value)
    )
  )

class Refusal extends Schema.TaggedError<Refusal>()("Refusal", { why: Schema.String }) {}

const Leaf = Agent.make("leaf", {
  description: "Two effects in a row",
  input: Schema.Struct({ branch: Schema.Int, leaf: Schema.Int }),
  output: Schema.Int,
  concurrency: 4
})

const Branch = Agent.make("branch", {
  description: "Three leaves at once, a rest on a timer, progress",
  input: Schema.Struct({ branch: Schema.Int }),
  output: Schema.Int
})

const Sleeper = Agent.make("sleeper", {
  description: "Sleeps on a timer of the log, then has an effect",
  input: Schema.Struct({ millis: Schema.Int, name: Schema.String }),
  output: Schema.String
})

const Fragile = Agent.make("fragile", {
  description: "Dies after its first effect and goes on in its second attempt",
  input: Schema.Struct({}),
  output: Schema.String
})

const Refuser = Agent.make("refuser", {
  description: "Fails with the error it declares",
  input: Schema.Struct({}),
  output: Schema.String,
  error: Refusal
})

const Asker = Agent.make("asker", {
  description: "Asks a person to choose",
  input: Schema.Struct({ topic: Schema.String }),
  output: Schema.String
})

const Everything = Workflow.make("everything", {
  description: "Every kind of fact in one run",
  input: Schema.Struct({ name: Schema.String, hold: Schema.Boolean }),
  output: Schema.Struct({
    sums: Schema.Array(Schema.Int),
    race: Schema.String,
    patience: Schema.String,
    refusal: Schema.String,
    deadline: Schema.String,
    fragile: Schema.String,
    silence: Schema.String,
    isChanceTheSame: Schema.Boolean,
    choice: Schema.String
  })
})

const LeafLive = Leaf.toLayer(
  Effect.fn("leaf")(function*({ branch, leaf }) {
    const first = yield* effect("first", { branch, leaf }, branch * 10 + leaf)
    return first + (yield* effect("second", { first }, first))
  })
)

const BranchLive = Branch.toLayer(
  Effect.fn("branch")(function*({ branch }) {
    let done = 0
    const values = yield* Effect.forEach(
      [1, 2, 3],
      (leaf) =>
        Effect.tap(
          Leaf.call({ branch, leaf }),
          () => Durable.progress({ progress: ++done, total: 3, message: `leaf ${leaf}` })
        ),
      { concurrency: 2 }
    )
    yield* Effect.sleep("20 millis")
    return values.reduce((sum, value) => sum + value, 0)
  })
)

const SleeperLive = Sleeper.toLayer(
  Effect.fn("sleeper")(function*({ millis, name }) {
    yield* Effect.sleep(millis)
    return yield* effect("woke", { name }, name)
  })
)

const FragileLive = Fragile.toLayer(
  Effect.fn("fragile")(function*() {
    const before = yield* effect("before the fall", {}, "before")
    if ((yield* TaskContext).attempt === 1) return yield* Effect.die(new Error("it fell, as it always does"))
    return `${before}, ${yield* effect("after the fall", {}, "after")}`
  })
)

const RefuserLive = Refuser.toLayer(() => Effect.fail(new Refusal({ why: "it always does" })))

const AskerLive = Asker.toLayer(
  Effect.fn("asker")(function*({ topic }) {
    const { choice } = yield* Human.ask({
      message: `Choose for ${topic}`,
      form: Schema.Struct({ choice: Schema.String })
    }).pipe(Effect.catchTag("NotAccepted", ({ action }) => Effect.succeed({ choice: action })))
    return yield* effect("chosen", { choice }, choice)
  })
)

/** A question nobody answers in time. */
const silence = Human.ask({ message: "Nobody answers this", form: Schema.Struct({ said: Schema.String }) }).pipe(
  Effect.timeoutOption("60 millis"),
  Effect.map(Option.match({ onNone: () => "nobody spoke", onSome: ({ said }) => said })),
  Effect.catchTag("NotAccepted", ({ action }) => Effect.succeed(action))
)

const hour = 3_600_000

const decisions = Effect.gen(function*() {
  const race = yield* Effect.raceFirst(
    Sleeper.call({ millis: 30, name: "the fast one" }),
    Sleeper.call({ millis: hour, name: "the slow one" })
  )
  const patience = yield* Effect.timeoutOption(effect("for ever", {}, "done", "1 hour"), "50 millis")
  const refusal = yield* Effect.catchTag(Refuser.call({}), "Refusal", ({ why }) => Effect.succeed(why))
  const deadline = yield* Sleeper.call({ millis: hour, name: "the late one" }, { deadline: 40 }).pipe(
    Effect.catchTag("CallError", ({ reason }) => Effect.succeed(reason._tag === "Failed" ? reason.reason : reason._tag))
  )
  return { race, patience: Option.getOrElse(patience, () => "ran out"), refusal, deadline }
})

/** A number the code draws again in every replay, and the one that was recorded the first time. */
const chance = Effect.gen(function*() {
  const drawn = yield* Durable.random
  return drawn === (yield* effect("chance", { drawn }, drawn))
})

const EverythingLive = Everything.toLayer(
  Effect.fn("everything")(function*({ hold, name }) {
    // outlives the run: nobody waits for it
    yield* Effect.forkDetach(Sleeper.call({ millis: 900, name: "the one left behind" }, { onParentExit: "continue" }))
    const sums = yield* Effect.forEach([1, 2, 3], (branch) => Branch.call({ branch }), { concurrency: 3 })
    const decided = yield* decisions
    const fragile = yield* Fragile.call({})
    if (hold) {
      yield* Effect.all([Sleeper.call({ millis: hour, name: "held" }), Asker.call({ topic: "nothing" })], {
        concurrency: "unbounded"
      })
    }
    return {
      sums,
      ...decided,
      fragile,
      silence: yield* silence,
      isChanceTheSame: yield* chance,
      choice: yield* Asker.call({ topic: name })
    }
  })
)

export default Orchestrator.make({
  agents: [LeafLive, BranchLive, SleeperLive, FragileLive, RefuserLive, AskerLive, EverythingLive],
  // one defect a run is part of the plan
  supervision: { strategy: "one_for_one", intensity: 1_000, period: "30 seconds" },
  executor: { idleAfter: "200 millis" }
})
