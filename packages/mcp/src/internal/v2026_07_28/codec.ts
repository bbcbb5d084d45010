/**
 * Tasks as the extension `io.modelcontextprotocol/tasks` of MCP 2026-07-28 writes them.
 */
import type { Contract } from "@coppice/task/Contract"
import type { Task } from "@coppice/task/Task"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import * as DateTime from "effect/DateTime"
import type { JsonObject } from "effect/Schema"
import type { View } from "../server/Calls.ts"
import { toRequests, toWire } from "../server/inputs.ts"
import { resultOf } from "../server/tool.ts"
import { WireError } from "../server/wireError.ts"

const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

/** The fields every form of a task has. Durations in milliseconds. */
const task = (handle: string, { pollInterval, status, task, ttl }: View): JsonObject => ({
  taskId: handle,
  status,
  ...task.statusMessage === null ? {} : { statusMessage: task.statusMessage },
  createdAt: iso(task.createdAt),
  lastUpdatedAt: iso(task.updatedAt),
  ttlMs: ttl === null ? null : Math.round(ttl),
  pollIntervalMs: Math.round(pollInterval)
})

/** `failed` is for JSON-RPC errors alone; an agent's declared error is a completed task whose result says `isError`. */
const isFault = (ending: TaskEvent | undefined): boolean => ending?._tag === "Failed" && ending.reason !== "agent_error"

/** What a task came to. A task is as old as its contract: without one its result is plain. */
const outcome = (contract: Contract | undefined, task: Task, ending: TaskEvent): JsonObject => {
  const result = resultOf(contract, { task, ending }, "2026-07-28")
  if (!(result instanceof WireError)) return { result: { resultType: "complete", ...result } }
  const { code, data, message } = result
  return { error: { code, message, ...data === undefined ? {} : { data } } }
}

const statusOf = (view: View): View["status"] =>
  view.status === "failed" && !isFault(view.ending) ? "completed" : view.status

/** The whole task, as `tasks/get` and notifications have it. */
export const detailed = (handle: string, contract: Contract | undefined, view: View): JsonObject => {
  const status = statusOf(view)
  const fields = task(handle, { ...view, status })
  if (status === "input_required") {
    return { ...fields, inputRequests: toRequests(view.inputs.map((input) => toWire(view.task.id, input))) }
  }
  const isOver = status === "completed" || status === "failed"
  return isOver && view.ending !== undefined ? { ...fields, ...outcome(contract, view.task, view.ending) } : fields
}

/** The answer to a call that became a task: flat, as it was when it was made, and without what belongs to `tasks/get`. */
export const created = (handle: string, view: View): JsonObject => ({
  resultType: "task",
  ...task(handle, { ...view, status: statusOf({ ...view, status: view.task.status }) })
})
