/**
 * The acknowledgement of a cancelled tree: every task, and how it came to rest.
 */
import type { Settlement } from "@coppice/api/Api"
import type { CancelReport } from "@coppice/api/TasksApi"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useMemo, useRef } from "react"
import { duration } from "../../../ui/Durations.ts"
import { Icon, type IconName } from "../../../ui/Icon.tsx"
import type { Tone } from "../../../ui/Status.tsx"
import { Ago } from "../../../ui/Time.tsx"

type Line = CancelReport["nodes"][number]

interface Look {
  readonly tone: Tone
  readonly icon: IconName
  readonly label: string
}

const stopping: Look = { tone: "working", icon: "ring", label: "stopping" }

const looks: Readonly<Record<Settlement, Look>> = {
  stopped: { tone: "good", icon: "check", label: "stopped" },
  finished_before: { tone: "off", icon: "check", label: "had finished before" },
  refused: { tone: "bad", icon: "bang", label: "refused" },
  unreachable: { tone: "waiting", icon: "question", label: "unreachable" },
  unknown: { tone: "waiting", icon: "question", label: "unknown" }
}

const lookOf = (settlement: Settlement | null): Look => settlement === null ? stopping : looks[settlement]

const totals = ["stopped", "finished_before", "refused", "unreachable", "unknown"] as const

interface Placed {
  readonly node: Line
  readonly depth: number
}

/** The nodes as a tree is read: each right below its parent. The service tells them level by level. */
const placed = (nodes: ReadonlyArray<Line>): ReadonlyArray<Placed> => {
  const known = new Set(nodes.map(({ id }) => id))
  const children = new Map<string | null, Array<Line>>()
  for (const node of nodes) {
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [node])
    else siblings.push(node)
  }
  const found: Array<Placed> = []
  const stack = (children.get(null) ?? []).toReversed().map((node) => ({ node, depth: 0 }))
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    found.push(next)
    const depth = next.depth + 1
    for (const node of (children.get(next.node.id) ?? []).toReversed()) stack.push({ node, depth })
  }
  return found
}

const ReportLine = ({ depth, node: { agent, cleanups, retryAt, server, settlement, took, tries }, top }: {
  readonly node: Line
  readonly depth: number
  readonly top: number
}) => {
  const { icon, label, tone } = lookOf(settlement)
  return (
    <div
      className="report-line"
      role="listitem"
      style={{ transform: `translateY(${top}px)`, paddingLeft: 12 + Math.min(depth, 20) * 18 }}
    >
      <span className={`tone-text-${tone} report-how`}>
        <Icon name={icon} size={13} spin={icon === "ring"} /> {label}
      </span>
      <span className="clip grow">{agent}{server === undefined ? "" : ` on ${server}`}</span>
      {cleanups === undefined ? null : <span className="faint num">{`${cleanups} cleaned up`}</span>}
      {tries === undefined ? null : <span className="faint num">{`told ${tries}×`}</span>}
      {retryAt === undefined ? null : (
        <span className="faint">
          again <Ago at={retryAt} />
        </span>
      )}
      <span className="faint num">{took === null || settlement === "finished_before" ? "" : duration(took)}</span>
    </div>
  )
}

export const ReportView = ({ report: { nodes, omitted, totals: counts } }: { readonly report: CancelReport }) => {
  const scroller = useRef<HTMLDivElement>(null)
  const lines = useMemo(() => placed(nodes), [nodes])
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 30,
    overscan: 10
  })
  return (
    <div className="stack">
      <ul className="report-totals" aria-label="Totals">
        {counts.stopping === 0 ? null : (
          <li className="tone-text-working">
            <span className="num">{counts.stopping}</span> stopping
          </li>
        )}
        {totals.filter((how) => counts[how] > 0).map((how) => (
          <li key={how} className={`tone-text-${looks[how].tone}`}>
            <span className="num">{counts[how]}</span> {looks[how].label}
          </li>
        ))}
      </ul>
      <div ref={scroller} className="report" role="list" aria-label="Tasks" tabIndex={0}>
        <div className="report-canvas" role="presentation" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => (
            <ReportLine key={lines[index]!.node.id} {...lines[index]!} top={start} />
          ))}
        </div>
      </div>
      {omitted === undefined ? null : <p className="muted num">{`${omitted} more are counted and not listed`}</p>}
    </div>
  )
}
