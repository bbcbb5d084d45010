/**
 * Whether facts come in order: each place in the log once, none left out.
 *
 * Places are whole numbers and grow by one. A hole is not always a loss, for a run that was deleted leaves one behind; but
 * whoever sees one reads anew what it shows.
 */
export interface Sequence {
  /** The last place seen; `undefined` before the first. */
  readonly last: number | undefined
  readonly gaps: number
  readonly duplicates: number
}

export const start: Sequence = { last: undefined, gaps: 0, duplicates: 0 }

export type Verdict = "next" | "gap" | "duplicate"

/** What a fact at this place is, and the sequence after it. */
export const accept = (sequence: Sequence, seq: number): readonly [Verdict, Sequence] => {
  const { last } = sequence
  if (last === undefined || seq === last + 1) return ["next", { ...sequence, last: seq }]
  if (seq <= last) return ["duplicate", { ...sequence, duplicates: sequence.duplicates + 1 }]
  return ["gap", { ...sequence, last: seq, gaps: sequence.gaps + 1 }]
}

/** A place the service named as the beginning: what comes next follows it. */
export const jump = (sequence: Sequence, seq: number): Sequence => ({ ...sequence, last: seq })
