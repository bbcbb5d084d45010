/**
 * Every key of `_meta` that Coppice reads or writes, in one place.
 *
 * W3C trace context stands unprefixed (SEP-414), MCP's own under its prefix, ours under `dev.coppice/`. What a peer sends
 * here is hostile until proven otherwise: a value that does not parse is as if it were not there. Only an idempotency key
 * and trace context are taken from everybody; a deadline, a budget or a parent only from a peer the configuration calls a
 * Coppice.
 */
import { type Amounts, type Budget, measures, noLimits, problemOf } from "@coppice/task/Budget"
import { ancestryKey } from "@coppice/task/Lineage"
import * as Predicate from "effect/Predicate"
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
/**
 * What the caller grants: `{ calls, tokens, money, depth, fanOut, soft }`, each left out when it has no limit. Time goes as
 * the deadline. The reply says what was used of it under `usage`, in the result's `_meta` or in the error's data.
 */
export const budget = "dev.coppice/budget"
/** What a call with a budget has used: `{ calls, tokens, money }`. Also beside a cancel report. */
export const usage = "dev.coppice/usage"
/** Public id of the calling task, for people who read both sides. */
export const parent = "dev.coppice/parent"
/** Public id of the task the caller's own task is below, for a Coppice that keeps trees of its own. */
export const taskParent = "dev.coppice/task-parent"
/**
 * In a request about a task: tell how its tree came to rest, and wait for that so many milliseconds at most,
 * `{ wait: 10000 }`. In the reply: the report. Between a Coppice and one that trusts it.
 */
export const cancelReport = "dev.coppice/cancel-report"
/**
 * `true` in a `tools/call` with an idempotency key: its caller has given the call up and wants its task, if there is one, to
 * stop. Nothing is started: where the key has no task yet it gets one that is cancelled from its first moment, so that the
 * call that is given up finds that one, should it arrive late. In the reply: the status of the task, beside the report of
 * `cancel-report` if that is asked for. From everybody.
 */
export const withdrawn = "dev.coppice/withdrawn"
/**
 * In a request about a task: what it is told while it runs, and what in the reply became of that; see
 * `internal/steering.ts`. From a Coppice to one that trusts it.
 */
export const steer = "dev.coppice/steer"
/**
 * In a request about a task: tell its tree as it is now, `{ wait: 2000 }`, that long at most. In the reply: its nodes, and
 * who could not be asked. From a Coppice that is trusted.
 */
export const tree = "dev.coppice/tree"
/** Who is above a call, for a Coppice that looks for circles and counts depth: see `@coppice/task/Lineage`. */
export const ancestors = ancestryKey
/** Why a Coppice did not take a call, in the data of its error. */
export const refusal = "dev.coppice/refusal"
/** An agent's declared error, encoded, beside the text a model reads. */
export const error = "dev.coppice/error"

/** The id of the tasks extension of MCP 2026-07-28. */
export const tasksExtension = "io.modelcontextprotocol/tasks"

/** Nobody waits longer for a report in one request, milliseconds. */
const longestReportWait = 30_000

const text = (meta: JsonObject | null, key: string, most: number): string | undefined => {
  const value = meta?.[key]
  return typeof value === "string" && value !== "" && value.length <= most ? value : undefined
}

/** The caller's idempotency key: up to 256 characters. */
export const readKey = (meta: JsonObject | null): string | undefined => text(meta, idempotencyKey, 256)

/** Whether a call is given up instead of made. */
export const isWithdrawn = (meta: JsonObject | null): boolean =>
  meta?.[withdrawn] === true && readKey(meta) !== undefined

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

/** How long the report of a cancelled tree may be waited for, milliseconds; `undefined` when none is asked for. */
export const readReportWait = (meta: JsonObject | null): number | undefined => {
  const asked = meta?.[cancelReport]
  const wait = Predicate.hasProperty(asked, "wait") ? asked.wait : undefined
  return typeof wait === "number" && wait >= 0 ? Math.min(wait, longestReportWait) : undefined
}

/** How long others may be asked for their parts of a tree, milliseconds; `undefined` when none is asked for. */
export const readTreeWait = (meta: JsonObject | null): number | undefined => {
  const asked = meta?.[tree]
  const wait = Predicate.hasProperty(asked, "wait") ? asked.wait : undefined
  return typeof wait === "number" && wait >= 0 ? Math.min(wait, longestReportWait) : undefined
}

const wholeNumber = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

const amountsIn = (value: Json | undefined): Amounts =>
  Object.fromEntries(measures.flatMap((measure) => {
    const amount = Predicate.hasProperty(value, measure) ? value[measure] : undefined
    return wholeNumber(amount) ? [[measure, amount]] : []
  }))

/** The budget the caller grants; `undefined` when there is none, or one that makes no sense. */
export const readBudget = (meta: JsonObject | null): Budget | undefined => {
  const value = meta?.[budget]
  if (!Predicate.isObject(value)) return undefined
  const { depth, fanOut, soft } = value as { readonly [key: string]: unknown }
  const granted: Budget = {
    ...noLimits,
    ...amountsIn(value),
    ...wholeNumber(depth) ? { depth } : {},
    ...wholeNumber(fanOut) ? { fanOut } : {},
    ...typeof soft === "number" ? { soft } : {}
  }
  return problemOf(granted) === undefined ? granted : undefined
}

/** A budget as `_meta` has it. */
export const writeBudget = (budget: Budget): JsonObject =>
  Object.fromEntries(Object.entries(budget).filter(([name, value]) => name !== "wallClock" && value !== null))

/** What the callee says it has used; `undefined` when it says nothing. */
export const readUsage = (meta: Json | undefined): Amounts | undefined => {
  const value = Predicate.hasProperty(meta, usage) ? meta[usage] : undefined
  return Predicate.isObject(value) ? amountsIn(value as Json) : undefined
}

/** What identifies progress notifications of one request. */
export const readProgressToken = (meta: JsonObject | null): string | number | undefined => {
  const value: Json | undefined = meta?.[progressToken]
  return typeof value === "string" || typeof value === "number" ? value : undefined
}
