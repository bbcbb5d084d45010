/**
 * What a fact changes of a task as the console shows it.
 *
 * The service's own projection is the truth; this follows it between two readings, so that a tree of thousands is read once
 * and not with every fact. What cannot be told from the fact alone (which questions are still open, what is left of a
 * budget) is not guessed: the answer then is `doubtful`, and that one task is read again.
 */
import type { Envelope, Task, TaskEvent } from "@coppice/api/Api"

export interface Viewed {
  readonly task: Task
  readonly doubtful: boolean
}

const born = ({ at, task }: Envelope, { agent, attempt, deadline, key, parent, run, spec }: Of<"Created">): Task => ({
  id: task,
  run,
  parent,
  key,
  agent,
  attempt,
  deadline,
  spec,
  status: "working",
  statusMessage: null,
  reason: null,
  progress: null,
  createdAt: at,
  updatedAt: at,
  endedAt: null,
  settlement: null,
  settledAt: null
})

type Of<Tag extends TaskEvent["_tag"]> = Extract<TaskEvent, { readonly _tag: Tag }>

/** Ends that leave nothing running; after the others each task tells how it came to rest. */
const restsAtOnce = (event: Of<"Completed" | "Failed">): boolean =>
  event._tag === "Completed" || ["agent_error", "defect", "replay_mismatch", "budget"].includes(event.reason)

const ended = (at: number, isAtRest: boolean): Partial<Task> => ({
  endedAt: at,
  statusMessage: null,
  settlement: isAtRest ? "finished_before" : null,
  settledAt: isAtRest ? at : null
})

const settled = (task: Task, at: number, event: Of<"Settled">): Partial<Task> => {
  const { _tag, below, how, took: _, ...told } = event
  const isFirst = task.settlement === null
  const count = below === undefined ? task.rest?.below : below.nodes.length
  const rest = { ...told, ...isFirst ? {} : { at }, ...count === undefined ? {} : { below: count } }
  return {
    settlement: how,
    settledAt: isFirst ? at : task.settledAt,
    ...Object.keys(rest).length === 0 ? {} : { rest }
  }
}

const steered = ({ deadline, spec }: Task, event: Of<"Steered">): Partial<Task> => ({
  deadline: event.deadline ?? deadline,
  spec: { ...spec, priority: event.priority ?? spec.priority, budget: event.budget ?? spec.budget }
})

/** What changes for certain. */
const changes = (task: Task, at: number, event: TaskEvent): Partial<Task> => {
  switch (event._tag) {
    case "Started":
      return { attempt: event.attempt }
    case "AttemptFailed":
      return { statusMessage: event.message }
    case "Progressed":
      return { progress: event.progress, statusMessage: event.progress.message ?? task.statusMessage }
    case "InputRequested":
      return { status: "input_required", statusMessage: event.request.message }
    case "Released":
      return event.to === undefined ? {} : { guardian: event.to }
    case "Adopted":
      return { adopted: (task.adopted ?? 0) + 1 }
    case "Steered":
      return steered(task, event)
    case "Completed":
      return { ...ended(at, true), status: "completed" }
    case "Failed":
      return { ...ended(at, restsAtOnce(event)), status: "failed", reason: event.reason, statusMessage: event.message }
    case "Cancelled":
      return { ...ended(at, false), status: "cancelled", statusMessage: event.reason ?? `Cancelled by ${event.by}` }
    case "Settled":
      return settled(task, at, event)
    default:
      return {}
  }
}

const doubtful: ReadonlySet<TaskEvent["_tag"]> = new Set(["InputReceived", "InputWithdrawn", "Reserved", "Refunded"])

/** The task after a fact; `undefined` for a fact of a task nobody has read yet. */
export const follow = (task: Task | undefined, envelope: Envelope): Viewed | undefined => {
  const { at, event } = envelope
  if (event._tag === "Created") return { task: task ?? born(envelope, event), doubtful: false }
  if (task === undefined) return undefined
  return {
    task: { ...task, ...changes(task, at, event), updatedAt: Math.max(at, task.updatedAt) },
    doubtful: doubtful.has(event._tag)
  }
}
