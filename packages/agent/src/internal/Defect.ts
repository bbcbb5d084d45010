import type { TaskId } from "@coppice/task/Task"
import type * as Cause from "effect/Cause"

/** A defect of a task, as its server's supervisor hears of it. */
export interface Defect {
  readonly agent: string
  readonly task: TaskId
  readonly attempt: number
  readonly cause: Cause.Cause<unknown>
}
