/**
 * Every key of `_meta` that Coppice reads or writes, in one place.
 *
 * W3C trace context stands unprefixed (SEP-414), MCP's own under its prefix, ours under `dev.coppice/`. What a peer sends
 * here is hostile until proven otherwise: a value that does not parse is as if it were not there. Only an idempotency key
 * and trace context are taken from everybody; a deadline or a parent only from a peer the configuration calls a Coppice.
 */
import type { Json, JsonObject } from "effect/Schema"

export const protocolVersion = "io.modelcontextprotocol/protocolVersion"
export const clientInfo = "io.modelcontextprotocol/clientInfo"
export const relatedTask = "io.modelcontextprotocol/related-task"
export const immediateResponse = "io.modelcontextprotocol/model-immediate-response"
export const subscriptionId = "io.modelcontextprotocol/subscriptionId"
export const clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
export const logLevel = "io.modelcontextprotocol/logLevel"
export const traceparent = "traceparent"
export const tracestate = "tracestate"
export const progressToken = "progressToken"

/** Repeating a call with the same key and input returns the same task; it lives as long as that task. */
export const idempotencyKey = "dev.coppice/idempotency-key"
/** Unix milliseconds. */
export const deadline = "dev.coppice/deadline"
/** Public id of the calling task, for people who read both sides. */
export const parent = "dev.coppice/parent"
/** Public id of the task the caller's own task is below, for a Coppice that keeps trees of its own. */
export const taskParent = "dev.coppice/task-parent"
/** An agent's declared error, encoded, beside the text a model reads. */
export const error = "dev.coppice/error"

/** The id of the tasks extension of MCP 2026-07-28. */
export const tasksExtension = "io.modelcontextprotocol/tasks"

const text = (meta: JsonObject | null, key: string, most: number): string | undefined => {
  const value = meta?.[key]
  return typeof value === "string" && value !== "" && value.length <= most ? value : undefined
}

/** The caller's idempotency key: up to 256 characters. */
export const readKey = (meta: JsonObject | null): string | undefined => text(meta, idempotencyKey, 256)

/** The caller's span, when it is one (W3C Trace Context, version 00 and later). */
export const readTrace = (
  meta: JsonObject | null
): { readonly traceId: string; readonly parentSpanId: string } | undefined => {
  const parts = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}(?:-.*)?$/.exec(
    text(meta, traceparent, 256) ?? ""
  )
  if (parts === null) return undefined
  const [, traceId = "", parentSpanId = ""] = parts
  return /^0+$/.test(traceId) || /^0+$/.test(parentSpanId) ? undefined : { traceId, parentSpanId }
}

/** The moment after which the caller has no use for a result. */
export const readDeadline = (meta: JsonObject | null): number | undefined => {
  const value = meta?.[deadline]
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined
}

/** What identifies progress notifications of one request. */
export const readProgressToken = (meta: JsonObject | null): string | number | undefined => {
  const value: Json | undefined = meta?.[progressToken]
  return typeof value === "string" || typeof value === "number" ? value : undefined
}
