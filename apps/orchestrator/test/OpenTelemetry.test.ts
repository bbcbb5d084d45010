import { assert, describe, it, vi } from "@effect/vitest"
import { context, createContextKey, TraceFlags } from "@opentelemetry/api"
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import { CountingProcessor, tracer } from "../src/OpenTelemetry.ts"

const span = (flags: TraceFlags): ReadableSpan =>
  ({ spanContext: () => ({ traceId: "a".repeat(32), spanId: "b".repeat(16), traceFlags: flags }) }) as ReadableSpan

describe("CountingProcessor", () => {
  it("drops and counts what a collector that hangs leaves no room for", async () => {
    let dropped = 0
    const processor = new CountingProcessor(
      { export: () => {}, shutdown: () => Promise.resolve() },
      () => dropped++
    )
    for (let i = 0; i < 5_000; i++) processor.onEnd(span(TraceFlags.SAMPLED))
    assert.strictEqual(dropped, 5_000 - 2_048)
    for (let i = 0; i < 100; i++) processor.onEnd(span(TraceFlags.NONE))
    assert.strictEqual(dropped, 5_000 - 2_048 + 100)
    await Promise.race([processor.shutdown(), Promise.resolve()])
  })
})

describe("tracer", () => {
  // nobody listens there: the test's spans are nobody's business
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")

  it.live("records below a task only, and carries the context across promises", () =>
    Effect.gen(function*() {
      const alone = yield* Effect.currentSpan.pipe(Effect.withSpan("alone"))
      assert.isFalse(alone.sampled)
      const parent = Tracer.externalSpan({ traceId: "c".repeat(32), spanId: "d".repeat(16), sampled: true })
      const below = yield* Effect.currentSpan.pipe(Effect.withSpan("below", { parent }))
      assert.isTrue(below.sampled)
      assert.strictEqual(below.traceId, "c".repeat(32))
      const key = createContextKey("test")
      const seen = yield* Effect.promise(() =>
        context.with(context.active().setValue(key, 1), async () => {
          await Promise.resolve()
          return context.active().getValue(key)
        })
      )
      assert.strictEqual(seen, 1)
    }).pipe(Effect.provide(Layer.fresh(tracer))))
})
