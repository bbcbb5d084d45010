/**
 * What a retry takes over from the task it retries.
 */
import type { Json } from "effect/Schema"
import type { TaskId } from "../Task.ts"
import type { TaskEvent } from "../TaskEvent.ts"
import type { Command } from "../TaskMachine.ts"
import type { Journal } from "../TaskStore.ts"

/** A fact of the new task, written before its first attempt. */
export type Reused = Extract<Command, { readonly _tag: "ReuseStep" | "IntendStep" }>

/** The most one retry takes over, oldest first: it is written in one commit. */
export const mostReused = 20_000

/**
 * The results of steps and calls that succeeded, what the task had taken over itself included. Failures are left out:
 * they are what a retry is for. So are steps that were undone. When the task was ended from outside that is not recorded:
 * then all are left out that can be undone. An effect whose outcome nobody knows is taken over as that: it keeps its
 * idempotency key, and is looked into before it is done again.
 */
export const reusable = ({ children, events }: Journal): ReadonlyArray<Reused> => {
  const results = new Map<string, Reused>()
  const keep = (key: string, name: string, result: Json, from: TaskId): void => {
    const known = results.get(key)
    if (known?._tag === "ReuseStep" || known === undefined && isFull(results)) return
    results.set(key, { _tag: "ReuseStep", key, name, result, from })
  }
  const wasStopped = events.some(({ event }) => endedFromOutside(event))
  for (const { event, task } of events) {
    if (event._tag === "StepReused") keep(event.key, event.name, event.result, event.from)
    else if (event._tag === "StepIntended" && !results.has(event.key) && !isFull(results)) {
      const { from = task, key, name } = event
      results.set(key, { _tag: "IntendStep", attempt: 0, key, name, from })
    }
    if (event._tag !== "StepRecorded") continue
    if (event.compensates !== undefined) {
      if (event.exit._tag === "Success") results.delete(event.compensates)
    } else if (event.compensable === true && wasStopped) results.delete(event.key)
    else if (event.exit._tag === "Success") keep(event.key, event.name, event.exit.value, task)
    else if (event.exit.givenUpBy === undefined) results.delete(event.key)
  }
  for (const { agent, ending, id, key } of children) {
    if (ending?._tag === "Completed") keep(key, agent, ending.result, id)
  }
  return [...results.values()]
}

/** The log was closed when the task's code was stopped, so what its sagas then undid is not in it. */
const endedFromOutside = (event: TaskEvent): boolean =>
  event._tag === "Cancelled" || event._tag === "Failed" && (event.reason === "deadline" || event.reason === "budget")

const isFull = (results: ReadonlyMap<string, Reused>): boolean => results.size >= mostReused
