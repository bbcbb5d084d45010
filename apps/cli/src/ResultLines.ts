/**
 * How a run ended, for people: the state, then the result or the reason.
 */
import type { TaskResult } from "@coppice/api/TasksApi"
import type { Json } from "effect/Schema"
import { type Line, line, muted, spaced, span, strong } from "./Line.ts"
import { failureOf, sign, stateOf, tookOf } from "./Nodes.ts"
import { manyLines } from "./Text.ts"
import { duration } from "./Times.ts"

/** A value over as many lines as it takes; a text without quotes. */
export const valueLines = (value: Json): ReadonlyArray<Line> =>
  manyLines(typeof value === "string" ? value : JSON.stringify(value, null, 2)).map((text) => line(text))

/** An error without a message of its own is told by its value already. */
const isSaid = ({ error, message }: NonNullable<TaskResult["failed"]>): boolean =>
  error === null || message === JSON.stringify(error)

/** `✔ migrate  completed  after 12.4s`, and what to know of a bad end. */
export const endLines = ({ cancelled, failed, task }: TaskResult): ReadonlyArray<Line> => {
  const took = muted(`after ${duration(tookOf(task, task.updatedAt))}`)
  const who = cancelled === null ? undefined : span(`by ${cancelled.by}`)
  const why = cancelled?.reason ?? undefined
  const head: Line = [
    sign(task),
    span(" "),
    ...spaced(strong(task.agent), muted(task.id), stateOf(task), took, who, why)
  ]
  if (failed !== null) {
    return [
      head,
      line("  ", span(`${failureOf(failed)}: ${failed.message}`, "bad")),
      ...(failed.partial === undefined ? [] : [line(muted("  result so far:"))]),
      ...(failed.partial === undefined ? [] : valueLines(failed.partial).map((one) => [span("  "), ...one])),
      ...(isSaid(failed) ? [] : valueLines(failed.error).map((one) => [span("  "), ...one])),
      line(muted(`  what happened: coppice events ${task.id}   once more: coppice retry ${task.id}`))
    ]
  }
  return [head]
}
