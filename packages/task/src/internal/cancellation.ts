/**
 * Ending whole trees: by a person, by a parent, by a deadline; and what is told of it, before and after.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as CancelPreview from "../CancelPreview.ts"
import * as CancelReport from "../CancelReport.ts"
import type { Settler } from "../Settler.ts"
import { guardianOf, isTerminal, type Task, type TaskId } from "../Task.ts"
import { TaskNotFound } from "../TaskError.ts"
import type { TaskLog } from "../TaskLog.ts"
import type { CancelRequest, Tasks } from "../Tasks.ts"
import type { StoreError, TaskRow, TaskStore } from "../TaskStore.ts"
import type { Workers } from "../Worker.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly settler: Settler["Service"]
  readonly workers: Workers["Service"]
}

type Verbs = Pick<
  Tasks["Service"],
  "cancel" | "cancelNow" | "cancelReport" | "cancelPreview" | "cancelSettled" | "expire"
>

/** The task and all that somebody below it, or itself, is responsible for. */
const kept = (rows: ReadonlyArray<TaskRow>): ReadonlyArray<TaskRow> => {
  const root = rows[0]
  const ids = new Set(root === undefined ? [] : [root.state.id])
  return rows.filter((row) => {
    if (row === root) return true
    const guardian = guardianOf(row.state)
    if (guardian === null || !ids.has(guardian)) return false
    ids.add(row.state.id)
    return true
  })
}

/** How many facts of one task are read at once. */
const page = 1_000

const reports = ({ log, store, workers }: Services) => {
  const serverOf = (agent: string) => workers.find(agent)?.server

  /** What the server of a task has told of its part of the tree: the last word counts. */
  const partOf = Effect.fnUntraced(function*({ settledSeq, state: { id, rest } }: TaskRow) {
    let told: CancelReport.CancelReport | undefined
    for (let since = settledSeq! - 1;;) {
      const facts = yield* store.events({ task: id, since, limit: page })
      for (const { event } of facts) if (event._tag === "Settled") told = event.below ?? told
      if (facts.length < page) break
      since = facts.at(-1)!.seq
    }
    return told === undefined ? [] : [{ below: id, server: rest?.server ?? "", report: told }]
  })

  const made = <Row extends TaskRow>(task: TaskId, rows: ReadonlyArray<Row>, isSettled: (row: Row) => boolean) => {
    const nodes = rows.map((row) => CancelReport.nodeOf(row.state, isSettled(row), serverOf(row.state.agent)))
    const told = rows.filter((row) => row.state.rest?.below !== undefined && isSettled(row))
    if (told.length === 0) return Effect.succeed(CancelReport.make(task, nodes))
    return Effect.map(Effect.forEach(told, partOf), (parts) => CancelReport.make(task, nodes, parts.flat()))
  }

  const stored = Effect.fn("Tasks.cancelReport")(function*(id: TaskId) {
    const rows = yield* store.subtree(id)
    if (rows.length === 0) return yield* new TaskNotFound({ id })
    return yield* made(id, kept(rows), (row) => row.state.settlement !== null)
  })

  /** From memory where it knows the whole tree, which is then not read while its nodes come to rest. */
  const now = (id: TaskId): Effect.Effect<CancelReport.CancelReport, TaskNotFound | StoreError> => {
    const tree = log.wholeTree(id)
    return tree === undefined ? stored(id) : made(id, tree, (entry) => log.isSettled(entry))
  }

  return { now, stored }
}

/** Waits until a report has nothing that may still run, woken by the commits of what it waits for. */
const settled = ({ log }: Services, now: ReturnType<typeof reports>["now"]) =>
  Effect.fnUntraced(function*(id: TaskId) {
    const rested = new Set<string>()
    let open: Set<string> | undefined
    const over = Deferred.makeUnsafe<void>()
    const stop = log.onCommit((events) => {
      for (const { event: { _tag }, task } of events) {
        if (_tag !== "Settled" && _tag !== "Completed" && _tag !== "Failed" && _tag !== "Released") continue
        if (open === undefined) rested.add(task)
        else open.delete(task)
      }
      if (open?.size === 0) Deferred.doneUnsafe(over, Effect.void)
    })
    return yield* Effect.ensuring(
      Effect.gen(function*() {
        yield* log.barrier
        const { nodes } = yield* now(id)
        open = new Set(nodes.filter((node) => node.settlement === null && !rested.has(node.id)).map(({ id }) => id))
        if (open.size > 0) yield* Deferred.await(over)
      }),
      Effect.sync(stop)
    )
  })

const previews = ({ store, workers }: Services) => {
  /** Whether anybody above still lives: who would adopt. */
  const hasHeir = Effect.fnUntraced(function*(task: Task) {
    for (let above = guardianOf(task); above !== null;) {
      const row: TaskRow | undefined = yield* store.load(above)
      if (row === undefined) return undefined
      if (!isTerminal(row.state.status)) return row.state.id
      above = guardianOf(row.state)
    }
    return undefined
  })
  return Effect.fn("Tasks.cancelPreview")(function*(id: TaskId) {
    const rows = yield* store.subtree(id)
    const root = rows[0]?.state
    if (root === undefined) return yield* new TaskNotFound({ id })
    const heir = yield* hasHeir(root)
    return CancelPreview.make(rows.map(({ state }) => state), heir, (agent) => workers.find(agent)?.server)
  })
}

export const make = (services: Services): Verbs => {
  const { log, settler, store } = services
  const report = reports(services)

  const cancelNow: Tasks["Service"]["cancelNow"] = (entry, by, reason) => settler.cancel(entry, { by, reason })

  const cancel = Effect.fn("Tasks.cancel")(function*(request: CancelRequest) {
    if (log.trouble !== undefined) return yield* log.trouble
    const reason = { by: request.by, reason: request.reason ?? null }
    const decided = yield* settler.end(request.id, { _tag: "Cancel", ...reason }, reason)
    // a refusal tells of facts too, and they may not be durable yet
    yield* log.barrier
    if (decided === undefined) return yield* new TaskNotFound({ id: request.id })
    yield* Effect.fromResult(decided)
    return yield* report.now(request.id)
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

  return {
    cancel,
    cancelNow,
    cancelReport: report.stored,
    cancelPreview: previews(services),
    cancelSettled: settled(services, report.now),
    expire
  }
}

const deadlinePassed = {
  _tag: "Fail",
  attempt: null,
  reason: "deadline",
  message: "The deadline passed",
  error: null
} as const
