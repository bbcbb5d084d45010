/**
 * Tasks as both revisions describe them, read into one form.
 */
import type { Json } from "effect/Schema"
import type { Generation } from "./meta.ts"
import { type Question, toQuestion } from "./questions.ts"
import { type JsonObject, numberAt, objectAt, type RpcFault, textAt } from "./rpc.ts"

/**
 * What to write down about a task to find it again: pure JSON. Like the id in it, it may grant access: keep it where the
 * call's input is kept, and out of logs.
 */
export interface TaskReference {
  readonly generation: Generation
  readonly taskId: string
  /** 2025-11-25 over HTTP: the session that knows the task. */
  readonly session?: string
  readonly pollInterval?: number
  /** The token progress of the task comes under. */
  readonly progressToken?: string
}

/** The result of a tool. */
export interface CallResult {
  readonly content: ReadonlyArray<Json>
  readonly structuredContent: Json | undefined
  readonly isError: boolean
  readonly meta: JsonObject
}

export type TaskStatus = "working" | "input_required" | "completed" | "failed" | "cancelled"

/** A task as the server last described it. */
export interface TaskSnapshot {
  readonly taskId: string
  readonly status: TaskStatus
  readonly statusMessage: string | undefined
  /** Milliseconds; `undefined` when the server leaves it to us. */
  readonly pollInterval: number | undefined
  /** 2026-07-28 only: what it waits for. */
  readonly questions: ReadonlyArray<Question>
  /** 2026-07-28 only: the tool's result, once completed. */
  readonly result: CallResult | undefined
  /** 2026-07-28 only: the JSON-RPC error it failed with. */
  readonly fault: RpcFault | undefined
}

/** How a task ended. `completed` covers results with `isError`; `failed` is an error of the server. */
export type TaskEnd =
  | { readonly _tag: "Completed"; readonly result: CallResult }
  | { readonly _tag: "Failed"; readonly fault: RpcFault }
  | { readonly _tag: "Cancelled"; readonly message: string | undefined }

export const isOver = (status: TaskStatus): boolean =>
  status === "completed" || status === "failed" || status === "cancelled"

const statuses: ReadonlySet<unknown> = new Set(["working", "input_required", "completed", "failed", "cancelled"])

export const toStatus = (value: unknown): TaskStatus | undefined =>
  statuses.has(value) ? value as TaskStatus : undefined

/** A tool's result, or `undefined` when it is none. */
export const toCallResult = (value: JsonObject): CallResult | undefined => {
  const { content, isError, structuredContent } = value
  const blocks: unknown = content ?? (structuredContent === undefined ? undefined : [])
  if (!Array.isArray(blocks)) return undefined
  return {
    content: blocks as ReadonlyArray<Json>,
    structuredContent,
    isError: isError === true,
    meta: objectAt(value, "_meta") ?? {}
  }
}

const toFault = (value: JsonObject | undefined): RpcFault | undefined => {
  const code = numberAt(value, "code")
  if (value === undefined || code === undefined) return undefined
  const { data } = value
  return { code, message: textAt(value, "message") ?? "", ...data === undefined ? {} : { data } }
}

const toQuestions = (requests: JsonObject | undefined): ReadonlyArray<Question> =>
  Object.entries(requests ?? {}).flatMap(([key, request]) => {
    const method = textAt(request, "method")
    if (method === undefined) return []
    return toQuestion(key, method, objectAt(request, "params") ?? {}) ?? []
  })

/** The questions of an `input_required` result. */
export const questionsOf = (value: JsonObject): ReadonlyArray<Question> => toQuestions(objectAt(value, "inputRequests"))

/** The task in a reply or notification, or `undefined` when it is none. */
export const toSnapshot = (value: JsonObject): TaskSnapshot | undefined => {
  const taskId = textAt(value, "taskId")
  const status = toStatus(value["status"])
  if (taskId === undefined || status === undefined) return undefined
  const interval = numberAt(value, "pollIntervalMs") ?? numberAt(value, "pollInterval")
  const result = objectAt(value, "result")
  return {
    taskId,
    status,
    statusMessage: textAt(value, "statusMessage"),
    pollInterval: interval === undefined || interval < 0 ? undefined : interval,
    questions: questionsOf(value),
    result: result === undefined ? undefined : toCallResult(result),
    fault: toFault(objectAt(value, "error"))
  }
}

/** The end a finished task of 2026-07-28 describes, or `undefined` when it leaves it out. */
export const endOf = (snapshot: TaskSnapshot): TaskEnd | undefined => {
  const { fault, result, status, statusMessage } = snapshot
  if (status === "cancelled") return { _tag: "Cancelled", message: statusMessage }
  if (status === "completed" && result !== undefined) return { _tag: "Completed", result }
  if (status === "failed" && fault !== undefined) return { _tag: "Failed", fault }
  return undefined
}
