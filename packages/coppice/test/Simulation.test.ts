import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Agent, Human, Orchestrator, Step } from "../src/index.ts"
import * as Simulation from "../src/Simulation.ts"

const Pay = Agent.make("pay", {
  description: "Pays a part",
  input: Schema.Struct({ part: Schema.Int }),
  output: Schema.Json
})

const Order = Agent.make("order", {
  description: "Pays in three parts, waits, and asks",
  input: Schema.Struct({ id: Schema.Int }),
  output: Schema.Boolean
})

const scenario = (stage: Simulation.Stage): Simulation.Scenario => {
  const bank = stage.service("bank")
  const PayLive = Pay.toLayer(({ part }) =>
    Step.run("pay", { part }, Effect.orDie(Effect.retry(bank.call({ part }), { times: 10 })))
  )
  const OrderLive = Order.toLayer(
    Effect.fn("order")(function*({ id }) {
      yield* Effect.ignore(Step.run("stamp", { id }, Effect.orDie(bank.call({ id })), { atMostOnce: true }))
      yield* Effect.forEach([1, 2, 3], (part) => Pay.call({ part }), { concurrency: 3 })
      yield* Effect.sleep("5 seconds")
      const { ok } = yield* Human.ask({ message: "Ship it?", form: Schema.Struct({ ok: Schema.Boolean }) })
      return ok
    })
  )
  return {
    nodes: { shop: Orchestrator.make({ agents: [PayLive, OrderLive] }) },
    jobs: [
      { agent: "order", input: { id: 1 }, again: "retry" },
      {
        agent: "order",
        input: { id: 2 },
        at: 100,
        cancelAfter: 3_000,
        steers: { after: 500, whom: "root", priority: 2 }
      },
      { agent: "pay", input: { part: 9 }, principal: "stranger" }
    ],
    prying: 4
  }
}

const digestsOf = async (options?: Partial<Simulation.Options>) => {
  const digests: Array<string> = []
  const onSeed = ({ history }: Simulation.SeedRun) => void digests.push(history.digest)
  const report = await Simulation.check({ scenario, seeds: 60, onSeed, ...options })
  return { digests, report }
}

describe("a simulation", () => {
  it("does the same again with the same seed, and something else with another", async () => {
    const first = await digestsOf()
    const second = await digestsOf()
    assert.deepStrictEqual(second.digests, first.digests)
    assert.strictEqual(new Set(first.digests).size, first.digests.length)
    assert.strictEqual((await digestsOf({ seeds: 1, seed: 40 })).digests[0], first.digests[39])
  }, 60_000)

  it("strikes with faults of many kinds and checks every promise", async () => {
    const { report } = await digestsOf()
    assert.isAbove(report.faults.size, 15)
    const unchecked = [...report.checked].filter(([, checked]) => checked === 0).map(([promise]) => promise)
    // there is one node, no budget, and no child that outlives its parent
    assert.deepStrictEqual(unchecked, [
      "I5 what is reported as stopped elsewhere has stopped",
      "I5 who outlives its parent is left alone",
      "I10 a budget is never exceeded"
    ])
    assert.isAbove(report.virtual, report.real)
  }, 60_000)

  it("leaves time and chance of the real world as they were", async () => {
    const { Date: date, setImmediate: immediate, setTimeout: timeout } = globalThis
    const before = Date.now()
    await digestsOf({ seeds: 1 })
    assert.strictEqual(globalThis.Date, date)
    assert.strictEqual(globalThis.setTimeout, timeout)
    assert.strictEqual(globalThis.setImmediate, immediate)
    assert.isBelow(Date.now() - before, 60_000)
    assert.notStrictEqual(Math.random(), Math.random())
  })
})
