/**
 * A cancellation's report: every task below the cancelled one and how it came to rest.
 *
 * ```text
 * ⊘ migrate  stopped  12ms
 * ├─ ✔ review  finished before
 * └─ ⊘ review  stopped  8ms
 *
 * 3 tasks: 2 stopped, 1 finished before
 * ```
 */
import type { CancelReport } from "@coppice/api/TasksApi"
import { empty, type Line, line, muted, spaced, span, strong } from "./Line.ts"
import { settlementOf } from "./Nodes.ts"
import { duration } from "./Times.ts"

type Rested = CancelReport["nodes"][number]

const signOf = ({ settlement, status }: Rested) => {
  if (settlement === null) return span("◌", "wait")
  if (status === "completed") return span("✔", "good")
  if (status === "failed") return span("✖", "bad")
  return span("⊘", settlement === "stopped" ? "wait" : "bad")
}

const nodeLine = (node: Rested): Line => [
  signOf(node),
  span(" "),
  ...spaced(
    strong(node.agent),
    muted(node.id),
    settlementOf(node.settlement),
    node.took === null || node.settlement === "finished_before" ? undefined : muted(duration(node.took))
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
export const summary = ({ nodes }: CancelReport): Line => {
  const counts = new Map<typeof order[number], number>()
  for (const { settlement } of nodes) {
    const how = settlement ?? "stopping"
    counts.set(how, (counts.get(how) ?? 0) + 1)
  }
  const said = order.filter((how) => counts.has(how)).map((how) => `${counts.get(how)} ${words[how]}`)
  return line(strong(`${nodes.length} ${nodes.length === 1 ? "task" : "tasks"}`), `: ${said.join(", ")}`)
}

/** Whether nothing runs any more that anybody knows of. */
export const isClean = ({ converged, nodes }: CancelReport): boolean =>
  converged && nodes.every(({ settlement }) => settlement === "stopped" || settlement === "finished_before")

/** The tree of the report, then its summary. */
export const reportLines = (report: CancelReport): ReadonlyArray<Line> => {
  const known = new Set<string>(report.nodes.map(({ id }) => id))
  const below = Map.groupBy(
    report.nodes,
    ({ parent }) => parent !== null && known.has(parent) ? parent : null as string | null
  )
  const grow = (node: Rested, prefix: string, childPrefix: string): ReadonlyArray<Line> => {
    const children = below.get(node.id) ?? []
    const own: Line = prefix === "" ? nodeLine(node) : [muted(prefix), ...nodeLine(node)]
    return [
      own,
      ...children.flatMap((child, index) => {
        const isLast = index === children.length - 1
        return grow(child, childPrefix + (isLast ? "└─ " : "├─ "), childPrefix + (isLast ? "   " : "│  "))
      })
    ]
  }
  return [...(below.get(null) ?? []).flatMap((root) => grow(root, "", "")), empty, summary(report)]
}
