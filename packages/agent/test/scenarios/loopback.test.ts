/**
 * Every call between agents is an MCP task: with the bytes of either generation in between, the log is the same.
 */
import type { Envelope } from "@coppice/task/TaskEvent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { CallCodec } from "../../src/CallCodec.ts"
import * as Executor from "../../src/Executor.ts"
import * as Step from "../../src/Step.ts"
import type { TaskContext } from "../../src/TaskContext.ts"
import { loopback, type Message } from "../support/Loopback.ts"
import { eventsOf, inWorld, run } from "../support/World.ts"

class TooDear extends Schema.TaggedError<TooDear>()("TooDear", { price: Schema.BigInt, since: Schema.Date }) {}

const Root = Agent.make("root", { description: "", input: Schema.Struct({}), output: Schema.Json })
const Offer = Agent.make("offer", {
  description: "Offers something that takes a while",
  input: Schema.Struct({
    what: Schema.String,
    takes: Schema.optionalKey(Schema.Finite),
    fails: Schema.optional(Schema.Boolean)
  }),
  output: Schema.Struct({
    what: Schema.String,
    price: Schema.BigInt,
    until: Schema.Date,
    note: Schema.NullOr(Schema.String)
  }),
  error: TooDear
})
const Basket = Agent.make("basket", {
  description: "Collects offers",
  input: Schema.Struct({ items: Schema.Array(Schema.String) }),
  output: Schema.Struct({ total: Schema.BigInt })
})

const until = new Date("2030-01-01T00:00:00.000Z")
const OfferLive = Offer.toLayer(Effect.fn(function*({ fails = false, takes = 0, what }) {
  yield* Effect.sleep(takes)
  const price = yield* Step.run("price", { what }, Effect.succeed(what.length))
  if (fails) return yield* new TooDear({ price: BigInt(price), since: until })
  return { what, price: BigInt(price), until, note: null }
}))
const BasketLive = Basket.toLayer(Effect.fn(function*({ items }) {
  const offers = yield* Effect.forEach(items, (what) => Effect.orDie(Offer.call({ what })), {
    concurrency: "unbounded"
  })
  return { total: offers.reduce((sum, { price }) => sum + price, 0n) }
}))

type Work = Effect.Effect<Schema.Json, unknown, TaskContext>

const odd = `"\\ / \u2028 ä 漢 🌳 \ud800 \u0000`

/** The core scenarios, and how many requests and answers each sends. */
const scenarios: ReadonlyArray<readonly [string, Work, { readonly [kind in Message["kind"]]?: number }]> = [
  ["a result", Effect.map(Offer.call({ what: odd }), ({ until, what }) => [what, until.getTime()]), {
    request: 1,
    result: 1
  }],
  [
    "a declared error",
    Effect.map(Effect.exit(Offer.call({ what: "x", fails: true })), (exit) => {
      const error = Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
      assert(error?._tag === "Fail" && error.error instanceof TooDear)
      return [String(error.error.price), error.error.since.getTime()]
    }),
    { request: 1, error: 1 }
  ],
  [
    "nested calls",
    Effect.map(Basket.call({ items: ["a", "bb"] }), ({ total }) => String(total)),
    { request: 3, result: 3 }
  ],
  [
    "calls fanned out, in whatever order they come back",
    Effect.map(
      Effect.forEach([30, 10, 10, 20, 0], (takes) => Offer.call({ what: "same", takes }), { concurrency: 3 }),
      (offers) => offers.length
    ),
    { request: 5, result: 5 }
  ],
  [
    "a race, whose loser is cancelled",
    Effect.map(
      Effect.race(Offer.call({ what: "slow", takes: 1_000 }), Offer.call({ what: "quick", takes: 5 })),
      ({ what }) => what
    ),
    { request: 2, result: 1 }
  ],
  [
    "a call that nobody waits for any more",
    Effect.map(Effect.timeoutOption(Offer.call({ what: "slow", takes: 1_000 }), 50), ({ _tag }) => _tag),
    { request: 1 }
  ],
  [
    "a result that is read once more by a replay",
    Effect.flatMap(Offer.call({ what: "first" }), ({ price }) => Effect.as(Effect.sleep("1 minute"), Number(price))),
    { request: 1, result: 2 }
  ]
]

/** Runs the work and leaves memory on the way; the log. */
const logOf = (work: Work, codec?: CallCodec) =>
  inWorld(
    { agents: [Root.toLayer(() => Effect.orDie(work)), OfferLive, BasketLive], codec },
    Effect.gen(function*() {
      const executor = yield* Executor.Executor
      yield* Effect.forkScoped(Effect.andThen(Effect.sleep("30 seconds"), executor.evictIdle))
      const ending = yield* run("root", {})
      assert.strictEqual(ending._tag, "Completed", JSON.stringify(ending))
      return yield* eventsOf()
    }).pipe(Effect.scoped)
  )

const varying = new Set(["at", "startedAt", "due", "took", "trace"])

/** The log with ids in the order in which they came up, and without times. */
const normalised = (log: ReadonlyArray<Envelope>): Schema.Json => {
  const names = new Map<string, string>()
  for (const { task } of log) if (!names.has(task)) names.set(task, `task ${names.size + 1}`)
  const told = JSON.stringify(log, (key, value) => varying.has(key) ? null : names.get(value) ?? value)
  return JSON.parse(told) as Schema.Json
}

const count = (wire: ReadonlyArray<Message>) =>
  Object.fromEntries([...Map.groupBy(wire, ({ kind }) => kind)].map(([kind, messages]) => [kind, messages.length]))

describe.each(["2025-11-25", "2026-07-28"] as const)("calls in the form of %s", (generation) => {
  it.effect.each(scenarios)("leave the log of a direct call: %s", ([, work, expected]) =>
    Effect.gen(function*() {
      const wire: Array<Message> = []
      const direct = normalised(yield* logOf(work))
      const carried = normalised(yield* logOf(work, loopback(generation, wire)))
      assert.deepStrictEqual(count(wire), expected)
      assert.deepStrictEqual(carried, direct)
    }))

  it.effect("really go over the wire: what it changes, the log tells", () =>
    Effect.gen(function*() {
      const [, work] = scenarios[0]!
      const codec = loopback(generation, [])
      const shouting: CallCodec = {
        request: (tool, input) => ({ ...codec.request(tool, input) as object, what: "changed" }),
        response: codec.response
      }
      assert.notDeepEqual(normalised(yield* logOf(work, shouting)), normalised(yield* logOf(work)))
    }))
})
