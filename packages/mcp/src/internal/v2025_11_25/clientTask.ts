/**
 * A question the client handles as a task of its own: it answers at once with the task, and we come for its result.
 */
import * as Predicate from "effect/Predicate"
import type { JsonObject } from "effect/Schema"
import type { Stream } from "./Stream.ts"

/** Where each kind of request stands among the client's task capabilities. */
const paths: Readonly<Record<string, readonly [string, string]>> = {
  "sampling/createMessage": ["sampling", "createMessage"],
  "elicitation/create": ["elicitation", "create"]
}

/** Whether the client takes this request as a task. */
export const takesTask = (capabilities: JsonObject, method: string): boolean => {
  const [group = "", name = ""] = paths[method] ?? []
  const { tasks } = capabilities
  const requests = Predicate.hasProperty(tasks, "requests") ? tasks.requests : undefined
  const own = Predicate.hasProperty(requests, group) ? requests[group] : undefined
  return Predicate.hasProperty(own, name)
}

const taskIdOf = (answer: unknown): string | undefined => {
  const task = Predicate.hasProperty(answer, "task") ? answer.task : undefined
  return Predicate.hasProperty(task, "taskId") && typeof task.taskId === "string" ? task.taskId : undefined
}

/**
 * Asks, and waits for the result of the task it may have become. Whoever no longer wants the answer cancels that task.
 */
export const askThrough = async (
  stream: Stream,
  method: string,
  params: JsonObject,
  signal: AbortSignal
): Promise<unknown> => {
  const answer = await stream.ask(method, params, signal)
  const taskId = taskIdOf(answer)
  if (taskId === undefined) return answer
  const cancel = () => void stream.ask("tasks/cancel", { taskId }, new AbortController().signal).catch(() => {})
  signal.addEventListener("abort", cancel, { once: true })
  try {
    return await stream.ask("tasks/result", { taskId }, signal)
  } finally {
    signal.removeEventListener("abort", cancel)
  }
}
