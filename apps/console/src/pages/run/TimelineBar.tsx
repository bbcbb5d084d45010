import { duration } from "../../ui/Durations.ts"
import { lookOf } from "../../ui/Status.tsx"
import { at, type TimeScale } from "./TimeScale.ts"
import type { TreeTask } from "./TreeModel.ts"

/** A task from its beginning to its end. Widths in thousandths, so that nothing has to be measured. */
const width = 1_000

export const TimelineBar = ({ now, scale, task }: {
  readonly task: TreeTask
  readonly scale: TimeScale
  readonly now: number
}) => {
  const end = task.endedAt ?? Math.max(now, task.createdAt)
  const from = at(scale, task.createdAt) * width
  const to = at(scale, end) * width
  const { label, tone } = lookOf(task)
  return (
    <svg className="timeline-bar" viewBox={`0 0 ${width} 16`} preserveAspectRatio="none" aria-hidden="true">
      <rect
        className={`timeline-fill tone-fill-${tone}${task.endedAt === null ? " timeline-open" : ""}`}
        x={Math.min(from, width - 3)}
        y={3}
        width={Math.max(3, to - from)}
        height={10}
      >
        <title>{`${task.agent}: ${label}, ${duration(end - task.createdAt)}`}</title>
      </rect>
    </svg>
  )
}
