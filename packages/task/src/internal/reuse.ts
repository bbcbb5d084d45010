/**
 * What a retry takes over from the task it retries.
 */
import type { Json } from "effect/Schema"
import type { TaskId } from "../Task.ts"
import type { Journal } from "../TaskStore.ts"

/** A result, the key the code asks for it under, and the task that has made it. */
export interface Reused {
  readonly key: string
  readonly name: string
  readonly result: Json
  readonly from: TaskId
}

/** The most results one retry takes over, oldest first: they are written in one commit. */
export const mostReused = 20_000

/**
 * The results of steps and calls that succeeded, what the task had taken over itself included. Failures are left out:
 * they are what a retry is for.
 */
export const reusable = ({ children, events }: Journal): ReadonlyArray<Reused> => {
  const results = new Map<string, Reused>()
  const keep = (reused: Reused): void => {
    if (results.size < mostReused && !results.has(reused.key)) results.set(reused.key, reused)
  }
  for (const { event, task } of events) {
    if (event._tag === "StepReused") keep({ key: event.key, name: event.name, result: event.result, from: event.from })
    if (event._tag !== "StepRecorded" || event.exit._tag !== "Success") continue
    keep({ key: event.key, name: event.name, result: event.exit.value, from: task })
  }
  for (const { agent, ending, id, key } of children) {
    if (ending?._tag === "Completed") keep({ key, name: agent, result: ending.result, from: id })
  }
  return [...results.values()]
}
