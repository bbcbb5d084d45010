/**
 * The rows of a tree, of which those on screen are drawn, moved in by the keys that trees have.
 */
import { useVirtualizer } from "@tanstack/react-virtual"
import { type KeyboardEvent, useEffect, useEffectEvent, useRef } from "react"
import { useRoving } from "../../ui/useRoving.ts"
import type { TimeScale } from "./TimeScale.ts"
import type { Row } from "./TreeModel.ts"
import { TreeRow } from "./TreeRow.tsx"
import type { Open } from "./useOpen.ts"

const rowHeight = 32

/** What the arrow keys to the sides do, and what selects. */
const keyOf =
  (row: Row, open: Open, onSelect: (id: string) => void, toParent: () => void) => (event: KeyboardEvent) => {
    const { children, isOpen, task } = row
    switch (event.key) {
      case "ArrowRight":
        if (children.length > 0 && !isOpen) open.toggle(task.id, true)
        break
      case "ArrowLeft":
        if (isOpen) open.toggle(task.id, false)
        else toParent()
        break
      case "Enter":
      case " ":
        onSelect(task.id)
        break
      default:
        return false
    }
    event.preventDefault()
    return true
  }

interface TreeListProps {
  readonly label: string
  readonly rows: ReadonlyArray<Row>
  readonly open: Open
  readonly selected: string
  readonly onSelect: (id: string) => void
  readonly timing: { readonly scale: TimeScale; readonly now: number } | undefined
}

const useTree = ({ rows, selected }: TreeListProps) => {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index]?.task.id ?? index,
    overscan: 10
  })
  const roving = useRoving(rows.length, (index) => virtual.scrollToIndex(index))
  const at = rows.findIndex(({ task }) => task.id === selected)
  const show = useEffectEvent(() => {
    if (at < 0 || at === roving.active) return
    roving.setActive(at)
    virtual.scrollToIndex(at)
  })
  // what was selected elsewhere is brought on screen
  useEffect(() => show(), [selected])
  return { roving, scroller, virtual }
}

export const TreeList = (props: TreeListProps) => {
  const { label, onSelect, open, rows, selected, timing } = props
  const { roving, scroller, virtual } = useTree(props)
  const current = rows[roving.active]
  const toParent = () => {
    const parent = rows.findIndex(({ task }) => task.id === current?.task.parent)
    if (parent >= 0) roving.move(parent)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (current !== undefined && keyOf(current, open, onSelect, toParent)(event)) return
    roving.onKeyDown(event)
  }
  return (
    <div ref={scroller} className="tree-scroll" role="tree" aria-label={label} onKeyDown={onKeyDown}>
      <div className="tree-canvas" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => {
          const row = rows[index]!
          return (
            <TreeRow
              key={key}
              row={row}
              top={start}
              isActive={index === roving.active}
              isSelected={row.task.id === selected}
              timing={timing}
              refTo={roving.refOf(index)}
              onSelect={() => {
                roving.setActive(index)
                onSelect(row.task.id)
              }}
              onToggle={() => open.toggle(row.task.id)}
            />
          )
        })}
      </div>
    </div>
  )
}
