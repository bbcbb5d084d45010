/**
 * A tool of somebody else's MCP server, called like an agent beside it.
 */
// #region example
import { Agent, Orchestrator, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"

// a program that speaks MCP on its standard streams
const server = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"))

const Sum = Agent.remote("sum", {
  tool: "get-sum",
  input: Schema.Struct({ a: Schema.Finite, b: Schema.Finite }),
  output: Schema.String,
  idempotent: true
})

const Totals = Workflow.make("totals", {
  description: "Adds up pairs, each by the other server",
  input: Schema.Array(Schema.Tuple([Schema.Finite, Schema.Finite])),
  output: Schema.Array(Schema.String)
})

const TotalsLive = Totals.toLayer((pairs) =>
  Effect.forEach(pairs, ([a, b]) => Sum.call({ a, b }), { concurrency: 4 }).pipe(Effect.orDie)
)

export const orchestrator = Orchestrator.make({
  agents: [TotalsLive],
  servers: {
    everything: {
      command: process.execPath,
      args: [server, "stdio"],
      agents: [Sum]
    }
  }
})
// #endregion example

// #region verify
export const Charge = Agent.remote("charge", {
  input: Schema.Struct({ order: Schema.String }),
  output: Schema.Struct({ receipt: Schema.String }),
  // find-charge({ reference: input.order }) returns { charge: { receipt } }, or { charge: null }
  verify: { tool: "find-charge", arguments: { reference: "/order" }, result: "/charge" }
})
// #endregion verify

// #region coppice
const Review = Agent.remote("review", { output: Schema.Struct({ verdict: Schema.String }) })

/** An agent of another Coppice, at the address and with the token of its service.json. */
export const beside = (url: string, token: string) =>
  Orchestrator.make({
    agents: [],
    servers: {
      reviews: {
        url: `${url}/mcp`,
        headers: { authorization: `Bearer ${token}` },
        agents: [Review],
        isCoppice: true
      }
    }
  })
// #endregion coppice

const program = Orchestrator.run("totals", [[1, 2], [30, 4]])
const { ending, task } = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
if (ending._tag !== "Completed") throw new Error(`the run ${task.status}: ${task.statusMessage}`)
console.log(JSON.stringify(ending.result))
