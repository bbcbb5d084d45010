/**
 * A small history in which nothing is wrong: one run that is answered and completes after a kill, one that is cancelled.
 *
 * ```text
 *  root ── Created(1) ───────────── InputRequested(6) InputReceived(7) Completed(8)
 *    child ── Created(2) StepRecorded(3) · kill · Started(4) Completed(5)
 *  held ── Created(9) ─── Cancelled(11) ─── Settled(14)
 *    below ── Created(10) Cancelled(12) Settled(13)
 * ```
 */
import type { Envelope, Task, TaskEvent } from "@coppice/api/Api"
import type { CancelReport, TaskResult } from "@coppice/api/TasksApi"
import type { Ack, CalmRun, Comparison, EffectLine, History, Life } from "../../chaos/History.ts"

/** A history a test may bend. */
export interface Story extends History {
  journal: Array<Ack>
  seen: Array<Envelope>
  resets: number
  effects: Array<EffectLine>
  lives: Array<Life>
  calm: Array<CalmRun>
  comparisons: Array<Comparison>
  log: Array<Envelope>
  tasks: Array<Task>
  results: Map<string, TaskResult>
  reports: Map<string, CancelReport>
}

const input = { files: 3 }

const created = (run: string, parent: string | null) => ({
  _tag: "Created",
  run,
  parent,
  key: parent === null ? null : "call:child:0",
  agent: parent === null ? "parent" : "child",
  input: parent === null ? input : null,
  attempt: 1,
  deadline: null,
  spec: { idempotencyKey: parent === null ? `key of ${run}` : null }
})

/** One fact, at 100 ms times its number. */
export const fact = (seq: number, run: string, task: string, event: object): Envelope =>
  ({ seq, task, run, at: seq * 100, event: event as TaskEvent }) as Envelope

export const stepKey = "step:write:0"
const question = "ask:0"
const response = { action: "accept", content: { go: true }, by: "api" }

const log = (): Array<Envelope> => [
  fact(1, "root", "root", created("root", null)),
  fact(2, "root", "child", created("root", "root")),
  fact(3, "root", "child", {
    _tag: "StepRecorded",
    key: stepKey,
    name: "write",
    exit: { _tag: "Success", value: 1 },
    startedAt: 210,
    attempt: 1
  }),
  fact(4, "root", "child", { _tag: "Started", attempt: 2 }),
  fact(5, "root", "child", { _tag: "Completed", result: 1 }),
  fact(6, "root", "root", { _tag: "InputRequested", request: { key: question, message: "Go on?" } }),
  fact(7, "root", "root", { _tag: "InputReceived", key: question, response }),
  fact(8, "root", "root", { _tag: "Completed", result: { sum: 1 } }),
  fact(9, "held", "held", created("held", null)),
  fact(10, "held", "below", created("held", "held")),
  fact(11, "held", "held", { _tag: "Cancelled", by: "api", reason: null }),
  fact(12, "held", "below", { _tag: "Cancelled", by: "api", reason: null }),
  fact(13, "held", "below", { _tag: "Settled", how: "stopped", took: 100 }),
  fact(14, "held", "held", { _tag: "Settled", how: "stopped", took: 300 })
]

const task = (id: string, status: Task["status"], endedAt: number): Task => ({ id, status, endedAt }) as Task

const completed = {
  task: task("root", "completed", 800),
  completed: { output: { sum: 1 } },
  failed: null,
  cancelled: null
} as TaskResult

const reportOf = (settlement: "stopped" | null): CancelReport =>
  ({
    task: "held",
    converged: settlement !== null,
    nodes: [{ id: "held", status: "cancelled", settlement }, { id: "below", status: "cancelled", settlement }]
  }) as unknown as CancelReport

const journal = (): Array<Ack> => [
  { _tag: "Submitted", at: 120, key: "key of root", agent: "parent", input, task: "root" },
  { _tag: "Unknown", at: 360, what: "result", why: "unreachable" },
  { _tag: "Asked", at: 650, task: "root", key: question },
  { _tag: "Answered", at: 720, task: "root", key: question, content: { go: true } },
  { _tag: "Result", at: 850, task: "root", result: completed },
  { _tag: "Submitted", at: 920, key: "key of held", agent: "parent", input, task: "held" },
  { _tag: "Cancelled", at: 1_250, task: "held", report: reportOf(null) }
]

const life = (pid: number, startedAt: number, endedAt: number, end: Life["end"]): Life => ({
  pid,
  plan: end,
  startedAt,
  readyAt: startedAt + 10,
  endedAt,
  end
})

/** A history in which nothing is wrong. */
export const story = (): Story => ({
  journal: journal(),
  seen: log(),
  resets: 0,
  effects: [
    // the first one was killed between its effect and its record, in a process before the first fact of the log we kept
    { key: `child/${stepKey}`, at: 250, pid: 1 },
    { key: `child/${stepKey}`, at: 300, pid: 1 }
  ],
  lives: [life(1, 0, 350, "killed"), life(2, 360, 2_000, "stopped")],
  calm: [{ name: "round 1", took: 900, bound: 25_000 }],
  comparisons: [{ name: "root", differences: [] }],
  log: log(),
  tasks: [
    task("root", "completed", 800),
    task("child", "completed", 500),
    task("held", "cancelled", 1_100),
    task("below", "cancelled", 1_200)
  ],
  results: new Map([["root", completed]]),
  reports: new Map([["held", reportOf("stopped")]])
})
