/**
 * Ending whole trees: by a person, by a parent, by a deadline.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Settler } from "../Settler.ts"
import type { TaskId } from "../Task.ts"
import { TaskNotFound } from "../TaskError.ts"
import type { TaskLog } from "../TaskLog.ts"
import type { CancelReport, CancelRequest, Tasks } from "../Tasks.ts"
import type { StoreError, TaskRow, TaskStore } from "../TaskStore.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly settler: Settler["Service"]
}

export const make = (services: Services): Pick<
  Tasks["Service"],
  "cancel" | "cancelNow" | "cancelReport" | "expire"
> => {
  const { log, settler, store } = services

  const cancelNow: Tasks["Service"]["cancelNow"] = (entry, by, reason) => settler.cancel(entry, { by, reason })

  const cancelReport = Effect.fn("Tasks.cancelReport")(function*(id: TaskId) {
    const rows = yield* store.subtree(id)
    if (rows.length === 0) return yield* new TaskNotFound({ id })
    return reportOf(id, rows, (row) => row.state.settlement !== null)
  })

  /** From memory where it knows the whole tree, which is then not read while its nodes come to rest. */
  const reportNow = (id: TaskId): Effect.Effect<CancelReport, TaskNotFound | StoreError> => {
    const tree = log.wholeTree(id)
    if (tree === undefined) return cancelReport(id)
    return Effect.succeed(reportOf(id, tree, (entry) => log.isSettled(entry)))
  }

  const cancel = Effect.fn("Tasks.cancel")(function*(request: CancelRequest) {
    if (log.trouble !== undefined) return yield* log.trouble
    const reason = { by: request.by, reason: request.reason ?? null }
    const decided = yield* settler.end(request.id, { _tag: "Cancel", ...reason }, reason)
    // a refusal tells of facts too, and they may not be durable yet
    yield* log.barrier
    if (decided === undefined) return yield* new TaskNotFound({ id: request.id })
    yield* Effect.fromResult(decided)
    return yield* reportNow(request.id)
  })

  const expire = Effect.fnUntraced(function*(id: TaskId): Effect.fn.Return<void, StoreError> {
    const row = log.resident(id) ?? (yield* store.load(id))
    if (row !== undefined && (row.state.deadline ?? Infinity) > log.now()) return
    const decided = yield* settler.end(id, deadlinePassed, {
      by: "deadline",
      reason: "The deadline of a task above passed"
    })
    if (decided === undefined || Result.isFailure(decided)) log.clearTimer(id, "deadline")
  })

  return { cancel, cancelNow, cancelReport, expire }
}

const deadlinePassed = {
  _tag: "Fail",
  attempt: null,
  reason: "deadline",
  message: "The deadline passed",
  error: null
} as const

const reportOf = <Row extends TaskRow>(
  task: TaskId,
  rows: ReadonlyArray<Row>,
  isSettled: (row: Row) => boolean
): CancelReport => {
  const nodes = rows.map((row) => {
    const { agent, endedAt, id, parent, settledAt, settlement, status } = row.state
    const took = settledAt === null || endedAt === null ? null : settledAt - endedAt
    const rest = isSettled(row) ? { settlement, took } : { settlement: null, took: null }
    return { id, parent, agent, status, ...rest }
  })
  return { task, converged: nodes.every((node) => node.settlement !== null), nodes }
}
