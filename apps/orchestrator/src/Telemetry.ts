/**
 * Traces over OTLP, by opentelemetry-js: off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set.
 *
 * Two kinds of spans leave the process. *Durable* ones stand for tasks and come from the log (`DurableSpans`). *Live*
 * ones are made by code that runs below a task, through Effect's tracer; those without a task above them (requests,
 * sweeps, health checks) are not recorded. The SDK is loaded only when it is used, which keeps the start fast.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SpanSink } from "./DurableSpans.ts"

/** Whether the environment asks for traces. */
export const isEnabled = (environment: Readonly<Record<string, string | undefined>>): boolean => {
  const endpoint = environment["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
  return endpoint !== undefined && endpoint !== "" &&
    environment["OTEL_SDK_DISABLED"]?.toLowerCase() !== "true" && environment["OTEL_TRACES_EXPORTER"] !== "none"
}

const sdk = Effect.promise(() => import("./OpenTelemetry.ts"))

/** The tracer and the sink of durable spans; nothing when traces are not asked for. */
export const layer: Layer.Layer<never> = Layer.unwrap(
  Effect.gen(function*() {
    if (!isEnabled(process.env)) return Layer.empty
    const { makeSink, tracer } = yield* sdk
    const sink = Layer.effectContext(Effect.map(makeSink, (sink) => Context.make(SpanSink, sink)))
    return Layer.merge(tracer, sink)
  })
)
