/**
 * From times to places: where in the width of a timeline a moment stands.
 */
import { duration } from "../../ui/Durations.ts"

export interface TimeScale {
  readonly from: number
  readonly to: number
}

/** From the first beginning to the last end; what still runs reaches to now. */
export const scaleOf = (
  tasks: ReadonlyArray<{ readonly createdAt: number; readonly endedAt: number | null }>,
  now: number
): TimeScale => {
  let from = Infinity
  let to = -Infinity
  for (const { createdAt, endedAt } of tasks) {
    from = Math.min(from, createdAt)
    to = Math.max(to, endedAt ?? now)
  }
  return Number.isFinite(from) ? { from, to: Math.max(to, from + 1) } : { from: 0, to: 1 }
}

/** The place of a moment, 0 to 1. */
export const at = ({ from, to }: TimeScale, moment: number): number =>
  Math.max(0, Math.min(1, (moment - from) / (to - from)))

const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000] as const

const steps: ReadonlyArray<number> = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 90, 365, 3_650].map((count) => count * day)
]

/** Marks at round distances from the beginning, at most seven. */
export const marks = (scale: TimeScale): ReadonlyArray<{ readonly place: number; readonly label: string }> => {
  const span = scale.to - scale.from
  const step = steps.find((step) => span / step <= 7) ?? span
  const count = Math.floor(span / step)
  return Array.from({ length: count + 1 }, (_, index) => ({
    place: at(scale, scale.from + index * step),
    label: index === 0 ? "0" : duration(index * step)
  }))
}
