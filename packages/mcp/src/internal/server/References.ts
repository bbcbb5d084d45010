/**
 * Short names for tasks, such as `review-3`: a model passes them on without a slip, where it would mangle a handle.
 *
 * They belong to a principal, count up for each agent, and are kept as notes beside the log. A crash between a task and
 * its name leaves a task without one; it still is among the caller's open tasks.
 */
import { type Task, TaskId } from "@coppice/task/Task"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { StoreError, TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

const lifetime = 30 * 24 * 60 * 60 * 1000

/** The reference of a task, by its id and the other way round; and how many an agent has had. */
const kinds = { task: "mcp-reference", name: "mcp-name", count: "mcp-count" } as const

export class References {
  private readonly log: TaskLog["Service"]
  private readonly store: TaskStore["Service"]
  private readonly one = Semaphore.makeUnsafe(1)

  constructor(log: TaskLog["Service"], store: TaskStore["Service"]) {
    this.log = log
    this.store = store
  }

  /** The task's reference, made when it has none; durable when this succeeds. */
  of({ agent, id, spec }: Task): Effect.Effect<string, StoreError> {
    const { log, store } = this
    const scope = `${spec.principal}/${agent}`
    return this.one.withPermits(1)(Effect.gen(function*() {
      const known = yield* store.note(kinds.name, id)
      if (known !== undefined) return known
      const n = Number((yield* store.note(kinds.count, scope)) ?? "0") + 1
      const name = `${agent}-${n}`
      log.setNote({ kind: kinds.count, key: scope, value: String(n) })
      log.setNote({ kind: kinds.name, key: id, value: name, lifetime })
      log.setNote({ kind: kinds.task, key: `${spec.principal}/${name}`, value: id, lifetime })
      yield* log.barrier
      return name
    }))
  }

  /** The principal's task of that reference. */
  find(principal: string, reference: string): Effect.Effect<TaskId | undefined, StoreError> {
    return Effect.map(
      this.store.note(kinds.task, `${principal}/${reference.slice(0, 200)}`),
      (id) => id === undefined ? undefined : TaskId.make(id)
    )
  }
}
