/**
 * The one module that knows the OpenTelemetry SDK (2.x): exporter, processor, resources, context.
 */
import { service } from "@coppice/task/Telemetry"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { type Attributes, context, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { detectResources, envDetector, type Resource, resourceFromAttributes } from "@opentelemetry/resources"
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor
} from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { dropped, NotExported, type SpanSink } from "./DurableSpans.ts"
import * as LoopLag from "./LoopLag.ts"
import { version } from "./ServiceRoutes.ts"
import type { SpanRecord } from "./SpanRecord.ts"

/** The longest value of an attribute; longer ones are cut. */
const longestValue = 4_096

/** Live spans that may wait for the collector. */
const queueLimit = 2_048

const time = (millis: number): HrTime => [Math.floor(millis / 1_000), Math.round((millis % 1_000) * 1e6)]

/** One resource per role, the same object each time: the exporter groups by it. */
const makeResources = () => {
  const environment = detectResources({ detectors: [envDetector] })
  const byName = new Map<string, Resource>()
  return (name: string): Resource => {
    const known = byName.get(name)
    if (known !== undefined) return known
    const own = resourceFromAttributes({
      "service.name": name,
      "service.version": version,
      "service.namespace": "coppice"
    })
    const resource = environment.merge(own)
    byName.set(name, resource)
    return resource
  }
}

const cut = (attributes: SpanRecord["attributes"]): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === "string" ? value.slice(0, longestValue) : value
    ])
  )

const scope = { name: "coppice", version }

const toReadable = (span: SpanRecord, resource: Resource): ReadableSpan => {
  const at = (spanId: string) => ({ traceId: span.traceId, spanId, traceFlags: TraceFlags.SAMPLED })
  return {
    name: span.name,
    kind: span.kind === "producer" ? SpanKind.PRODUCER : SpanKind.INTERNAL,
    spanContext: () => at(span.spanId),
    ...span.parentSpanId === null ? {} : { parentSpanContext: at(span.parentSpanId) },
    startTime: time(span.start),
    endTime: time(span.end),
    duration: time(span.end - span.start),
    status: span.error === null
      ? { code: SpanStatusCode.OK }
      : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: cut(span.attributes),
    events: span.events.map((event) => ({ name: event.name, time: time(event.at) })),
    links: span.links.map((spanId) => ({ context: at(spanId) })),
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0
  }
}

/** A collector that says the request is wrong will say so again; everything else may pass. */
const toNotExported = (error: (Error & { readonly code?: unknown }) | undefined): NotExported => {
  const status = typeof error?.code === "number" ? error.code : 0
  const isRetryable = status < 400 || status >= 500 || status === 408 || status === 429
  return new NotExported({ message: error?.message.split("\n")[0] ?? "export failed", isRetryable })
}

/** `ExportResultCode.SUCCESS`, whose module is not among our dependencies. */
const isTaken = (code: number): boolean => code === 0

/** Sends durable spans straight through an exporter of their own; its answer moves the cursor. */
export const makeSink: Effect.Effect<SpanSink> = Effect.sync(() => {
  const exporter = new OTLPTraceExporter()
  const resourceOf = makeResources()
  return {
    send: (spans) =>
      Effect.callback<void, NotExported>((resume) => {
        const readable = spans.map((span) => toReadable(span, resourceOf(span.service)))
        exporter.export(readable, ({ code, error }) =>
          resume(isTaken(code) ? Effect.void : Effect.fail(toNotExported(error))))
      })
  }
})

/** Counts what waits and drops what is too much, which the SDK's own queue only mentions in its diagnostics. */
export class CountingProcessor implements SpanProcessor {
  private waiting = 0
  private readonly inner: BatchSpanProcessor
  private readonly drop: () => void

  constructor(exporter: SpanExporter, drop: () => void) {
    this.drop = drop
    const counted: SpanExporter = {
      export: (spans, done) => {
        exporter.export(spans, (result) => {
          this.waiting -= spans.length
          done(result)
        })
      },
      shutdown: () => exporter.shutdown(),
      forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve()
    }
    this.inner = new BatchSpanProcessor(counted, { maxQueueSize: queueLimit, maxExportBatchSize: 512 })
  }

  onStart(...args: Parameters<SpanProcessor["onStart"]>): void {
    this.inner.onStart(...args)
  }

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= queueLimit) return this.drop()
    // the batch processor leaves unsampled spans out
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0) this.waiting++
    this.inner.onEnd(span)
  }

  forceFlush(): Promise<void> {
    return this.inner.forceFlush()
  }

  shutdown(): Promise<void> {
    return this.inner.shutdown()
  }
}

const asyncContext = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.sync(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())),
    () => Effect.sync(() => context.disable())
  )
)

/** A trace viewer's collector refuses metrics, so they are sent only where they are asked for. */
const sendsMetrics = (): boolean => process.env["OTEL_METRICS_EXPORTER"] === "otlp"

const configuration = (): NodeSdk.Configuration => ({
  spanProcessor: new CountingProcessor(new OTLPTraceExporter(), () => Effect.runSync(Metric.update(dropped, 1))),
  tracerConfig: {
    sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }),
    spanLimits: { attributeValueLengthLimit: longestValue }
  },
  metricReader: sendsMetrics()
    ? new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })
    : [],
  resource: { serviceName: service.orchestrator, serviceVersion: version },
  shutdownTimeout: "3 seconds"
})

/** Effect's tracer over the SDK. A span without a recorded parent is not recorded: tasks are where traces begin. */
export const tracer: Layer.Layer<never> = Layer.mergeAll(
  NodeSdk.layer(configuration),
  asyncContext,
  Layer.suspend(() => sendsMetrics() ? LoopLag.layer : Layer.empty)
)
