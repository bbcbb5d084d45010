/**
 * How many tasks are in which status, as pictures and numbers that also work without colour.
 */
import type { TaskStatus } from "@coppice/api/Api"
import type { IconName } from "../../ui/Icon.tsx"
import { labelOf, lookOf, type Tone } from "../../ui/Status.tsx"

export type Counts = Readonly<Record<string, number>>

export interface Part {
  readonly status: TaskStatus
  readonly icon: IconName
  readonly tone: Tone
  readonly label: string
  readonly count: number
}

/** What is going on comes before what is over. */
export const statuses: ReadonlyArray<TaskStatus> = ["input_required", "working", "failed", "completed", "cancelled"]

/** The statuses somebody is in, in that order. */
export const partsOf = (counts: Counts): ReadonlyArray<Part> =>
  statuses.flatMap((status) => {
    const count = counts[status] ?? 0
    const { icon, tone } = lookOf({ status })
    return count === 0 ? [] : [{ status, icon, tone, label: labelOf(status), count }]
  })

/** `1 needs input, 3 working`; what a screen reader says. */
export const inWords = (counts: Counts): string =>
  partsOf(counts).map(({ count, label }) => `${count.toLocaleString()} ${label.toLowerCase()}`).join(", ") || "no tasks"

/** The tone of the whole: of what is going on, else of what went wrong. */
export const toneOf = (counts: Counts): Tone => {
  const [first] = partsOf(counts)
  return first === undefined || first.status === "completed" ? "off" : first.tone
}

export const add = (a: Counts, b: Counts): Counts =>
  Object.fromEntries(statuses.map((status) => [status, (a[status] ?? 0) + (b[status] ?? 0)]))

/** `950`, `1.2k`, `34k`: as much as fits beside an arrow. */
export const short = (count: number): string =>
  count < 1_000 ? String(count) : count < 9_950 ? `${(count / 1_000).toFixed(1)}k` : `${Math.round(count / 1_000)}k`
