/**
 * The list of runs. Only the rows on screen are drawn, and the next page is read before its first row is.
 */
import type { Task } from "@coppice/api/Api"
import { useVirtualizer } from "@tanstack/react-virtual"
import { useEffect, useRef } from "react"
import { useAsking } from "../../api/useService.ts"
import { useRoving } from "../../ui/useRoving.ts"
import { RunRow } from "./RunRow.tsx"

const rowHeight = 40

/** So many rows before the end the next page is wanted. */
const ahead = 60

const columns = ["Status", "Agent", "What it says", "Id", "Begun", "Took"]

export const RunTable = ({ onNearEnd, runs, total }: {
  readonly runs: ReadonlyArray<Task>
  /** All there are, when that is known. */
  readonly total: number | undefined
  readonly onNearEnd: () => void
}) => {
  const asking = useAsking()
  const scroller = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: runs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => runs[index]?.id ?? index,
    overscan: 12
  })
  const roving = useRoving(runs.length, (index) => rows.scrollToIndex(index))
  const items = rows.getVirtualItems()
  const isNearEnd = (items.at(-1)?.index ?? 0) >= runs.length - ahead
  useEffect(() => {
    if (isNearEnd) onNearEnd()
  }, [isNearEnd, onNearEnd])
  return (
    <div className="run-table" role="table" aria-label="Runs" aria-rowcount={total === undefined ? -1 : total + 1}>
      <div role="rowgroup">
        <div className="run-head" role="row">
          {columns.map((name) => <span key={name} role="columnheader">{name}</span>)}
        </div>
      </div>
      <div ref={scroller} className="run-scroll" role="rowgroup" onKeyDown={roving.onKeyDown}>
        <div className="run-canvas" style={{ height: rows.getTotalSize() }}>
          {items.map(({ index, key, start }) => (
            <RunRow
              key={key}
              task={runs[index]!}
              asks={asking.has(runs[index]!.id)}
              index={index}
              top={start}
              isActive={index === roving.active}
              onFocus={() => roving.setActive(index)}
              refTo={roving.refOf(index)}
            />
          ))}
        </div>
      </div>
    </div>
  )
}
