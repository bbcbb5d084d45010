import * as Context from "effect/Context"
import type { Budget } from "./Budget.ts"

/** The budget of every run that is submitted without one of its own. [none] */
export const RootBudget = Context.Reference<Budget | undefined>("@coppice/task/RootBudget", {
  defaultValue: () => undefined
})
