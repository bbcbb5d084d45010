/**
 * What a tree of tasks may use, and the arithmetic of it.
 *
 * A task with a budget owns a *pool*. What is taken from it is reserved first, as an upper bound, and what was not used
 * comes back later:
 *
 * ```text
 *   budget = spent + open reservations + left
 * ```
 *
 * All of this is pure; `TaskMachine` decides and `Pools` finds the owner.
 */
import * as Schema from "effect/Schema"

/**
 * Limits of one task and its tree; `null` means none of its own. Times in milliseconds, money in micro-units.
 *
 * `depth` is how many calls deep the tree below the task may be, `fanOut` how many calls one task of it may make, `soft`
 * the share (0 to 1) of a limit at which a person is asked before more is taken.
 */
export const Budget = Schema.Struct({
  wallClock: Schema.NullOr(Schema.Finite),
  calls: Schema.NullOr(Schema.Finite),
  tokens: Schema.NullOr(Schema.Finite),
  money: Schema.NullOr(Schema.Finite),
  depth: Schema.optionalKey(Schema.Finite),
  fanOut: Schema.optionalKey(Schema.Finite),
  soft: Schema.optionalKey(Schema.Finite)
})
export type Budget = typeof Budget.Type

/** What can be reserved. */
export const Amounts = Schema.Struct({
  calls: Schema.optionalKey(Schema.Finite),
  tokens: Schema.optionalKey(Schema.Finite),
  money: Schema.optionalKey(Schema.Finite)
})
export type Amounts = typeof Amounts.Type

/** What is reserved and given back. */
export type Measure = "calls" | "tokens" | "money"
export const measures: ReadonlyArray<Measure> = ["calls", "tokens", "money"]

/** Everything a budget can be exceeded in. */
export type Dimension = Measure | "depth" | "fanOut"

/** What became of a budget: what is gone for good, and what is reserved by whom. */
export const Pool = Schema.Struct({
  spent: Amounts,
  /** By the id of a child with a budget of its own, or by task and key of a reservation in its code. */
  open: Schema.Record(Schema.String, Amounts),
  /** What a person said when the soft limit was reached. */
  soft: Schema.optionalKey(Schema.Literals(["accepted", "declined"]))
})
export type Pool = typeof Pool.Type

export const emptyPool: Pool = { spent: {}, open: {} }

/** The open question of a task whose soft limit was reached stands under this key; no handler can ask under it. */
export const softKey = "budget:soft"

/** A budget that says nothing. */
export const noLimits: Budget = { wallClock: null, calls: null, tokens: null, money: null }

/** Amounts without those that are nothing. */
const tidy = (of: (measure: Measure) => number): Amounts => {
  const amounts: { -readonly [M in Measure]?: number } = {}
  for (const measure of measures) {
    const value = of(measure)
    if (value !== 0) amounts[measure] = value
  }
  return amounts
}

export const isNothing = (amounts: Amounts): boolean => measures.every((measure) => (amounts[measure] ?? 0) === 0)

export const plus = (a: Amounts, b: Amounts): Amounts => tidy((measure) => (a[measure] ?? 0) + (b[measure] ?? 0))

/** What remains of `a` without `b`; never less than nothing. */
export const minus = (a: Amounts, b: Amounts): Amounts =>
  tidy((measure) => Math.max(0, (a[measure] ?? 0) - (b[measure] ?? 0)))

/** No more of each than `most` has. */
export const atMost = (amounts: Amounts, most: Amounts): Amounts =>
  tidy((measure) => Math.min(amounts[measure] ?? 0, most[measure] ?? 0))

/** Only what the budget limits. */
export const limited = (amounts: Amounts, budget: Budget): Amounts =>
  tidy((measure) => budget[measure] === null ? 0 : amounts[measure] ?? 0)

/** What the budget grants of each measure it limits. */
export const grantOf = (budget: Budget): Amounts => tidy((measure) => budget[measure] ?? 0)

/** Spent and reserved together: what cannot be given to anyone else. */
export const used = ({ open, spent }: Pool): Amounts => Object.values(open).reduce(plus, spent)

/** What is left of each measure the budget limits, and `undefined` for the others. Never less than nothing. */
export const left = (budget: Budget, pool: Pool): Amounts => {
  const gone = used(pool)
  const rest: { -readonly [M in Measure]?: number } = {}
  for (const measure of measures) {
    const grant = budget[measure]
    if (grant !== null) rest[measure] = Math.max(0, grant - (gone[measure] ?? 0))
  }
  return rest
}

/** What of its grant a task has not used; what it had reserved and never settled counts as used. */
export const unused = (budget: Budget, pool: Pool): Amounts => minus(grantOf(budget), used(pool))

/** Where in its tree something is taken: how deep below the budget's owner, and the how-manieth call of its task. */
export interface Place {
  readonly depth: number
  readonly fanOut: number
}

/** A wish that does not fit. */
export interface Excess {
  readonly dimension: Dimension
  readonly asked: number
  readonly left: number
}

/** What of the wish the budget does not allow; `undefined` when all of it fits. */
export const excess = (budget: Budget, pool: Pool, amounts: Amounts, place?: Place): Excess | undefined => {
  const rest = left(budget, pool)
  for (const dimension of measures) {
    const asked = amounts[dimension] ?? 0
    if (asked > (rest[dimension] ?? Infinity)) return { dimension, asked, left: rest[dimension]! }
  }
  if (place === undefined) return undefined
  for (const dimension of ["depth", "fanOut"] as const) {
    const most = budget[dimension] ?? Infinity
    if (place[dimension] > most) return { dimension, asked: place[dimension], left: most }
  }
  return undefined
}

/** The first measure of which the soft share would be passed. */
export const softly = (budget: Budget, pool: Pool, amounts: Amounts): Measure | undefined => {
  const { soft } = budget
  if (soft === undefined || pool.soft === "accepted") return undefined
  const gone = plus(used(pool), amounts)
  return measures.find((measure) => {
    const grant = budget[measure]
    return grant !== null && (amounts[measure] ?? 0) > 0 && (gone[measure] ?? 0) > soft * grant
  })
}

/** What a person reads when the soft limit is reached. */
export const softQuestion = (measure: Measure, gone: number, limit: number): string =>
  `${gone} of ${limit} ${measure} are spent or reserved. Go on, up to the limit?`

// ---------------------------------------------------------------- what happens to a pool

/** Sets the amounts aside under the id; `kept` amounts never come back. */
export const reserved = (pool: Pool, id: string, amounts: Amounts, kept: boolean): Pool =>
  kept
    ? { ...pool, spent: plus(pool.spent, amounts) }
    : { ...pool, open: { ...pool.open, [id]: plus(pool.open[id] ?? {}, amounts) } }

/** Closes a reservation: what is unused is free again, the rest is spent. */
export const refunded = (pool: Pool, id: string, given: Amounts): Pool => {
  const { [id]: held = {}, ...open } = pool.open
  return { ...pool, open, spent: plus(pool.spent, minus(held, given)) }
}

// ---------------------------------------------------------------- checking what was asked for

/** A limit the second budget has not, or has more of. */
export const raised = (before: Budget, after: Budget): Exclude<keyof Budget, "soft"> | undefined =>
  (["wallClock", "calls", "tokens", "money", "depth", "fanOut"] as const)
    .find((limit) => (after[limit] ?? Infinity) > (before[limit] ?? Infinity))

const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

/** What is wrong with a budget, and in which field; `undefined` when it makes sense. */
export const problemOf = (budget: Budget): { readonly path: string; readonly message: string } | undefined => {
  for (const path of ["wallClock", "calls", "tokens", "money", "depth", "fanOut"] as const) {
    const value = budget[path] ?? null
    if (value !== null && !whole(value)) {
      return { path, message: `has to be a whole number of at least 0, not ${value}` }
    }
  }
  const { soft } = budget
  if (soft === undefined || (soft > 0 && soft <= 1)) return undefined
  return { path: "soft", message: `has to be a share above 0 and at most 1, not ${soft}` }
}
