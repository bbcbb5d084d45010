/** A value too large for the log, passed between agents by its reference. */
import { Agent, Artifact, Orchestrator, Workflow } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const Crawl = Agent.make("crawl", {
  description: "Fetches a page",
  input: Schema.Struct({ url: Schema.String }),
  output: Schema.Struct({ page: Artifact.ArtifactRef })
})

const Count = Workflow.make("count", {
  description: "Counts the characters of a page",
  input: Schema.Struct({ url: Schema.String }),
  output: Schema.Int
})

// #region handlers
const CrawlLive = Crawl.toLayer(
  Effect.fn("crawl")(function*({ url }) {
    const html = `<p>${url}</p>`.repeat(100_000)
    return { page: yield* Effect.orDie(Artifact.step("keep page", html, "text/html")) }
  })
)

const CountLive = Count.toLayer(
  Effect.fn("count")(function*({ url }) {
    const { page } = yield* Crawl.call({ url })
    const html = yield* Effect.orDie(Artifact.readText(page))
    return html.length
  })
)
// #endregion handlers

const orchestrator = Orchestrator.make({ agents: [CrawlLive, CountLive] })
const { ending } = await Effect.runPromise(
  Effect.provide(Orchestrator.run("count", { url: "a.test" }), Orchestrator.layer(orchestrator))
)
assert(ending._tag === "Completed", JSON.stringify(ending))
assert.equal(ending.result, 1_300_000)
console.log(ending.result)
