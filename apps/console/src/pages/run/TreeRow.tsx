/**
 * One task of the tree: what it is, how it stands, and, in the timeline, when it ran.
 */
import { memo, type Ref } from "react"
import { Icon } from "../../ui/Icon.tsx"
import { ProgressBar } from "../../ui/ProgressBar.tsx"
import { lookOf } from "../../ui/Status.tsx"
import { Lasted } from "../../ui/Time.tsx"
import { BelowCounts } from "./BelowCounts.tsx"
import { TimelineBar } from "./TimelineBar.tsx"
import type { TimeScale } from "./TimeScale.ts"
import { hintOf, type Row } from "./TreeModel.ts"

interface Timing {
  readonly scale: TimeScale
  readonly now: number
}

const Said = ({ row: { below, children, isOpen, size, task } }: { readonly row: Row }) => (
  <>
    {task.endedAt === null && task.progress !== null ? <ProgressBar progress={task.progress} /> : null}
    <span className="clip muted grow">{task.statusMessage ?? <span className="faint">{hintOf(task)}</span>}</span>
    {children.length > 0 && !isOpen && size > 0 ? <BelowCounts below={below} /> : null}
    <span className="faint tree-took">
      <Lasted from={task.createdAt} to={task.endedAt} />
    </span>
  </>
)

interface TreeRowProps {
  readonly row: Row
  readonly top: number
  readonly isActive: boolean
  readonly isSelected: boolean
  readonly timing: Timing | undefined
  readonly refTo: Ref<HTMLDivElement>
  readonly onSelect: () => void
  readonly onToggle: () => void
}

export const TreeRow = memo(
  ({ isActive, isSelected, onSelect, onToggle, refTo, row, timing, top }: TreeRowProps) => {
    const { children, depth, isOpen, of, place, task } = row
    const { icon, label, tone } = lookOf(task)
    return (
      <div
        ref={refTo}
        role="treeitem"
        aria-level={depth + 1}
        aria-setsize={of}
        aria-posinset={place}
        aria-selected={isSelected}
        aria-expanded={children.length === 0 ? undefined : isOpen}
        tabIndex={isActive ? 0 : -1}
        className={`tree-row${timing === undefined ? "" : " tree-row-timed"}`}
        style={{ transform: `translateY(${top}px)` }}
        onClick={onSelect}
      >
        <span className="tree-name" style={{ paddingLeft: Math.min(depth, 24) * 18 }}>
          {children.length === 0 ? <span className="tree-twist" /> : (
            <span
              className={`tree-twist${isOpen ? " tree-open" : ""}`}
              onClick={(event) => {
                event.stopPropagation()
                onToggle()
              }}
            >
              <Icon name="right" size={12} />
            </span>
          )}
          <span className={`tree-status tone-text-${tone}`} title={label}>
            <Icon name={icon} size={13} spin={icon === "ring"} />
            <span className="hidden-visually">{label}</span>
          </span>
          <span className="clip">{task.agent}</span>
          {task.server === undefined ? null : <span className="server" title={`On ${task.server}`}>{task.server}</span>}
          {task.attempt > 1 ? <span className="faint num" title="Attempts">×{task.attempt}</span> : null}
        </span>
        {timing === undefined ? <Said row={row} /> : <TimelineBar task={task} {...timing} />}
      </div>
    )
  },
  (a, b) =>
    a.row.task === b.row.task && a.row.isOpen === b.row.isOpen && a.row.size === b.row.size &&
    a.row.below === b.row.below &&
    a.top === b.top && a.isActive === b.isActive && a.isSelected === b.isSelected && a.timing === b.timing
)
