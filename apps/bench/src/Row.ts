/**
 * One line of the table: a figure, the raw baseline measured beside it, and the target it is held to.
 */
import { high, low, median } from "./Statistics.ts"

/** What an acknowledgement survives: the death of nothing, or a power cut. */
export type Durability = "memory" | "FULL"

/** A figure of the runtime and the raw figure measured in the same process just before it. */
export interface Repeat {
  readonly value: number
  readonly baseline: number
  /** What the target is about, when it is about something else than `value`. */
  readonly judged?: number | undefined
  /** Further figures of the same repeat, shown as notes. */
  readonly notes?: Readonly<Record<string, number>> | undefined
}

/** A bound of the issue. */
interface Target {
  readonly text: string
  readonly limit: number
  readonly direction: "most" | "least"
}

/** What a row says, apart from its numbers. */
export interface Heading {
  readonly case: string
  readonly what: string
  readonly durability: Durability
  readonly unit: string
  readonly baseline: string
  readonly target?: Target | undefined
}

export interface Row extends Omit<Heading, "target"> {
  readonly repeats: number
  /** Medians over the repeats; `ratio` is the median of the ratios, each within its own repeat. */
  readonly value: number
  readonly low: number
  readonly high: number
  readonly baselineValue: number
  readonly ratio: number
  readonly target: (Target & { readonly value: number; readonly isReached: boolean }) | undefined
  readonly notes: Readonly<Record<string, number>>
}

const isWithin = ({ direction, limit }: Target, value: number): boolean =>
  direction === "most" ? value <= limit : value >= limit

const notesOf = (repeats: ReadonlyArray<Repeat>): Readonly<Record<string, number>> => {
  const names = Object.keys(repeats[0]?.notes ?? {})
  return Object.fromEntries(
    names.map((name) => [name, median(repeats.map(({ notes }) => notes?.[name] ?? Number.NaN))])
  )
}

export const make = ({ target, ...heading }: Heading, repeats: ReadonlyArray<Repeat>): Row => {
  const values = repeats.map(({ value }) => value)
  const judged = median(repeats.map(({ judged, value }) => judged ?? value))
  return {
    ...heading,
    repeats: repeats.length,
    value: median(values),
    low: low(values),
    high: high(values),
    baselineValue: median(repeats.map(({ baseline }) => baseline)),
    ratio: median(repeats.map(({ baseline, value }) => value / baseline)),
    target: target === undefined ? undefined : { ...target, value: judged, isReached: isWithin(target, judged) },
    notes: notesOf(repeats)
  }
}

/** A figure of another size than the target names says nothing about it. */
export const withoutTarget = (row: Row): Row => ({ ...row, target: undefined })
