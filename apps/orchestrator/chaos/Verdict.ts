/**
 * What a checker says of a history. It says how much it looked at, because one that looks at nothing finds nothing.
 */
import type { History } from "./History.ts"

export interface Verdict {
  /** The number of the promise on the reliability page, or what else must hold. */
  readonly promise: string
  /** What was looked at, for people. */
  readonly what: string
  readonly looked: number
  /** True when what was looked at are words the service had given. */
  readonly isAcknowledged?: boolean
  /** Every way the promise was broken. */
  readonly broken: ReadonlyArray<string>
}

export type Checker = (history: History) => Verdict
