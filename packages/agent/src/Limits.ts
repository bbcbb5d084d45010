/**
 * A budget as a program says it.
 */
import type { Budget } from "@coppice/task/Budget"
import * as Duration from "effect/Duration"

/** Limits of a task and its whole tree; what is left out has none of its own. */
export interface Limits {
  /** Becomes a deadline, no later than that of the task above. */
  readonly wallClock?: Duration.Input | undefined
  readonly calls?: number | undefined
  readonly tokens?: number | undefined
  /** In micro-units. */
  readonly money?: number | undefined
  /** How many calls deep the tree below the task may be. */
  readonly depth?: number | undefined
  /** How many calls one task of the tree may make. */
  readonly fanOut?: number | undefined
  /** The share of a limit, above 0 and at most 1, at which a person is asked. [nobody is asked] */
  readonly soft?: number | undefined
}

/** The same in the units of the log. */
export const budgetOf = ({ calls, depth, fanOut, money, soft, tokens, wallClock }: Limits): Budget => ({
  wallClock: wallClock === undefined ? null : Duration.toMillis(wallClock),
  calls: calls ?? null,
  tokens: tokens ?? null,
  money: money ?? null,
  ...depth === undefined ? {} : { depth },
  ...fanOut === undefined ? {} : { fanOut },
  ...soft === undefined ? {} : { soft }
})
