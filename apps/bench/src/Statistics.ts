/**
 * The few statistics the table needs.
 */

const sorted = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)

/** The value below which the share `q` of the values lies; `NaN` when there are none. */
export const quantile = (values: ReadonlyArray<number>, q: number): number => {
  const ordered = sorted(values)
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * q))] ?? Number.NaN
}

/** The middle value, or the mean of the two middle ones. */
export const median = (values: ReadonlyArray<number>): number => {
  const ordered = sorted(values)
  const middle = ordered.length / 2
  return ordered.length % 2 === 1
    ? ordered[Math.floor(middle)]!
    : ((ordered[middle - 1] ?? Number.NaN) + (ordered[middle] ?? Number.NaN)) / 2
}

export const low = (values: ReadonlyArray<number>): number => Math.min(...values)
export const high = (values: ReadonlyArray<number>): number => Math.max(...values)
