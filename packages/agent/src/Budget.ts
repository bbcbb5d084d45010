/**
 * What a handler may use of the budget of its tree.
 *
 * Calls count by themselves. Tokens and money are reserved before they are spent, as an upper bound, and what was not used
 * is given back.
 */
import { type Amounts, measures, minus } from "@coppice/task/Budget"
import { canonical } from "@coppice/task/Payload"
import * as Pools from "@coppice/task/Pools"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { BudgetExceeded } from "./AgentError.ts"
import * as budget from "./internal/budget.ts"
import { currentExecution } from "./internal/call.ts"
import { fingerprint } from "./internal/digest.ts"
import type { TaskContext } from "./TaskContext.ts"

export { type Amounts } from "@coppice/task/Budget"

/** What is reserved at most. `money` in micro-units. */
export interface Reservation extends Amounts {
  /** Tells it apart from others of the same amounts, where fibers race for them. [how many came before] */
  readonly key?: string | undefined
}

const amountsOf = (given: Amounts): Amounts => {
  const amounts: { -readonly [M in keyof Amounts]: number } = {}
  for (const measure of measures) {
    const value = given[measure]
    if (value === undefined) continue
    if (!Number.isFinite(value) || value < 0) throw new TypeError(`Budget.reserve: ${measure} has to be at least 0`)
    if (value > 0) amounts[measure] = Math.ceil(value)
  }
  return amounts
}

/**
 * Reserves the amounts, runs `use`, and gives back what it did not use.
 *
 * **Details**
 *
 * `used` says what was really used; without it all that was reserved is spent. The reservation is durable before `use`
 * begins, and is made once: after a crash `use` runs again under the same one, and a recorded step in it is not paid again.
 * When the soft limit of a budget is reached, it waits until a person has answered. Fails with `BudgetExceeded` when the
 * amounts do not fit; unhandled, that fails the task with the reason `budget`. In a tree without a budget it only runs
 * `use`.
 *
 * **Gotchas**
 *
 * When `use` fails, dies or is interrupted, nobody knows what it used: all that was reserved is spent. More than was
 * reserved is counted too, as far as the budget goes, so reserve the most it can be (`max_tokens`).
 */
export const reserve = <A, E, R>(
  most: Reservation,
  use: Effect.Effect<A, E, R>,
  used?: (value: A) => Amounts
): Effect.Effect<A, E | BudgetExceeded, R | TaskContext> =>
  Effect.flatMap(currentExecution, (execution): Effect.Effect<A, E | BudgetExceeded, R> => {
    if (Pools.poolOf(execution.entry.state) === undefined) return use
    if (execution.isUnwinding) return Effect.interrupt
    const amounts = amountsOf(most)
    const base = `budget:${fingerprint(canonical([amounts, most.key ?? null]))}`
    const key = `${base}:${execution.ordinal(base)}`
    const settled = Effect.onExit(use, (exit) =>
      Effect.sync(() => {
        // suspended or lost, it comes back to the same reservation
        if (execution.phase === "suspending" || execution.phase === "crashing") return
        if (Exit.isFailure(exit) || used === undefined) return budget.settle(execution, key, {})
        const real = amountsOf(used(exit.value))
        budget.settle(execution, key, minus(amounts, real))
        budget.overspent(execution, key, minus(real, amounts))
      }))
    return Effect.andThen(budget.take(execution, key, amounts), settled)
  })

/**
 * What is left of each measure that is limited, by the tightest budget above; empty in a tree without one. As it was when
 * the handler asked: recorded, so a replay sees the same.
 */
export const remaining: Effect.Effect<Amounts, never, TaskContext> = Effect.flatMap(currentExecution, budget.look)
