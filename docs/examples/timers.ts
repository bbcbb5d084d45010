/** Time in a handler: sleeps, deadlines, retries and races are timers in the log. */
import { Agent, Durable, Orchestrator, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}

let tries = 0
const fetchReport = Effect.suspend(() => ++tries < 3 ? Effect.fail(new Busy()) : Effect.succeed("report"))

const Watch = Agent.make("watch", {
  description: "Waits, tries again, and takes the faster of two answers",
  input: Schema.Struct({}),
  output: Schema.Struct({ waited: Schema.Finite, report: Schema.String, faster: Schema.String }),
  error: Busy
})

// #region handler
const WatchLive = Watch.toLayer(
  Effect.fn("watch")(function*() {
    const before = yield* Durable.now
    yield* Effect.sleep("20 millis")
    const waited = (yield* Durable.now) - before

    let round = 0
    const report = yield* Effect.suspend(() => Step.run("fetch", { round: ++round }, fetchReport)).pipe(
      Effect.retry(Schedule.exponential("10 millis").pipe(Schedule.upTo({ times: 4 })))
    )

    const faster = yield* Effect.race(
      Effect.as(Effect.sleep("10 millis"), "hare"),
      Effect.as(Effect.sleep("1 day"), "tortoise")
    )
    return { waited, report, faster }
  })
)
// #endregion handler

const orchestrator = Orchestrator.make({ agents: [WatchLive] })
const { ending } = await Effect.runPromise(
  Effect.provide(Orchestrator.run("watch", {}), Orchestrator.layer(orchestrator))
)
assert(ending._tag === "Completed", JSON.stringify(ending))
const { faster, report, waited } = ending.result as Readonly<Record<string, unknown>>
assert(Number(waited) >= 20)
assert.deepEqual([report, faster, tries], ["report", "hare", 3])
console.log(JSON.stringify(ending.result))
