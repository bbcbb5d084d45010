import * as ApiClient from "@coppice/api/ApiClient"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as DurableSpans from "../src/DurableSpans.ts"
import { Listener } from "../src/Listener.ts"
import { Token } from "../src/Security.ts"
import { collector, type Span } from "./support/Collector.ts"
import { serve } from "./support/Process.ts"
import { folder, service } from "./support/Service.ts"

const endpoint = (url: string) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: "100",
  OTEL_EXPORTER_OTLP_TIMEOUT: "1000"
})

const isRoot = ({ name }: Span) => name.startsWith("invoke_workflow")

/** What has to hold for any set of whole traces. */
const soundness = (spans: ReadonlyArray<Span>) => {
  const byId = new Map(spans.map((span) => [span.spanId, span]))
  for (const span of spans) {
    assert.match(span.traceId, /^[0-9a-f]{32}$/)
    assert.match(span.spanId, /^[0-9a-f]{16}$/)
    assert.isTrue(span.end >= span.start, span.name)
    assert.isString(span.attributes["coppice.run.id"])
    if (span.parentSpanId === undefined) continue
    const parent = byId.get(span.parentSpanId)
    if (parent === undefined) return assert.fail(`${span.name} is an orphan`)
    assert.strictEqual(parent.traceId, span.traceId)
    assert.isTrue(span.start >= parent.start && span.end <= parent.end, `${span.name} lies outside its parent`)
  }
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
  assert.strictEqual(roots.length, new Set(spans.map(({ traceId }) => traceId)).size, "one root a trace")
}

const distinct = (spans: ReadonlyArray<Span>) => [...new Map(spans.map((span) => [span.spanId, span])).values()]

/** A service of this process that sends to a sink of the test. */
const withSink = Effect.fnUntraced(function*(data: string, store: string, sink: DurableSpans.SpanSink) {
  const references = Layer.mergeAll(
    Layer.succeed(DurableSpans.SpanSink, sink),
    Layer.succeed(
      DurableSpans.SpanOptions,
      { window: "10 millis", runLimit: 10_000, flushLimit: "200 millis" } as const
    )
  )
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => Scope.close(scope, exit))
  const context = yield* Layer.buildWithScope(Layer.provide(service(store, data), references), scope)
  const token = Context.get(context, Token)
  const client = yield* ApiClient.make({ url: Context.get(context, Listener).url, token: Redacted.value(token) })
  return { client, close: Scope.close(scope, yield* Effect.exit(Effect.void)) }
})

const run = Effect.fnUntraced(function*(client: ApiClient.ApiClient, text: string) {
  const { id } = yield* client.tasks.submit({ payload: { agent: "double", input: { text } } })
  return yield* client.result(id)
})

describe("durable spans over OTLP", () => {
  it.live("make one whole trace of a run, under the ids it was created with", () =>
    Effect.gen(function*() {
      const sink = yield* collector
      const running = yield* serve(yield* folder, [], endpoint(sink.url))
      const client = yield* ApiClient.make(running)
      const { task } = yield* run(client, "canary")
      yield* run(client, "other")
      const spans = yield* sink.until((spans) => spans.filter(isRoot).length === 2)
      soundness(spans)
      const mine = spans.filter(({ traceId }) => traceId === task.spec.trace.traceId)
      assert.deepStrictEqual(mine.map(({ name }) => name).toSorted(), [
        "invoke_agent echo",
        "invoke_agent echo",
        "invoke_workflow double",
        "step say",
        "step say",
        "task created"
      ])
      const root = mine.find(isRoot)!
      assert.strictEqual(root.spanId, task.spec.trace.spanId)
      assert.deepStrictEqual([root.service, root.kind, root.status], ["coppice.orchestrator", 1, 1])
      assert.notInclude(JSON.stringify(mine.map(({ attributes, name }) => [attributes, name])), "canary")
      yield* running.kill("SIGTERM")
      assert.strictEqual((yield* running.ended).code, 0)
      assert.strictEqual(distinct(spans).length, spans.length)
    }), 30_000)

  it.live("make one trace of a run that lived through a kill, and a cancelled one", () =>
    Effect.gen(function*() {
      const sink = yield* collector
      const data = yield* folder
      const first = yield* serve(data, [], endpoint(sink.url))
      const client = yield* ApiClient.make(first)
      const { id } = yield* client.tasks.submit({ payload: { agent: "survey", input: { text: "?" } } })
      const lost = yield* client.tasks.submit({ payload: { agent: "survey", input: { text: "never" } } })
      yield* sink.until((spans) => spans.filter(({ name }) => name === "task created").length === 2)
      yield* first.kill("SIGKILL")
      yield* first.ended
      const second = yield* serve(data, [], endpoint(sink.url))
      const again = yield* ApiClient.make(second)
      const { questions } = yield* again.inbox.list({ query: { run: id } })
      const answer = { action: "accept", content: { ok: true } } as const
      yield* again.inbox.answer({ params: { id: questions[0]!.task }, payload: answer })
      yield* again.tasks.cancel({ params: { id: lost.id }, payload: {} })
      const spans = distinct(yield* sink.until((spans) => spans.filter(isRoot).length === 2))
      soundness(spans)
      const cancelled = spans.filter(({ attributes }) => attributes["coppice.run.id"] === lost.id)
      assert.isTrue(
        cancelled.filter(({ name }) => name.startsWith("invoke")).every(({ attributes, events }) =>
          attributes["error.type"] === "cancelled" && events.includes("task.cancelled")
        )
      )
      assert.include(spans.map(({ name }) => name), "await_human")
    }), 30_000)

  it.live.each([503, 429, "hang"] as const)(
    "neither slow nor fail a task while the collector answers %s",
    (mode) =>
      Effect.gen(function*() {
        const sink = yield* collector
        sink.mode = mode
        const running = yield* serve(yield* folder, [], endpoint(sink.url))
        const client = yield* ApiClient.make(running)
        const started = yield* Clock.currentTimeMillis
        for (let i = 0; i < 20; i++) assert.isNotNull((yield* run(client, String(i))).completed)
        assert.isBelow((yield* Clock.currentTimeMillis) - started, 10_000)
        yield* sink.asked(1)
        sink.mode = 200
        const spans = yield* sink.until((spans) => spans.filter(isRoot).length >= 20)
        soundness(distinct(spans))
      }),
    60_000
  )

  it.live("are not sent, nor the SDK loaded, unless the environment asks", () =>
    Effect.gen(function*() {
      const sink = yield* collector
      const running = yield* serve(yield* folder, [], { ...endpoint(sink.url), OTEL_SDK_DISABLED: "true" })
      yield* run(yield* ApiClient.make(running), "x")
      yield* running.kill("SIGTERM")
      yield* running.ended
      assert.strictEqual(sink.requests, 0)
    }), 30_000)
})

describe("durable spans and their sink", () => {
  const counted = Effect.map(Metric.value(DurableSpans.dropped), ({ count }) => count)

  it.live("drops and counts what is refused for good, and goes on", () =>
    Effect.gen(function*() {
      const sent: Array<string> = []
      let refuse = true
      const { client, close } = yield* withSink(yield* folder, "memory:", {
        send: (spans) =>
          Effect.suspend(() => {
            if (refuse) return Effect.fail(new DurableSpans.NotExported({ message: "400", isRetryable: false }))
            sent.push(...spans.map(({ name }) => name))
            return Effect.void
          })
      })
      const before = yield* counted
      yield* run(client, "a")
      while ((yield* counted) < before + 6) yield* Effect.yieldNow
      refuse = false
      yield* run(client, "b")
      yield* close
      assert.strictEqual(sent.filter((name) => name === "invoke_workflow double").length, 1)
    }))

  it.live("keeps what was not taken for the next start", () =>
    Effect.gen(function*() {
      const data = yield* folder
      const store = `sqlite:${data}/spans.db`
      const first = yield* withSink(data, store, { send: () => Effect.never })
      yield* run(first.client, "a")
      yield* first.close
      let sent = 0
      const send = (spans: ReadonlyArray<unknown>) => Effect.sync(() => void (sent += spans.length))
      for (const starts of ["the next", "and no other"]) {
        const { close } = yield* withSink(data, store, { send })
        yield* close
        assert.strictEqual(sent, 6, starts)
      }
    }))
})
