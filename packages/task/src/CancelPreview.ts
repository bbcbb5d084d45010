/**
 * What cancelling a task would do, before anybody does it: who stops, who goes on, and who is asked something.
 *
 * It is decided by the same rules as the cancellation itself, and is as old as it is read: what begins or ends in between
 * is not in it.
 */
import * as Schema from "effect/Schema"
import { guardianOf, isTerminal, parentExitOf, type TaskId, TaskStatus } from "./Task.ts"
import type { TaskState } from "./TaskMachine.ts"

const node = {
  id: Schema.String,
  parent: Schema.NullOr(Schema.String),
  agent: Schema.String,
  status: TaskStatus,
  /** The MCP server its work is done on; left out for work of this process. */
  server: Schema.optionalKey(Schema.String)
}

export const PreviewNode = Schema.Struct(node)
export type PreviewNode = typeof PreviewNode.Type

/** A task that would go on, and all below it with it. */
export const PreviewReleased = Schema.Struct({
  ...node,
  rule: Schema.Literals(["continue", "adopt"]),
  /** Who adopts it. */
  to: Schema.optionalKey(Schema.String),
  /** Tasks below it that go on with it. */
  below: Schema.Int
})
export type PreviewReleased = typeof PreviewReleased.Type

const Counts = Schema.Record(Schema.String, Schema.Int)

export const CancelPreview = Schema.Struct({
  task: Schema.String,
  /** What would be cancelled, parents before children. Of a task on a server only what stands for it here is known. */
  cancelled: Schema.Array(PreviewNode),
  /** What would go on. */
  released: Schema.Array(PreviewReleased),
  /** Questions that would never be answered. */
  people: Schema.Array(Schema.Struct({ task: Schema.String, agent: Schema.String, message: Schema.String })),
  /** Tasks that have ended already, and stay as they are. */
  ended: Schema.Int,
  /** What would be cancelled, by agent and by server. */
  agents: Counts,
  servers: Counts
}).annotate({ identifier: "CancelPreview" })
export type CancelPreview = typeof CancelPreview.Type

const counted = (names: ReadonlyArray<string | undefined>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/**
 * The preview of a subtree, its root first and parents before children. `heir` is the nearest living task above it, who
 * adopts what is to be adopted.
 */
export const make = (
  tasks: ReadonlyArray<TaskState>,
  heir: TaskId | undefined,
  serverOf: (agent: string) => string | undefined
): CancelPreview => {
  const [root] = tasks
  const cancelled: Array<TaskState> = []
  const released = new Map<string, TaskState & { below: number }>()
  /** Whom each task goes with: the root, or who is released above it. */
  const withWhom = new Map<string, string>()
  let ended = 0
  for (const task of tasks) {
    const guardian = guardianOf(task)
    const group = task === root ? task.id : guardian === null ? undefined : withWhom.get(guardian)
    if (group === undefined) continue
    withWhom.set(task.id, group)
    const above = released.get(group)
    if (isTerminal(task.status)) ended += above === undefined ? 1 : 0
    else if (above !== undefined) above.below++
    else if (task !== root && staysBehind(task, heir)) {
      withWhom.set(task.id, task.id)
      released.set(task.id, { ...task, below: 0 })
    } else cancelled.push(task)
  }
  const line = ({ agent, id, parent, status }: TaskState): PreviewNode => {
    const server = serverOf(agent)
    return { id, parent, agent, status, ...server === undefined ? {} : { server } }
  }
  return {
    task: root!.id,
    cancelled: cancelled.map(line),
    released: [...released.values()].map((task) => {
      const rule = parentExitOf(task) === "adopt" ? "adopt" : "continue"
      const { below } = task
      return { ...line(task), rule, below, ...rule === "adopt" && heir !== undefined ? { to: heir } : {} }
    }),
    people: cancelled.flatMap(({ agent, id, inputs }) => inputs.map(({ message }) => ({ task: id, agent, message }))),
    ended,
    agents: counted(cancelled.map(({ agent }) => agent)),
    servers: counted(cancelled.map(({ agent }) => serverOf(agent)))
  }
}

const staysBehind = (task: TaskState, heir: TaskId | undefined): boolean => {
  const rule = parentExitOf(task)
  return rule === "continue" || (rule === "adopt" && heir !== undefined)
}
