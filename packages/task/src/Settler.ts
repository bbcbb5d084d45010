/**
 * Ends trees, and records how ended tasks come to rest, leaves first.
 *
 * A cancellation sets the status of a whole subtree in one commit; each node is settled when nothing of it runs any
 * more *and* none of its children is unsettled (I11). Whoever ran the node says `settle`; this waits for the children,
 * and fetches those that are not in memory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { isTerminal, type Settlement, type TaskId } from "./Task.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import type { Command, Refused } from "./TaskMachine.ts"
import { type StoreError, type TaskRow, TaskStore } from "./TaskStore.ts"

/** Who ends a tree and why, as the log records it. */
export interface Reason {
  readonly by: string
  readonly reason: string | null
}

export class Settler extends Context.Service<Settler, {
  /** Nothing of this ended task runs any more. Takes over the caller's pin. */
  readonly settle: (entry: Entry, how: Settlement) => void
  /**
   * Calls back once no child of the task is unsettled; at once when there is none. Children that are not in memory are
   * fetched; if the task is about to end by itself, they are ended or released first, each by its own rule.
   */
  readonly whenChildrenSettled: (id: TaskId, callback: () => void) => void
  /** Ends the task by `command` and cancels all that is below it, in one commit. `undefined`: there is no such task. */
  readonly end: (
    id: TaskId,
    command: Command,
    below: Reason
  ) => Effect.Effect<Result.Result<unknown, Refused> | undefined, StoreError>
  /** Cancels a resident task and what is below it, without waiting for the commit. */
  readonly cancel: (entry: Entry, reason: Reason) => void
}>()("@coppice/task/Settler") {}

const ended: Reason = { by: "parent", reason: "The task above ended" }

const unsettled = (row: TaskRow): boolean => row.state.settlement === null

const make = Effect.gen(function*() {
  const store = yield* TaskStore
  const log = yield* TaskLog
  const fork = yield* FiberSet.makeRuntime()
  const waiting = new Map<TaskId, Array<() => void>>()

  const childSettled = (parent: TaskId): void => {
    const callbacks = waiting.get(parent)
    if (callbacks === undefined || log.liveChildCount(parent) > 0) return
    waiting.delete(parent)
    for (const callback of callbacks) callback()
  }

  const whenChildrenSettled = (id: TaskId, callback: () => void): void => {
    const entry = log.resident(id)
    if (entry !== undefined && !log.knowsChildren(entry)) {
      fork(Effect.andThen(fetchChildren(entry), Effect.sync(() => whenChildrenSettled(id, callback))))
      return
    }
    if (log.liveChildCount(id) === 0) return callback()
    const callbacks = waiting.get(id)
    if (callbacks === undefined) waiting.set(id, [callback])
    else callbacks.push(callback)
  }

  const settle = (entry: Entry, how: Settlement): void =>
    whenChildrenSettled(entry.state.id, () => {
      const { endedAt, parent, settlement, status } = entry.state
      if (isTerminal(status) && settlement === null) {
        const took = Math.max(0, log.now() - (endedAt ?? log.now()))
        log.dispatch(entry, { _tag: "Settle", how, took })
        if (parent !== null) childSettled(parent)
      }
      log.release(entry)
    })

  /** A node nobody runs is at rest as soon as its children are. Gives the pin back. */
  const rest = (entry: Entry): void => {
    if (entry.held || !isTerminal(entry.state.status) || entry.state.settlement !== null) log.release(entry)
    else settle(entry, "stopped")
  }

  /** Pins all that is unsettled below the task: what the store knows and what it does not know yet. Parents first. */
  const gather = (root: TaskId, rows: ReadonlyArray<TaskRow>): ReadonlyArray<Entry> => {
    const nodes = new Map<TaskId, Entry>()
    const ids = new Set([root])
    for (const row of rows) {
      ids.add(row.state.id)
      if (row.state.id !== root && unsettled(row)) nodes.set(row.state.id, log.adopt(row))
    }
    for (const id of ids) {
      for (const child of log.children(id)) {
        ids.add(child.state.id)
        if (!nodes.has(child.state.id) && unsettled(child)) nodes.set(child.state.id, log.adopt(child))
      }
    }
    return [...nodes.values()]
  }

  const cancelAll = (nodes: ReadonlyArray<Entry>, { by, reason }: Reason): void => {
    for (const node of nodes) {
      if (!isTerminal(node.state.status)) log.dispatch(node, { _tag: "Cancel", by, reason })
    }
    for (const node of nodes) rest(node)
  }

  /** What the parent's end means for children nobody runs. */
  const endChild = (child: Entry): void => {
    const { onParentExit } = child.state.spec
    if (onParentExit === "stop") return cancel(child, { by: "parent", reason: "The parent ended" })
    if (!isTerminal(child.state.status)) log.dispatch(child, { _tag: "Release", rule: onParentExit })
  }

  const fetchChildren = (entry: Entry, reason: Reason = ended): Effect.Effect<void> => {
    const { id } = entry.state
    const read = Effect.map(store.subtree(id), (rows) => {
      const nodes = gather(id, rows)
      log.knowChildren([entry, ...nodes])
      if (isTerminal(entry.state.status)) return cancelAll(nodes, reason)
      for (const node of nodes) if (node.state.parent === id) endChild(node)
      for (const node of nodes) rest(node)
    })
    return log.reading(read).pipe(
      Effect.tapError((error) => Effect.logWarning("The children of a task cannot be read", error.message)),
      Effect.andThen(Effect.void),
      Effect.catch(() => log.stoppedBy === undefined ? Effect.delay(fetchChildren(entry, reason), "1 second") : Effect.never)
    )
  }

  const end: Settler["Service"]["end"] = (id, command, below) =>
    Effect.uninterruptible(log.reading(Effect.map(store.subtree(id), (rows) => {
      const row = log.resident(id) ?? rows[0]
      if (row === undefined) return undefined
      const entry = log.adopt(row)
      const decided = log.dispatch(entry, command)
      if (Result.isFailure(decided)) {
        log.release(entry)
        return decided
      }
      const nodes = gather(id, rows)
      log.knowChildren([entry, ...nodes])
      cancelAll(nodes, below)
      rest(entry)
      return decided
    })))

  const cancel = (resident: Entry, reason: Reason): void => {
    if (isTerminal(resident.state.status)) return
    const entry = log.adopt(resident)
    log.dispatch(entry, { _tag: "Cancel", ...reason })
    const nodes = gather(entry.state.id, [])
    for (const node of [entry, ...nodes]) if (!log.knowsChildren(node)) fork(fetchChildren(node, reason))
    cancelAll(nodes, reason)
    rest(entry)
  }

  const stop = log.onCommit((events) => {
    if (waiting.size === 0) return
    for (const { event, task } of events) {
      if (event._tag !== "Completed" && event._tag !== "Failed" && event._tag !== "Settled") continue
      const parent = log.resident(task)?.state.parent
      if (parent !== undefined && parent !== null) childSettled(parent)
    }
  })
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  return { settle, whenChildrenSettled, end, cancel }
})

export const layer: Layer.Layer<Settler, never, TaskLog | TaskStore> = Layer.effect(Settler, make)
