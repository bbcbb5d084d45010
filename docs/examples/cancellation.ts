/** Cancelling a part of a run: what it would do, what goes on, what cleans up, and the report. */
import { Agent, Orchestrator, Step, Tasks, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const nothing = Schema.Struct({})
const unlocked: Array<number> = []
const unlock = (page: number) => Effect.sync(() => void unlocked.push(page))

const Fetch = Agent.make("fetch", { description: "Fetches a page", input: Schema.Finite, output: Schema.Void })
const Tidy = Agent.make("tidy", { description: "Tidies the cache", input: nothing, output: Schema.Void })
const Index = Agent.make("index", { description: "Indexes what is there", input: nothing, output: Schema.Void })
const Collect = Agent.make("collect", { description: "Fetches many pages", input: nothing, output: Schema.Void })
const Import = Workflow.make("import", { description: "Imports a site", input: nothing, output: Schema.Void })

// #region cleanup
const FetchLive = Fetch.toLayer((page) =>
  Effect.never.pipe(
    // runs when the task is cancelled, before it counts as stopped
    Effect.onInterrupt(() => Step.run("unlock", unlock(page)))
  )
)
// #endregion cleanup

// #region rules
const CollectLive = Collect.toLayer(() =>
  Effect.all([
    Fetch.call(1),
    Fetch.call(2),
    Tidy.call({}, { onParentExit: "continue" }),
    Index.call({}, { onParentExit: "adopt" })
  ], { concurrency: "unbounded", discard: true }).pipe(Effect.orDie)
)
// #endregion rules

const orchestrator = Orchestrator.make({
  agents: [
    FetchLive,
    CollectLive,
    Tidy.toLayer(() => Effect.never),
    Index.toLayer(() => Effect.never),
    Import.toLayer(() => Effect.orDie(Collect.call({})))
  ]
})

// #region cancel
const program = Effect.gen(function*() {
  const tasks = yield* Tasks
  const run = yield* tasks.submit({ agent: "import", input: {} })
  const tree = yield* tasks.tree(run.id).pipe(
    Effect.filterOrFail((tree) => tree.filter(({ attempt }) => attempt > 0).length === 6, () => "not all of it runs"),
    Effect.retry(Schedule.spaced("10 millis"))
  )
  const idOf = (agent: string) => tree.find((task) => task.agent === agent)!.id

  const collect = idOf("collect")
  const preview = yield* tasks.cancelPreview(collect)
  // changes nothing, and tells what would stop and what would go on
  assert.deepEqual(preview.agents, { collect: 1, fetch: 2 })
  const released = preview.released.map(({ agent, rule }) => `${agent}: ${rule}`)
  assert.deepEqual(released, ["tidy: continue", "index: adopt"])

  yield* tasks.cancel({ id: collect, by: "ann", reason: "too many pages" })
  yield* tasks.cancelSettled(collect)
  const report = yield* tasks.cancelReport(collect)
  const told = report.nodes.map(({ agent, cleanups = 0, settlement, unwound }) =>
    `${agent}: ${settlement}${unwound === true ? `, its finalizers ran, ${cleanups} steps in them` : ""}`
  )
  assert.equal(report.converged, true)
  assert.deepEqual(new Set(unlocked), new Set([1, 2]))

  // the call that waited for it was told
  assert.equal((yield* tasks.result(run.id)).task.status, "failed")
  // what was adopted ended with the run, what goes on by itself did not
  assert.equal((yield* tasks.get(idOf("index"))).status, "cancelled")
  assert.equal((yield* tasks.get(idOf("tidy"))).status, "working")
  yield* tasks.cancel({ id: idOf("tidy"), by: "ann" })
  return told
})
// #endregion cancel

const told = await Effect.runPromise(Effect.provide(program, Orchestrator.layer(orchestrator)))
console.log(told.join("\n"))
