/**
 * A run as its facts tell it, task by task: what a live picture is drawn from.
 *
 * It follows the log and nothing else. A fact about a task whose beginning it has not seen is left out, so a reader may
 * also begin in the middle. It does not check the log: that is the service's work.
 */
import type { Envelope, InputRequest, TaskEvent } from "@coppice/api/Api"
import type { Node } from "./Nodes.ts"

/** A question and the task that asks it. */
export interface Asked {
  readonly task: string
  readonly agent: string
  readonly since: number
  readonly request: InputRequest
}

/** An answered or withdrawn question: who answered, or `undefined` when nobody has to any more. */
export interface Closed {
  readonly task: string
  readonly key: string
  readonly by: string | undefined
  readonly action: string
}

type Change = Partial<Node>

const ending = (at: number, status: Node["status"], change: Change): Change => ({
  status,
  statusMessage: null,
  endedAt: at,
  ...change
})

/** A task that fails from the inside leaves nothing running; the others settle later. */
const settlesItself = (reason: Node["reason"]): boolean =>
  reason === "agent_error" || reason === "defect" || reason === "replay_mismatch"

const changeOf = (node: Node, at: number, event: TaskEvent): Change => {
  switch (event._tag) {
    case "Started":
      return { attempt: event.attempt }
    case "AttemptFailed":
      return { statusMessage: event.message }
    case "Progressed":
      return { progress: event.progress, statusMessage: event.progress.message ?? node.statusMessage }
    case "Completed":
      return ending(at, "completed", { settlement: "finished_before" })
    case "Failed": {
      const settlement = settlesItself(event.reason) ? "finished_before" : null
      return ending(at, "failed", { reason: event.reason, statusMessage: event.message, settlement })
    }
    case "Cancelled":
      return ending(at, "cancelled", { statusMessage: event.reason ?? `Cancelled by ${event.by}` })
    case "Settled":
      return { settlement: event.how }
    default:
      return {}
  }
}

export class RunModel {
  private readonly nodes = new Map<string, Node>()
  private readonly open = new Map<string, Asked>()
  private readonly closed: Array<Closed> = []

  /** The tasks in the order they were made. */
  get tasks(): ReadonlyArray<Node> {
    return [...this.nodes.values()]
  }

  /** The questions nobody has answered, the oldest first. */
  get questions(): ReadonlyArray<Asked> {
    return [...this.open.values()]
  }

  find(id: string): Node | undefined {
    return this.nodes.get(id)
  }

  /** What became of a question that is no longer open. */
  closingOf(task: string, key: string): Closed | undefined {
    return this.closed.findLast((closed) => closed.task === task && closed.key === key)
  }

  /** Takes the next fact in. */
  apply({ at, event, task }: Envelope): void {
    if (event._tag === "Created") return this.create(task, at, event)
    const node = this.nodes.get(task)
    if (node === undefined) return
    this.nodes.set(task, { ...node, ...changeOf(node, at, event) })
    if (event._tag === "InputRequested") this.ask(node, at, event.request)
    if (event._tag === "InputReceived") this.close(node, event.key, event.response.by, event.response.action)
    if (event._tag === "InputWithdrawn") this.close(node, event.key, undefined, "withdrawn")
    if (event._tag === "Completed" || event._tag === "Failed" || event._tag === "Cancelled") this.closeAll(node)
  }

  private create(id: Node["id"], at: number, event: TaskEvent & { readonly _tag: "Created" }): void {
    this.nodes.set(id, {
      id,
      parent: event.parent,
      agent: event.agent,
      status: "working",
      statusMessage: null,
      reason: null,
      attempt: event.attempt,
      progress: null,
      createdAt: at,
      endedAt: null,
      deadline: event.deadline,
      settlement: null
    })
  }

  private ask(node: Node, since: number, request: InputRequest): void {
    this.open.set(JSON.stringify([node.id, request.key]), { task: node.id, agent: node.agent, since, request })
    this.refresh(node.id)
  }

  private close(node: Node, key: string, by: string | undefined, action: string): void {
    this.open.delete(JSON.stringify([node.id, key]))
    this.closed.push({ task: node.id, key, by, action })
    this.refresh(node.id)
  }

  private closeAll({ id }: Node): void {
    for (const { request, task } of this.questions) {
      if (task !== id) continue
      this.open.delete(JSON.stringify([id, request.key]))
      this.closed.push({ task: id, key: request.key, by: undefined, action: "withdrawn" })
    }
  }

  private refresh(id: string): void {
    const node = this.nodes.get(id)!
    const last = this.questions.findLast(({ task }) => task === id)
    this.nodes.set(id, {
      ...node,
      status: last === undefined ? "working" : "input_required",
      statusMessage: last?.request.message ?? null
    })
  }
}
