/**
 * The unit of work MCP knows, as one record.
 *
 * A `Task` is the projection of its events: what a reader may see at any time. It carries no input, output or steps;
 * those stay in the log and are read from there, so that a task costs the same however much it has done.
 *
 * Statuses are MCP's own five. A *run* is a root task and its whole tree; a run's id is its root's id. Status and
 * settlement are two facts: cancelling sets `cancelled` for a whole subtree at once, and each node later records how it
 * came to rest.
 */
import * as Schema from "effect/Schema"
import { Budget, Pool } from "./Budget.ts"
import { wholeMillis } from "./internal/millis.ts"

export { Budget } from "./Budget.ts"

/**
 * The public id of a task: lower-case base 32, 20 characters, sortable by time of creation. It is a name, not a
 * secret: it appears in URLs, traces and the CLI and grants nothing.
 */
export const TaskId = Schema.String.pipe(Schema.brand("TaskId"))
export type TaskId = typeof TaskId.Type

/** MCP's five statuses. `working` and `input_required` are active, the other three never change again. */
export const TaskStatus = Schema.Literals(["working", "input_required", "completed", "failed", "cancelled"])
export type TaskStatus = typeof TaskStatus.Type

/**
 * Why a task is `failed`. `agent_error` is an error the agent declared (an `isError` result in MCP); every other reason
 * is a JSON-RPC −32603 on the wire.
 */
export const FailureReason = Schema.Literals([
  "agent_error",
  "defect",
  "deadline",
  "budget",
  "quarantined",
  "replay_mismatch",
  "supervision"
])
export type FailureReason = typeof FailureReason.Type

/** What another attempt is worth after one was lost: `retryable` after a backoff, `rate_limited` from a given time on. */
export const AttemptClass = Schema.Literals(["retryable", "rate_limited"])
export type AttemptClass = typeof AttemptClass.Type

/** How a cancelled task came to rest. `finished_before` also stands for every task that ended by itself. */
export const Settlement = Schema.Literals(["stopped", "finished_before", "refused", "unreachable", "unknown"])
export type Settlement = typeof Settlement.Type

/**
 * What happens to a child that still runs when its parent ends, in whatever way: it is cancelled (`stop`, the default),
 * goes on by itself (`continue`), or goes on below the nearest living task above (`adopt`).
 */
export const ParentExit = Schema.Literals(["stop", "continue", "adopt"])
export type ParentExit = typeof ParentExit.Type

/** The last progress an agent reported: `progress` grows towards `total`, when a total is known. */
export const Progress = Schema.Struct({
  progress: Schema.Finite,
  total: Schema.NullOr(Schema.Finite),
  message: Schema.NullOr(Schema.String)
})
export type Progress = typeof Progress.Type

/** What is known of how a task came to rest, beside the word for it. */
export const Rest = Schema.Struct({
  /** Its code was running, was interrupted and ran to its end: all its finalizers have run. */
  unwound: Schema.optionalKey(Schema.Boolean),
  /** Steps its finalizers ran. */
  cleanups: Schema.optionalKey(Schema.Int),
  /** The MCP server its work is done on. */
  server: Schema.optionalKey(Schema.String),
  /** How often that server has been told to stop. */
  tries: Schema.optionalKey(Schema.Int),
  /** When it is told again, Unix milliseconds: until then this is not the last word. */
  retryAt: Schema.optionalKey(Schema.Finite),
  /** When a later word than the first came, Unix milliseconds. */
  at: Schema.optionalKey(Schema.Finite),
  /** The server has told of so many tasks of its own; they stand in the fact. */
  below: Schema.optionalKey(Schema.Int)
})
export type Rest = typeof Rest.Type

/** W3C ids of the span that stands for this task, so that one run stays one trace across restarts. */
export const TaskTrace = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.NullOr(Schema.String)
})
export type TaskTrace = typeof TaskTrace.Type

/** What is fixed when a task is created. */
export const TaskSpec = Schema.Struct({
  /** Version of the agent's contract the task was created under. */
  version: Schema.String,
  /** What the code that made it called itself, when it had a name. */
  code: Schema.optionalKey(Schema.String),
  /** Who asked. `local` for the loopback token's holder; children inherit it. */
  principal: Schema.String,
  idempotencyKey: Schema.NullOr(Schema.String),
  depth: Schema.Int,
  priority: Schema.Int,
  /** Time to live the requestor asked for, milliseconds from creation; it shortens retention, never live work. */
  ttl: Schema.NullOr(Schema.Finite),
  /** How long the run is kept after its end, milliseconds. */
  retention: Schema.Finite,
  budget: Schema.NullOr(Budget),
  onParentExit: ParentExit,
  retryOf: Schema.NullOr(TaskId),
  /** The task it was forked of, and from where it is done anew. */
  forkOf: Schema.optionalKey(Schema.Struct({ task: TaskId, at: Schema.String })),
  trace: TaskTrace,
  /** MCP `_meta` as it came in; recorded, never obeyed unless the peer is a configured Coppice. */
  meta: Schema.NullOr(Schema.JsonObject),
  /** The nearest task above that owns a budget: what this one uses, or its own budget, is taken from there. */
  pool: Schema.optionalKey(TaskId)
})
export type TaskSpec = typeof TaskSpec.Type

/** One task as readers see it. Times are Unix milliseconds. */
export const Task = Schema.Struct({
  id: TaskId,
  run: TaskId,
  parent: Schema.NullOr(TaskId),
  /** Key of the parent's call that made this task; unique below its parent. `null` for a root. */
  key: Schema.NullOr(Schema.String),
  agent: Schema.String,
  status: TaskStatus,
  statusMessage: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(FailureReason),
  /** Executions begun so far; 0 while it waits for its first slot. */
  attempt: Schema.Int,
  progress: Schema.NullOr(Progress),
  createdAt: Schema.Finite,
  updatedAt: Schema.Finite,
  endedAt: Schema.NullOr(Schema.Finite),
  deadline: Schema.NullOr(Schema.Finite),
  settlement: Schema.NullOr(Settlement),
  settledAt: Schema.NullOr(Schema.Finite),
  rest: Schema.optionalKey(Rest),
  /** Who is responsible for it since its parent ended: the task that adopted it, or nobody. */
  guardian: Schema.optionalKey(Schema.NullOr(TaskId)),
  /** How many tasks it has adopted. */
  adopted: Schema.optionalKey(Schema.Int),
  spec: TaskSpec,
  /** What became of its budget; left out while nothing of it was taken. */
  pool: Schema.optionalKey(Pool)
}).annotate({ identifier: "Task" })
export type Task = typeof Task.Type

/** True for `completed`, `failed` and `cancelled`. */
export const isTerminal = (status: TaskStatus): boolean => status !== "working" && status !== "input_required"

/** True once nothing of the task runs any more (I7, I11). */
export const isSettled = (task: { readonly settlement: Settlement | null }): boolean => task.settlement !== null

/** How a task came to rest is final, as opposed to open until its server has been told again. */
export const isFinal = (task: Pick<Task, "settlement" | "rest">): boolean =>
  task.settlement !== null && task.rest?.retryAt === undefined

/** Who is responsible for a task: who cancels it with itself, and does not settle before it. */
export const guardianOf = ({ guardian, parent }: Pick<Task, "guardian" | "parent">): TaskId | null =>
  guardian === undefined ? parent : guardian

/** What the end of whoever is responsible means for a task. It is adopted once: who has adopted it keeps it to its end. */
export const parentExitOf = ({ guardian, spec }: Pick<Task, "guardian" | "spec">): ParentExit =>
  guardian === undefined ? spec.onParentExit : "stop"

/** The default retention of a finished run: seven days, in milliseconds. */
export const defaultRetention: number = 7 * 24 * 60 * 60 * 1000

/**
 * When an ended run may be forgotten, Unix milliseconds: its end plus its retention, or earlier when the requestor
 * asked for a shorter time to live. Live work is never forgotten.
 */
export const expiresAt = (task: Task): number | null => {
  if (task.endedAt === null) return null
  const kept = task.endedAt + task.spec.retention
  const { ttl } = task.spec
  return wholeMillis(ttl === null ? kept : Math.min(kept, Math.max(task.endedAt, task.createdAt + ttl)))
}
