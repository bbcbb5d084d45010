import type { Rested } from "@coppice/task/Settler"
import type { Execution } from "./Execution.ts"

/** How a task comes to rest whose code has just ended: what never ran has no finalizers, what was abandoned ran none for sure. */
export const restOf = ({ attempt, end: { cleanups, isAbandoned } }: Execution): Rested => ({
  how: isAbandoned ? "refused" : "stopped",
  ...attempt > 0 && !isAbandoned ? { unwound: true } : {},
  ...cleanups === 0 ? {} : { cleanups }
})
