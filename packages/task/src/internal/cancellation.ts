/**
 * Ending whole trees: by a person, by a parent, by a deadline.
 *
 * The status of every task below is set in one commit. What nobody runs is at rest at once, leaves first; what a worker
 * holds is settled by that worker. Tasks out of memory are found in the store, those the store does not know yet in
 * memory, so the two together are the tree.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { Settler } from "../Settler.ts"
import { isTerminal, type TaskId } from "../Task.ts"
import { TaskNotFound } from "../TaskError.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import type { CancelReport, CancelRequest, Tasks } from "../Tasks.ts"
import type { StoreError, TaskRow, TaskStore } from "../TaskStore.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly settler: Settler["Service"]
}

const isUnsettled = (row: TaskRow): boolean => row.state.settlement === null

/** The unsettled tasks below `root`, pinned, parents first. */
const nodesBelow = (log: TaskLog["Service"], root: Entry, rows: ReadonlyArray<TaskRow>): ReadonlyArray<Entry> => {
  const nodes = new Map<TaskId, Entry>()
  for (const row of rows) {
    if (isUnsettled(row) && row.state.id !== root.state.id) nodes.set(row.state.id, log.adopt(row))
  }
  const visit = (id: TaskId): void => {
    for (const child of log.liveChildren(id)) {
      if (!nodes.has(child.state.id)) nodes.set(child.state.id, log.adopt(child))
      visit(child.state.id)
    }
  }
  visit(root.state.id)
  for (const id of [...nodes.keys()]) visit(id)
  return [...nodes.values()]
}

const below = ({ log, settler }: Services) => {
  /** A node nobody runs is at rest as soon as its children are. Gives the pin back. */
  const rest = (entry: Entry): void => {
    if (entry.held || entry.state.settlement !== null) log.release(entry)
    else settler.settle(entry, "stopped")
  }
  /** Cancels what is below an ended root, then lets root and all come to rest. */
  return (root: Entry, rows: ReadonlyArray<TaskRow>, by: string, reason: string | null): void => {
    const nodes = nodesBelow(log, root, rows)
    for (const entry of nodes) {
      if (!isTerminal(entry.state.status)) log.dispatch(entry, { _tag: "Cancel", by, reason })
    }
    for (const entry of nodes) rest(entry)
    rest(root)
  }
}

export const make = (services: Services): Pick<
  Tasks["Service"],
  "cancel" | "cancelNow" | "cancelReport" | "expire"
> => {
  const { log, store } = services
  const cancelBelow = below(services)

  const cancelNow = (entry: Entry, by: string, reason: string | null): void => {
    if (isTerminal(entry.state.status)) return
    const root = log.adopt(entry)
    log.dispatch(root, { _tag: "Cancel", by, reason })
    Effect.runFork(store.subtree(root.state.id)).addObserver((exit) =>
      cancelBelow(root, Exit.isSuccess(exit) ? exit.value : [], by, reason)
    )
  }

  const cancelReport = Effect.fn("Tasks.cancelReport")(function*(id: TaskId) {
    const rows = yield* store.subtree(id)
    if (rows.length === 0) return yield* new TaskNotFound({ id })
    return reportOf(id, rows)
  })

  const cancel = Effect.fn("Tasks.cancel")(function*(request: CancelRequest) {
    if (log.trouble !== undefined) return yield* log.trouble
    const entry = yield* log.acquire(request.id)
    if (entry === undefined) return yield* new TaskNotFound({ id: request.id })
    const rows = yield* store.subtree(request.id)
    const reason = request.reason ?? null
    const decided = log.dispatch(entry, { _tag: "Cancel", by: request.by, reason })
    if (Result.isFailure(decided)) {
      log.release(entry)
      return yield* decided.failure
    }
    cancelBelow(entry, rows, request.by, reason)
    yield* log.barrier
    return yield* cancelReport(request.id)
  })

  const expire = Effect.fnUntraced(function*(id: TaskId): Effect.fn.Return<void, StoreError> {
    const entry = yield* log.acquire(id)
    if (entry === undefined) return
    const rows = yield* store.subtree(id)
    const message = "The deadline passed"
    const decided = log.dispatch(entry, { _tag: "Fail", attempt: null, reason: "deadline", message, error: null })
    if (Result.isFailure(decided)) {
      log.clearTimer(id, "deadline")
      return log.release(entry)
    }
    cancelBelow(entry, rows, "deadline", "The deadline of a task above passed")
  })

  return { cancel, cancelNow, cancelReport, expire }
}

const reportOf = (task: TaskId, rows: ReadonlyArray<TaskRow>): CancelReport => {
  const nodes = rows.map(({ state }) => ({
    id: state.id,
    parent: state.parent,
    agent: state.agent,
    status: state.status,
    settlement: state.settlement,
    took: state.settledAt === null || state.endedAt === null ? null : state.settledAt - state.endedAt
  }))
  return { task, converged: nodes.every((node) => node.settlement !== null), nodes }
}
