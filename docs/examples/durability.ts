/** Two lives over one file: what is recorded is not done again, what is not recorded is. */
import { Agent, Orchestrator, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const done: Array<string> = []
const note = (what: string) => Effect.sync(() => done.push(what))

const Trip = Agent.make("trip", {
  description: "Books a flight, waits, books a hotel",
  input: Schema.Struct({ city: Schema.String }),
  output: Schema.Struct({ city: Schema.String })
})

// #region handler
const TripLive = Trip.toLayer(
  Effect.fn("trip")(function*({ city }) {
    yield* note("handler begins")
    yield* Step.run("book flight", { city }, note("flight booked"))
    yield* note("handler waits")
    yield* Effect.ensuring(Effect.sleep("500 millis"), note("finalizer"))
    yield* Step.run("book hotel", { city }, note("hotel booked"))
    return { city }
  })
)
// #endregion handler

const orchestrator = Orchestrator.make({ agents: [TripLive] })
const life = Orchestrator.layer(orchestrator, "sqlite:trip.db")

const until = (what: string) =>
  Effect.gen(function*() {
    while (!done.includes(what)) yield* Effect.sleep("5 millis")
  })

// #region lives
const first = Effect.gen(function*() {
  yield* Effect.forkChild(Orchestrator.run("trip", { city: "Oslo" }))
  yield* until("handler waits")
})
const second = until("hotel booked")

await Effect.runPromise(Effect.provide(first, life))
await Effect.runPromise(Effect.provide(second, life))
// #endregion lives

assert.deepEqual(done.filter((what) => what === "flight booked"), ["flight booked"])
assert.deepEqual(done.filter((what) => what === "handler begins").length, 2)
assert.equal(done.filter((what) => what === "finalizer").length, 2)
console.log(done.join(", "))
