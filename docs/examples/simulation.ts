/** A topology under simulation: two orchestrators, a bank, a person; one bug, found by a seed, and its repair. */
import { Agent, Human, Orchestrator, Step, type TaskContext, Workflow } from "coppice"
import * as Simulation from "coppice/Simulation"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const Order = Schema.Struct({ order: Schema.Int })

const Pack = Agent.make("pack", { description: "Packs an order", input: Order, output: Order })
const PackThere = Agent.remote("pack-there", { tool: "pack", input: Order, output: Order })
const Checkout = Workflow.make("checkout", { description: "Sells an order", input: Order, output: Schema.Boolean })

// #region agents
type Charge = (order: number) => Effect.Effect<unknown, never, TaskContext>

const shop = (charge: Charge) =>
  Checkout.toLayer(
    Effect.fn("checkout")(function*({ order }) {
      yield* charge(order)
      yield* Effect.orDie(PackThere.call({ order }))
      yield* Effect.sleep("2 hours")
      const { happy } = yield* Human.ask({
        message: `Did order ${order} arrive?`,
        form: Schema.Struct({ happy: Schema.Boolean })
      })
      return happy
    })
  )
// #endregion agents

const PackLive = Pack.toLayer(({ order }) => Step.run("pack", { order }, Effect.succeed({ order })))

// #region scenario
const chargedOnce = Simulation.invariant("an order is charged once", (history) => {
  const charges = history.effects("bank").map(({ request }) => JSON.stringify(request))
  const twice = charges.filter((charge, index) => charges.indexOf(charge) !== index)
  return { checked: charges.length, broken: twice.map((charge) => `${charge} was charged again`) }
})

const scenario = (chargeBy: (bank: Simulation.Service) => Charge) => (stage: Simulation.Stage): Simulation.Scenario => {
  const bank = stage.service("bank", { honoursKeys: true })
  return {
    nodes: {
      shop: Orchestrator.make({
        agents: [shop(chargeBy(bank))],
        servers: { warehouse: { url: "http://warehouse/mcp", agents: [PackThere], isCoppice: true } }
      }),
      warehouse: Orchestrator.make({ agents: [PackLive] })
    },
    jobs: [
      { agent: "checkout", input: { order: 1 } },
      { agent: "checkout", input: { order: 2 }, at: 500, cancelAfter: 10_000 }
    ],
    human: () => ({ action: "accept", content: { happy: true }, after: 60_000 }),
    invariants: [chargedOnce]
  }
}
// #endregion scenario

// #region bug
/** Outside of a step: a handler that is run again after a crash charges again. */
const careless = (bank: Simulation.Service) => (order: number) => Effect.orDie(bank.call({ order }))

const failed = await Simulation.check({ scenario: scenario(careless), seeds: 20, bound: "4 hours" }).then(
  () => assert.fail("the bug was not found"),
  (error: Simulation.SimulationFailed) => error
)
// #endregion bug
console.log(failed.message)
assert.match(failed.message, /was charged again/)

// #region again
const { faults, jobs, seed } = failed.failure
const again = await Simulation.run({
  scenario: scenario(careless),
  seeds: 1,
  seed,
  only: { faults, jobs },
  bound: "4 hours"
})
assert.deepEqual(again.failures[0]?.trace, failed.failure.trace)
// #endregion again

// #region repair
/** In a step, whose key the bank knows again: charged once, whatever dies in between. */
const careful = (bank: Simulation.Service) => (order: number) =>
  Step.run("charge", { order }, Effect.orDie(bank.call({ order })))

const report = await Simulation.check({ scenario: scenario(careful), seeds: 10, bound: "4 hours" })
// #endregion repair
console.log(`${report.seeds} seeds, ${Math.round(report.virtual / 3_600_000)} hours in ${Math.round(report.real)} ms`)
