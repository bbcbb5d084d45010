import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Agent, Orchestrator, Workflow } from "../src/index.ts"
import * as Simulation from "../src/Simulation.ts"

const Output = Schema.Struct({ run: Schema.Finite })

const Trip = Workflow.make("trip", {
  description: "Books what it is told to",
  input: Schema.Struct({ tool: Schema.String }),
  output: Schema.Json
})

/** A travel agency of somebody else's. `idempotent`: what the caller takes it for. */
const travels = (generation: Simulation.ForeignServer["generation"], idempotent = false) => (): Simulation.Scenario => {
  const agentOf = (tool: string) => Agent.remote(tool, { output: Output, attempts: 20, idempotent })
  const agents = [agentOf("book"), agentOf("fly")]
  const TripLive = Trip.toLayer(({ tool }) =>
    Effect.catch(agents.find(({ name }) => name === tool)!.call({}), () => Effect.succeed("failed"))
  )
  return {
    nodes: {
      home: Orchestrator.make({ agents: [TripLive], servers: { agency: { url: "http://agency/mcp", agents } } })
    },
    foreign: {
      agency: {
        generation,
        tools: {
          book: { does: () => ({ takes: 50 }) },
          fly: {
            isTask: true,
            does: (_, chance) => ({ takes: 2_000, asks: chance.chance(0.5) ? "Really?" : undefined })
          }
        }
      }
    },
    jobs: [
      { agent: "trip", input: { tool: "book" } },
      { agent: "trip", input: { tool: "fly" }, at: 300 },
      { agent: "trip", input: { tool: "fly" }, at: 500, cancelAfter: 1_000 }
    ]
  }
}

describe("a foreign server in a simulation", () => {
  for (const generation of ["2025-11-25", "2026-07-28"] as const) {
    it(`of ${generation} is called, asks, and is told to stop`, async () => {
      const phases = new Set<string>()
      const onSeed = ({ history }: Simulation.SeedRun) => {
        for (const { phase } of history.of("Served")) phases.add(phase)
      }
      const { checked } = await Simulation.check({ scenario: travels(generation), seeds: 40, onSeed })
      for (const phase of ["begins", "asks", "hears", "happens", "is told", "stops"]) {
        assert.isTrue(phases.has(phase), phase)
      }
      for (const [promise, count] of checked) if (promise.includes("foreign")) assert.isAbove(count, 0, promise)
    }, 60_000)

    it(`of ${generation} shows who repeats what must not be repeated`, async () => {
      const faults = ["outside-lost-reply"] as const
      const options = { scenario: travels(generation, true), seeds: 60, faults, shrink: false }
      const { failures: [failure] } = await Simulation.run(options)
      assert.strictEqual(failure?.broken[0]?.promise, "I6 a foreign call is not made twice unseen")
    }, 60_000)
  }

  it("does the same again with the same seed", async () => {
    const digestsOf = async () => {
      const digests: Array<string> = []
      const onSeed = ({ history }: Simulation.SeedRun) => void digests.push(history.digest)
      await Simulation.run({ scenario: travels("2025-11-25"), seeds: 10, onSeed })
      return digests
    }
    assert.deepStrictEqual(await digestsOf(), await digestsOf())
  })
})
