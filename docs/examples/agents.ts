/** Two agents: a contract, a declared error, calls, their errors, and a handler that needs a service. */
import { Agent, Orchestrator, Workflow } from "coppice"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

// #region definition
class NoSuchCity extends Schema.TaggedError<NoSuchCity>()("NoSuchCity", { city: Schema.String }) {}

const Weather = Agent.make("weather", {
  description: "Tells the temperature of a city",
  input: Schema.Struct({ city: Schema.String }),
  output: Schema.Struct({ celsius: Schema.Finite }),
  error: NoSuchCity,
  concurrency: 8,
  attempts: 3
})
// #endregion definition

// #region handler
class Thermometers extends Context.Service<Thermometers, {
  readonly read: (city: string) => Effect.Effect<number | undefined>
}>()("docs/Thermometers") {}

const WeatherLive = Weather.toLayer(
  Effect.fn("weather")(function*({ city }) {
    if (city === "") throw new Error("a bug: nobody should ask for a city without a name")
    const thermometers = yield* Thermometers
    const celsius = yield* thermometers.read(city)
    if (celsius === undefined) return yield* new NoSuchCity({ city })
    return { celsius }
  })
)
// #endregion handler

const Warmest = Workflow.make("warmest", {
  description: "Finds the warmest of some cities",
  input: Schema.Struct({ cities: Schema.Array(Schema.String) }),
  output: Schema.Struct({ city: Schema.String, unknown: Schema.Array(Schema.String) })
})

// #region caller
const WarmestLive = Warmest.toLayer(
  Effect.fn("warmest")(function*({ cities }) {
    const reports = yield* Effect.forEach(
      cities,
      (city) =>
        Weather.call({ city }, { deadline: 5_000 }).pipe(
          Effect.map(({ celsius }) => ({ city, celsius })),
          Effect.catchTag("NoSuchCity", () => Effect.succeed({ city, celsius: -Infinity }))
        ),
      { concurrency: 16 }
    )
    const known = reports.filter(({ celsius }) => celsius !== -Infinity).toSorted((a, b) => b.celsius - a.celsius)
    const unknown = reports.filter(({ celsius }) => celsius === -Infinity).map(({ city }) => city)
    return { city: known[0]?.city ?? "none", unknown }
  })
)
// #endregion caller

const Robust = Workflow.make("robust", {
  description: "Survives the defects of the agent it calls",
  input: Schema.Struct({}),
  output: Schema.String
})

// #region defects
const RobustLive = Robust.toLayer(() =>
  Weather.call({ city: "" }).pipe(
    Effect.map(() => "answered"),
    Effect.catchTag("NoSuchCity", () => Effect.succeed("unknown")),
    Effect.catchTag("CallError", ({ reason }) => Effect.succeed(reason._tag === "Failed" ? reason.reason : reason._tag))
  )
)
// #endregion defects

// #region services
const temperatures = new Map([["Oslo", 4], ["Rome", 17]])
const thermometers = Layer.succeed(Thermometers, {
  read: (city) => Effect.succeed(temperatures.get(city))
})

const orchestrator = Orchestrator.make({
  agents: [Layer.provide(WeatherLive, thermometers), WarmestLive, RobustLive]
})
// #endregion services

const program = Effect.gen(function*() {
  const warmest = yield* Orchestrator.run("warmest", { cities: ["Oslo", "Atlantis", "Rome"] })
  const robust = yield* Orchestrator.run("robust", {})
  return [warmest.ending, robust.ending]
})

const [warmest, robust] = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
assert(warmest?._tag === "Completed" && robust?._tag === "Completed")
assert.deepEqual(warmest.result, { city: "Rome", unknown: ["Atlantis"] })
assert.equal(robust.result, "defect")
console.log(JSON.stringify([warmest.result, robust.result]))
