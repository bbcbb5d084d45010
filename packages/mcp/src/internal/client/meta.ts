/**
 * What the client writes into `_meta` and reads from it, and the codes around it.
 */
import type { Ancestry } from "@coppice/task/Lineage"
import type { Json } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import { isObject, type JsonObject, objectAt, type RpcRequest } from "./rpc.ts"

export const code = {
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  headerMismatch: -32_020
} as const

/** The wire revisions whose tasks this client speaks; older ones count as the first, without tasks. */
export type Generation = "2025-11-25" | "2026-07-28"

/** Where a call stands: W3C trace context, and what one Coppice tells another. */
export interface CallContext {
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
  /** Public id of the caller's task. */
  readonly parent?: string | undefined
  /** Unix milliseconds. */
  readonly deadline?: number | undefined
  readonly budget?: JsonObject | undefined
  readonly idempotencyKey?: string | undefined
  readonly taskParent?: string | undefined
  /** Who is above the call, the caller's task last. */
  readonly ancestors?: Ancestry | undefined
}

const given = (entries: ReadonlyArray<readonly [string, Json | undefined]>): JsonObject =>
  Object.fromEntries(entries.flatMap(([key, value]) => value === undefined ? [] : [[key, value]]))

export const contextMeta = (context: CallContext): JsonObject =>
  given([
    [Meta.traceparent, context.traceparent],
    [Meta.tracestate, context.tracestate],
    [Meta.parent, context.parent],
    [Meta.deadline, context.deadline],
    [Meta.budget, context.budget],
    [Meta.idempotencyKey, context.idempotencyKey],
    [Meta.taskParent, context.taskParent],
    [Meta.ancestors, context.ancestors]
  ])

/** The params with more `_meta`; what is there already stays. */
export const withMeta = (params: JsonObject, meta: JsonObject): JsonObject => {
  return { ...params, _meta: { ...meta, ...objectAt(params, "_meta") } }
}

/** The task a message belongs to (2025-11-25). */
export const relatedTask = (message: { readonly params?: JsonObject }): string | undefined => {
  const meta = message.params?.["_meta"]
  const related = isObject(meta) ? meta[Meta.relatedTask] : undefined
  return isObject(related) && typeof related["taskId"] === "string" ? related["taskId"] : undefined
}

export const relatedMeta = (taskId: string): JsonObject => ({ [Meta.relatedTask]: { taskId } })

/** The params of a question without what says how it travels. */
export const bareParams = (request: RpcRequest): JsonObject => {
  const { _meta: _, task: __, ...params } = request.params ?? {}
  return params
}
