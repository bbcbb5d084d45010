/**
 * What became of a cancelled tree: every task of it, wherever it runs, and how it came to rest.
 *
 * A report is a projection of two facts of each task, its end and its settlement; nothing is kept for it. What runs on
 * another Coppice is told by that one and hangs below the task that stands for it here, its ids and servers named by the
 * way they are reached: `far/01kb…`, `far/further/01kb…`.
 */
import * as Schema from "effect/Schema"
import { Settlement, type Task, TaskStatus } from "./Task.ts"

/** One task of a cancelled tree. Times are Unix milliseconds, durations milliseconds. */
export const ReportNode = Schema.Struct({
  id: Schema.String,
  /** The task it is below, in this report. `null` for the cancelled task itself. */
  parent: Schema.NullOr(Schema.String),
  agent: Schema.String,
  status: TaskStatus,
  /** `null` while something of it may still run. */
  settlement: Schema.NullOr(Settlement),
  /** When it came to rest. */
  at: Schema.NullOr(Schema.Finite),
  /** From its end to its rest. */
  took: Schema.NullOr(Schema.Finite),
  /** Its code was running, was interrupted and ran to its end: all its finalizers have run. */
  unwound: Schema.optionalKey(Schema.Boolean),
  /** Steps its finalizers ran. Other finalizers cannot be counted from outside. */
  cleanups: Schema.optionalKey(Schema.Int),
  /** The MCP server its work is done on; left out for work of this process. */
  server: Schema.optionalKey(Schema.String),
  /** How often its server has been told. */
  tries: Schema.optionalKey(Schema.Int),
  /** When its server is told again. */
  retryAt: Schema.optionalKey(Schema.Finite)
})
export type ReportNode = typeof ReportNode.Type

/** How many tasks came to rest in each way; `stopping` have not. */
export const ReportTotals = Schema.Struct({
  stopped: Schema.Int,
  finished_before: Schema.Int,
  refused: Schema.Int,
  unreachable: Schema.Int,
  unknown: Schema.Int,
  stopping: Schema.Int
})
export type ReportTotals = typeof ReportTotals.Type

/** Every task of a cancelled tree, parents before children. */
export const CancelReport = Schema.Struct({
  task: Schema.String,
  /** Nothing is open: every task is at rest, and none waits for a server to be told. */
  converged: Schema.Boolean,
  totals: ReportTotals,
  nodes: Schema.Array(ReportNode),
  /** Tasks that are counted in `totals` and not listed, because there are too many of them. */
  omitted: Schema.optionalKey(Schema.Int)
}).annotate({ identifier: "CancelReport" })
export type CancelReport = typeof CancelReport.Type

/** What a task still runs or waits for is in question, as opposed to at rest for good. */
export const isAtRest = ({ totals }: Pick<CancelReport, "totals">): boolean => totals.stopping === 0

/** What of a task a report tells. */
type Told = Pick<
  Task,
  "id" | "parent" | "agent" | "status" | "endedAt" | "settlement" | "settledAt" | "rest" | "guardian"
>

/** The node of a task. `isSettled` is false while that it settled is not durable. */
export const nodeOf = (task: Told, isSettled: boolean, server: string | undefined): ReportNode => {
  const { agent, endedAt, id, rest, settledAt, settlement, status } = task
  const where = rest?.server ?? server
  const at = rest?.at ?? settledAt
  const how = isSettled
    ? { settlement, at, took: at === null || endedAt === null ? null : at - endedAt }
    : { settlement: null, at: null, took: null }
  const { cleanups, retryAt, tries, unwound } = isSettled ? rest ?? {} : {}
  return {
    id,
    parent: task.guardian ?? task.parent,
    agent,
    status,
    ...how,
    ...unwound === undefined ? {} : { unwound },
    ...cleanups === undefined ? {} : { cleanups },
    ...where === undefined ? {} : { server: where },
    ...tries === undefined ? {} : { tries },
    ...retryAt === undefined ? {} : { retryAt }
  }
}

/** A part of the tree on another Coppice, and the task here that stands for it. */
export interface Part {
  readonly below: string
  readonly server: string
  readonly report: CancelReport
}

const moved = ({ below, report, server }: Part): ReadonlyArray<ReportNode> => {
  const known = new Set(report.nodes.map(({ id }) => id))
  return report.nodes.map((node) => ({
    ...node,
    id: `${server}/${node.id}`,
    parent: node.parent !== null && known.has(node.parent) ? `${server}/${node.parent}` : below,
    server: node.server === undefined ? server : `${server}/${node.server}`
  }))
}

const none: ReportTotals = { stopped: 0, finished_before: 0, refused: 0, unreachable: 0, unknown: 0, stopping: 0 }

const count = (totals: Record<keyof ReportTotals, number>, nodes: ReadonlyArray<ReportNode>): void => {
  for (const { settlement } of nodes) totals[settlement ?? "stopping"]++
}

const isOpen = ({ retryAt, settlement }: ReportNode): boolean =>
  settlement === null || settlement === "unreachable" || retryAt !== undefined

/** The whole report: what is here, and what others have told. */
export const make = (
  task: string,
  own: ReadonlyArray<ReportNode>,
  parts: ReadonlyArray<Part> = []
): CancelReport => {
  const totals = { ...none }
  count(totals, own)
  for (const { report } of parts) {
    for (const how of Object.keys(none) as Array<keyof ReportTotals>) totals[how] += report.totals[how]
  }
  const omitted = parts.reduce((sum, { report }) => sum + (report.omitted ?? 0), 0)
  return {
    task,
    converged: !own.some(isOpen) && parts.every(({ report }) => report.converged),
    totals,
    nodes: parts.length === 0 ? own : [...own, ...parts.flatMap(moved)],
    ...omitted === 0 ? {} : { omitted }
  }
}

/** The report with so many nodes at most: what is open first, for that is what people ask about; then from the top. */
export const shortened = (report: CancelReport, most: number): CancelReport => {
  const { nodes, omitted = 0 } = report
  if (nodes.length <= most) return report
  const kept = new Set(nodes.filter(isOpen).slice(0, most))
  for (const node of nodes) {
    if (kept.size >= most) break
    kept.add(node)
  }
  return { ...report, nodes: nodes.filter((node) => kept.has(node)), omitted: omitted + nodes.length - most }
}
