import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Agent, Durable, Orchestrator, Step } from "../../src/index.ts"
import * as Simulation from "../../src/Simulation.ts"

/** How a caller ends that may be silent for five seconds and calls another service beside a body that is, for fourteen. */
const ending = async ({ legacy, reports }: { readonly legacy: boolean; readonly reports: boolean }) => {
  const nothing = { description: "Says nothing by itself", input: Schema.Struct({}), output: Schema.Null }
  const Far = Agent.make("work", nothing)
  const There = Agent.remote("work-there", { tool: "work", input: Schema.Struct({}), output: Schema.Null })
  const Near = Agent.make("relay", { ...nothing, stall: "5 seconds", attempts: 1 })
  const working = Effect.forEach([1, 2, 3], (progress) => {
    const report = Durable.progress({ progress, total: 3, message: `part ${progress}` })
    return Effect.andThen(Effect.sleep("4 seconds"), reports ? report : Effect.void)
  })
  const relaying = Effect.all([Step.run("silent", Effect.sleep("14 seconds")), Effect.orDie(There.call({}))], {
    concurrency: "unbounded"
  })
  const scenario = (): Simulation.Scenario => ({
    nodes: {
      near: Orchestrator.make({
        agents: [Near.toLayer(() => Effect.as(relaying, null))],
        servers: { far: { url: "http://far/mcp", agents: [There], isCoppice: true } }
      }),
      far: Orchestrator.make({ agents: [Far.toLayer(() => Effect.as(working, null))] })
    },
    legacy: legacy ? ["far"] : [],
    jobs: [{ node: "near", agent: "relay", input: {}, at: 1_000 }]
  })
  const ends: Array<string> = []
  await Simulation.check({
    scenario,
    seeds: 1,
    faults: "none",
    onSeed: ({ history }) => {
      for (const { envelope: { event, run, task }, node } of history.facts()) {
        if (node !== "near" || run !== task) continue
        if (event._tag === "Completed") ends.push("completed")
        if (event._tag === "Failed") ends.push(event.message)
      }
    }
  })
  return ends
}

describe.each([
  { revision: "2025-11-25", legacy: true },
  { revision: "2026-07-28", legacy: false }
])("the progress of a server, over $revision", ({ legacy }) => {
  it("shows that the task which called it is alive", async () => {
    assert.deepStrictEqual(await ending({ legacy, reports: true }), ["completed"])
  })

  it("is missed when there is none", async () => {
    const [message, ...more] = await ending({ legacy, reports: false })
    assert.match(message!, /^Stalled: no sign of life for [56]/)
    assert.lengthOf(more, 0)
  })
})
