/** A recorded run as a regression test: the code of today over the record of yesterday. */
import { Agent, Orchestrator, Replay, Step, Tasks } from "coppice"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"

const Price = Agent.make("price", {
  description: "What a basket costs",
  input: Schema.Array(Schema.String),
  output: Schema.Finite
})

let asked = 0
const look = (item: string) => Step.run("look up", item, Effect.sync(() => (asked++, item.length)))

const make = (total: (prices: ReadonlyArray<number>) => number) =>
  Orchestrator.make({ agents: [Price.toLayer((items) => Effect.map(Effect.forEach(items, look), total))] })

const orchestrator = make((prices) => prices.reduce((sum, price) => sum + price, 0))

// once: a run worth keeping, as `coppice export` writes it
const recorded = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* tasks.submit({ agent: "price", input: ["tea", "milk"] })
  yield* tasks.result(id)
  return yield* Replay.record(id)
})
const recording = await Effect.runPromise(Effect.provide(recorded, Orchestrator.layer(orchestrator)))
writeFileSync("price.jsonl", Replay.format(recording))
assert.equal(asked, 2)

// #region check
const kept = Result.getOrThrow(Replay.parse(readFileSync("price.jsonl", "utf8")))
const report = await Effect.runPromise(Replay.check(orchestrator, kept))
assert(report.same, report.tasks.map(({ diff }) => diff).join("\n"))
// #endregion check
assert.equal(asked, 2)

const changed = await Effect.runPromise(Replay.check(make((prices) => Math.max(...prices)), kept))
assert.equal(changed.same, false)
console.log(changed.tasks[0]!.diff)
