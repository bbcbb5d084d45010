/** Groups, restarts, and what an attempt says about the next one. */
import { Agent, Durable, Orchestrator, Retry, Step, Supervision, TaskContext } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import assert from "node:assert/strict"

const Index = Agent.make("index", { description: "Keeps an index", input: Schema.String, output: Schema.Int })
const Crawl = Agent.make("crawl", { description: "Fetches a page", input: Schema.String, output: Schema.String })
const Report = Agent.make("report", { description: "Writes it up", input: Schema.String, output: Schema.String })

// #region retry
interface Reply {
  readonly status: number
  readonly retryAfter: number
  readonly body: string
}

const fetchPage = (url: string): Effect.Effect<Reply> =>
  Effect.succeed(
    url === "gone" ? { status: 404, retryAfter: 0, body: "" } : { status: 200, retryAfter: 0, body: `page ${url}` }
  )

/** What the provider says decides what another attempt is worth. */
const crawled = Effect.fn(function*(url: string, attempt: number) {
  const reply = url === "busy" && attempt === 1
    ? { status: 429, retryAfter: 50, body: "" }
    : yield* fetchPage(url)
  if (reply.status === 429) return yield* Retry.after(reply.retryAfter, "429 from the site")
  if (reply.status === 404) return yield* Retry.never(`There is no page ${url}`)
  return reply.body
})

const CrawlLive = Crawl.toLayer(
  Effect.fn("crawl")(function*(url) {
    const { attempt } = yield* TaskContext
    return yield* Step.run("fetch", { url }, crawled(url, attempt))
  })
)
// #endregion retry

const IndexLive = Index.toLayer(
  Effect.fn("index")(function*(word) {
    const { attempt } = yield* TaskContext
    if (word === "broken" && attempt === 1) return yield* Effect.die(new Error("the index is damaged"))
    return word.length
  }),
  // one defect, and the server is restarted
  { intensity: 0 }
)

const hung = new Set(["b"])

/** Stands for a server that does not answer the first time it is asked for a page. */
const sent = (url: string): Effect.Effect<void> => hung.delete(url) ? Effect.never : Effect.sleep("10 millis")

// #region stall
const Archive = Agent.make("archive", {
  description: "Stores pages, one after the other",
  input: Schema.Array(Schema.String),
  output: Schema.Int,
  stall: "1 second"
})

const ArchiveLive = Archive.toLayer(
  Effect.fn("archive")(function*(urls) {
    const store = Effect.fnUntraced(function*(url: string) {
      yield* sent(url)
      // silent for less than a second each time, however long all of them take
      yield* Durable.heartbeat(`stored ${url}`)
    })
    yield* Step.run("store", urls, Effect.forEach(urls, store, { discard: true }))
    return urls.length
  })
)
// #endregion stall

const ReportLive = Report.toLayer((title) => Effect.succeed(`Report on ${title}`))

// #region tree
const orchestrator = Orchestrator.make({
  agents: [
    Supervision.group("search", {
      // who crawls is restarted when the index is, and not the other way round
      strategy: "rest_for_one",
      intensity: 3,
      period: "1 minute",
      agents: [IndexLive, CrawlLive]
    }),
    ReportLive,
    ArchiveLive
  ],
  supervision: { strategy: "one_for_one", intensity: 5, period: "30 seconds" }
})
// #endregion tree

const program = Effect.all({
  busy: Orchestrator.run("crawl", "busy"),
  gone: Orchestrator.run("crawl", "gone"),
  broken: Orchestrator.run("index", "broken"),
  report: Orchestrator.run("report", "hedges"),
  stalled: Orchestrator.run("archive", ["a", "b", "c"])
})

const { broken, busy, gone, report, stalled } = await Effect.runPromise(
  Effect.provide(program, Orchestrator.layer(orchestrator))
)

assert.deepEqual(busy.ending, { _tag: "Completed", result: "page busy" })
assert.equal(busy.task.attempt, 2)
assert(gone.ending._tag === "Failed" && gone.ending.message === "There is no page gone")
assert.deepEqual(broken.ending, { _tag: "Completed", result: 6 })
assert.deepEqual(report.ending, { _tag: "Completed", result: "Report on hedges" })
assert.deepEqual(stalled.ending, { _tag: "Completed", result: 3 })
assert.equal(stalled.task.attempt, 2)
console.log("a rate limit waited for, a missing page given up, an index restarted, a silence ended")
