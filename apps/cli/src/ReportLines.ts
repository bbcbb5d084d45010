/**
 * A cancellation's report: every task below the cancelled one and how it came to rest.
 *
 * ```text
 * ⊘ migrate  stopped  12ms
 * ├─ ✔ review  finished before
 * ├─ ⊘ review  stopped  8ms
 * └─ ⊘ fetch   on far  unreachable  told 3 times, again in 4s
 *
 * 4 tasks: 2 stopped, 1 finished before, 1 unreachable
 * ```
 */
import type { CancelReport } from "@coppice/api/TasksApi"
import { empty, type Line, line, muted, spaced, type Span, span, strong } from "./Line.ts"
import { settlementOf } from "./Nodes.ts"
import { duration } from "./Times.ts"

type Rested = CancelReport["nodes"][number]

const signOf = ({ settlement, status }: Rested) => {
  if (settlement === null) return span("◌", "wait")
  if (status === "completed") return span("✔", "good")
  if (status === "failed") return span("✖", "bad")
  return span("⊘", settlement === "stopped" ? "wait" : "bad")
}

/** When its server is told again; nobody waits for that. */
const retryOf = ({ retryAt, tries = 1 }: Rested, now: number): Span | undefined => {
  if (retryAt === undefined) return undefined
  return muted(`told ${tries === 1 ? "once" : `${tries} times`}, again in ${duration(Math.max(0, retryAt - now))}`)
}

const cleanupsOf = ({ cleanups = 0 }: Rested): Span | undefined =>
  cleanups === 0 ? undefined : muted(`${cleanups} ${cleanups === 1 ? "step" : "steps"} to clean up`)

const nodeLine = (node: Rested, now: number): Line => [
  signOf(node),
  span(" "),
  ...spaced(
    strong(node.agent),
    muted(node.id),
    node.server === undefined ? undefined : muted(`on ${node.server}`),
    settlementOf(node.settlement),
    node.took === null || node.settlement === "finished_before" ? undefined : muted(duration(node.took)),
    cleanupsOf(node),
    retryOf(node, now)
  )
]

const order = ["stopped", "finished_before", "refused", "unreachable", "unknown", "stopping"] as const

const words: Readonly<Record<typeof order[number], string>> = {
  stopped: "stopped",
  finished_before: "finished before",
  refused: "refused",
  unreachable: "unreachable",
  unknown: "unknown",
  stopping: "still stopping"
}

/** `12 tasks: 10 stopped, 2 finished before`. */
export const summary = ({ totals }: CancelReport): Line => {
  const all = order.reduce((sum, how) => sum + totals[how], 0)
  const said = order.filter((how) => totals[how] > 0).map((how) => `${totals[how]} ${words[how]}`)
  return line(strong(`${all} ${all === 1 ? "task" : "tasks"}`), `: ${said.join(", ")}`)
}

/** Whether nothing runs any more that anybody knows of. */
export const isClean = ({ converged, totals }: CancelReport): boolean =>
  converged && totals.refused + totals.unreachable + totals.unknown + totals.stopping === 0

/** The tree of the report, then its summary. */
export const reportLines = (report: CancelReport, now: number): ReadonlyArray<Line> => {
  const known = new Set<string>(report.nodes.map(({ id }) => id))
  const below = Map.groupBy(
    report.nodes,
    ({ parent }) => parent !== null && known.has(parent) ? parent : null as string | null
  )
  const grow = (node: Rested, prefix: string, childPrefix: string): ReadonlyArray<Line> => {
    const children = below.get(node.id) ?? []
    const own: Line = prefix === "" ? nodeLine(node, now) : [muted(prefix), ...nodeLine(node, now)]
    return [
      own,
      ...children.flatMap((child, index) => {
        const isLast = index === children.length - 1
        return grow(child, childPrefix + (isLast ? "└─ " : "├─ "), childPrefix + (isLast ? "   " : "│  "))
      })
    ]
  }
  const more = report.omitted === undefined ? [] : [line(muted(`and ${report.omitted} more that are counted below`))]
  return [...(below.get(null) ?? []).flatMap((root) => grow(root, "", "")), ...more, empty, summary(report)]
}
