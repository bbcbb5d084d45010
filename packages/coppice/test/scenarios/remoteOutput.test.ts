import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Agent, Orchestrator } from "../../src/index.ts"
import * as Simulation from "../../src/Simulation.ts"

type Output = Schema.Codec<any, any>

/** What a caller sees of an agent of another node that returns `value`; the caller may expect something else. */
const through = async (value: unknown, { legacy, read, written }: {
  readonly written: Output
  readonly read: Output
  readonly legacy: boolean
}) => {
  const Far = Agent.make("say", { description: "Says it", input: Schema.Struct({}), output: written })
  const There = Agent.remote("say-there", { tool: "say", input: Schema.Struct({}), output: read })
  const Near = Agent.make("relay", { description: "Passes it on", input: Schema.Struct({}), output: read })
  const scenario = (): Simulation.Scenario => ({
    nodes: {
      near: Orchestrator.make({
        agents: [Near.toLayer(() => Effect.orDie(There.call({})))],
        servers: { far: { url: "http://far/mcp", agents: [There], isCoppice: true } }
      }),
      far: Orchestrator.make({ agents: [Far.toLayer(() => Effect.succeed(value))] })
    },
    legacy: legacy ? ["far"] : [],
    jobs: [{ node: "near", agent: "relay", input: {}, at: 1_000 }]
  })
  const ends: Array<unknown> = []
  await Simulation.check({
    scenario,
    seeds: 1,
    faults: "none",
    onSeed: ({ history }) => {
      for (const { envelope: { event }, node } of history.facts()) {
        if (node !== "near") continue
        if (event._tag === "Completed") ends.push(event.result)
        if (event._tag === "Failed") ends.push(event.message)
      }
    }
  })
  return ends
}

describe.each([
  { revision: "2025-11-25", legacy: true },
  { revision: "2026-07-28", legacy: false }
])("an agent of another service, over $revision", ({ legacy }) => {
  it.each([
    { name: "null", schema: Schema.Null, value: null },
    { name: "null where a text could be", schema: Schema.NullOr(Schema.String), value: null },
    { name: "null where an object could be", schema: Schema.NullOr(Schema.Struct({ a: Schema.Int })), value: null },
    { name: "a text", schema: Schema.NullOr(Schema.String), value: "said" },
    { name: "no text", schema: Schema.String, value: "" },
    { name: "a text that looks like a number", schema: Schema.String, value: "12" },
    { name: "a list", schema: Schema.Array(Schema.Int), value: [1, 2] }
  ])("returns $name", async ({ schema, value }) => {
    assert.deepStrictEqual(await through(value, { written: schema, read: schema, legacy }), [value, value])
  })

  it("is said to return what does not fit in words", async () => {
    const read = Schema.Struct({ happy: Schema.Boolean })
    const [message] = await through({ happy: "very" }, { written: Schema.Json, read, legacy })
    assert.include(String(message), "its result does not fit: happy: Expected boolean")
  })
})
