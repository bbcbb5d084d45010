/** Effects that must not happen twice, or must be undone: verified steps and a saga. */
import { Agent, Orchestrator, Saga, Step } from "coppice"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

/** Stands for a bank that knows no idempotency keys, but keeps the reference it was given. */
const booked: Array<string> = []
const refund = Effect.map(Step.idempotencyKey, (reference) => {
  booked.push(reference)
  // the effect has happened; the first time, its record is never written
  if (booked.length === 1) throw new Error("the connection broke")
  return { reference }
})
const find = Effect.map(
  Step.idempotencyKey,
  (reference) => booked.includes(reference) ? Option.some({ reference }) : Option.none()
)

const seats: Array<string> = []
const take = (seat: string) => Effect.sync(() => void seats.push(seat))
const giveBack = (seat: string) => Effect.sync(() => void seats.splice(seats.indexOf(seat), 1))

const Claim = Agent.make("claim", {
  description: "Refunds an order and moves its seats",
  input: Schema.Struct({ order: Schema.Int, seats: Schema.Array(Schema.String) }),
  output: Schema.String,
  error: Schema.String
})

// #region handler
const ClaimLive = Claim.toLayer(
  Effect.fn("claim")(function*({ order, seats }) {
    yield* Step.run("refund", { order }, refund, { verify: find }).pipe(
      Effect.catchTag("OutcomeUnknown", () => Effect.fail("ask the bank"))
    )
    return yield* Saga.run(Effect.gen(function*() {
      for (const seat of seats) {
        yield* Saga.step("take seat", { seat }, take(seat), { compensate: () => giveBack(seat) })
      }
      return yield* Effect.fail("the plane is full")
    }))
  })
)
// #endregion handler

const orchestrator = Orchestrator.make({ agents: [ClaimLive] })
const program = Orchestrator.run("claim", { order: 7, seats: ["1A", "1B"] })

const { ending } = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
assert.equal(ending._tag === "Failed" ? ending.error : ending._tag, "the plane is full")
assert.equal(booked.length, 1)
assert.deepEqual(seats, [])
console.log("refunded once, no seat taken")
