/**
 * Tasks as MCP 2025-11-25 writes them.
 */
import * as DateTime from "effect/DateTime"
import type { JsonObject } from "effect/Schema"
import * as Meta from "../../Meta.ts"
import type { View } from "../server/Calls.ts"

const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

/** A task. Durations in milliseconds, `ttl` counted from its creation. */
export const task = (handle: string, { pollInterval, status, task, ttl }: View): JsonObject => ({
  taskId: handle,
  status,
  ...task.statusMessage === null ? {} : { statusMessage: task.statusMessage },
  createdAt: iso(task.createdAt),
  lastUpdatedAt: iso(task.updatedAt),
  ttl: ttl === null ? null : Math.round(ttl),
  pollInterval: Math.round(pollInterval)
})

/** What ties a message to its task. */
export const related = (handle: string): JsonObject => ({ [Meta.relatedTask]: { taskId: handle } })
