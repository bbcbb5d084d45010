/**
 * What a task has spent of its budget, and what is left: `budget  calls 3 of 100 spent, 97 left`.
 */
import type { Task } from "@coppice/api/Api"
import { type Line, muted, spaced, span } from "./Line.ts"

type Budgeted = Pick<Task, "pool"> & { readonly spec: Pick<Task["spec"], "budget"> }

const measures = ["calls", "tokens", "money"] as const

const part = ({ pool, spec }: Budgeted, measure: typeof measures[number]) => {
  const limit = spec.budget?.[measure] ?? null
  if (limit === null) return undefined
  const spent = pool?.spent[measure] ?? 0
  const reserved = Object.values(pool?.open ?? {}).reduce((sum, amounts) => sum + (amounts[measure] ?? 0), 0)
  const left = Math.max(0, limit - spent - reserved)
  const set = reserved === 0 ? "" : `, ${reserved} reserved`
  return span(`${measure} ${spent} of ${limit} spent${set}, ${left} left`, left === 0 ? "wait" : "muted")
}

/** The line, or `undefined` for a task without a budget of its own. */
export const budgetLine = (task: Budgeted): Line | undefined => {
  const parts = measures.flatMap((measure) => part(task, measure) ?? [])
  return parts.length === 0 ? undefined : spaced(muted("  budget"), ...parts)
}
