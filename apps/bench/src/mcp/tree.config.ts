/**
 * One of the services a tree is spread over: a branch has leaves here, and branches on the services below it.
 */
import { Agent, Orchestrator } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Place } from "./Child.ts"

/** The services below this one. */
const below: ReadonlyArray<Place> = JSON.parse(process.env["COPPICE_BENCH_BELOW"] ?? "[]")

const nothing = Schema.Struct({})
const input = Schema.Struct({ leaves: Schema.Finite })
const Leaf = Agent.make("leaf", { description: "", input: Schema.Finite, output: Schema.Void, concurrency: 20_000 })
const Branch = Agent.make("branch", { description: "", input, output: Schema.Void, task: "always" })
const Running = Agent.make("running", {
  description: "",
  input: nothing,
  output: Schema.Struct({ count: Schema.Finite }),
  task: "never"
})

const branches = below.map((_, i) => Agent.remote(`branch-${i}`, { tool: "branch", input }))

let running = 0

/** Counts while it runs. */
const counted = Effect.acquireUseRelease(
  Effect.sync(() => void running++),
  () => Effect.never,
  () => Effect.sync(() => void running--)
)

const stay = (leaves: number) =>
  Effect.all([
    ...Array.from({ length: leaves }, (_, n) => Effect.orDie(Leaf.call(n))),
    ...branches.map((branch) => Effect.orDie(branch.call({ leaves }))),
    counted
  ], { concurrency: "unbounded", discard: true })

export default Orchestrator.make({
  agents: [
    Leaf.toLayer(() => counted),
    Branch.toLayer(({ leaves }) => stay(leaves)),
    Running.toLayer(() => Effect.sync(() => ({ count: running })))
  ],
  servers: Object.fromEntries(below.map(({ token, url }, i) => [
    `service-${i}`,
    { url, headers: { authorization: `Bearer ${token}` }, agents: [branches[i]!], isCoppice: true }
  ])),
  mcp: { trusted: ["local"] }
})
