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
import type { Envelope } from "./TaskEvent.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import type { Command, Refused } from "./TaskMachine.ts"
import { type StoreError, type TaskRow, TaskStore } from "./TaskStore.ts"
import { Workers } from "./Worker.ts"

/** Who ends a tree and why, as the log records it. */
export interface Reason {
  readonly by: string
  readonly reason: string | null
}

export class Settler extends Context.Service<Settler, {
  /** Nothing of this ended task runs any more. Takes over the caller's pin. */
  readonly settle: (entry: Entry, how: Settlement) => void
  /** Settles an ended task unless somebody here runs it; its worker is asked what became of it. Takes over the pin. */
  readonly rest: (entry: Entry) => void
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
  /**
   * Calls `visit` with the task and all below it that has not settled, parents first, in memory and at one moment: no
   * fact about any of them comes in between. `undefined`: there is no such task.
   */
  readonly visit: <A>(
    id: TaskId,
    visit: (entry: Entry, below: ReadonlyArray<Entry>) => A
  ) => Effect.Effect<A | undefined, StoreError>
  /** Cancels a resident task and what is below it, without waiting for the commit. */
  readonly cancel: (entry: Entry, reason: Reason) => void
}>()("@coppice/task/Settler") {}

const ended: Reason = { by: "parent", reason: "The task above ended" }

const unsettled = (row: TaskRow): boolean => row.state.settlement === null

type Fork = (effect: Effect.Effect<void>) => unknown

class Trees {
  private readonly waiting = new Map<TaskId, Array<() => void>>()
  private readonly log: TaskLog["Service"]
  private readonly store: TaskStore["Service"]
  private readonly workers: Workers["Service"]
  private readonly fork: Fork

  constructor(services: {
    readonly log: TaskLog["Service"]
    readonly store: TaskStore["Service"]
    readonly workers: Workers["Service"]
    readonly fork: Fork
  }) {
    this.log = services.log
    this.store = services.store
    this.workers = services.workers
    this.fork = services.fork
  }

  // ---------------------------------------------------------------- coming to rest

  /** Facts that may have been what a parent waits for. */
  committed(events: ReadonlyArray<Envelope>): void {
    if (this.waiting.size === 0) return
    for (const { event, task } of events) {
      if (event._tag !== "Completed" && event._tag !== "Failed" && event._tag !== "Settled") continue
      const parent = this.log.resident(task)?.state.parent
      if (parent !== undefined && parent !== null) this.childSettled(parent)
    }
  }

  private childSettled(parent: TaskId): void {
    const callbacks = this.waiting.get(parent)
    if (callbacks === undefined || this.log.liveChildCount(parent) > 0) return
    this.waiting.delete(parent)
    for (const callback of callbacks) callback()
  }

  whenChildrenSettled(id: TaskId, callback: () => void): void {
    const { log, waiting } = this
    const entry = log.resident(id)
    if (entry !== undefined && !log.knowsChildren(entry)) {
      this.fork(Effect.andThen(this.fetch(entry, ended), Effect.sync(() => this.whenChildrenSettled(id, callback))))
      return
    }
    if (log.liveChildCount(id) === 0) return callback()
    const callbacks = waiting.get(id)
    if (callbacks === undefined) waiting.set(id, [callback])
    else callbacks.push(callback)
  }

  settle(entry: Entry, how: Settlement): void {
    const { log } = this
    this.whenChildrenSettled(entry.state.id, () => {
      const { endedAt, parent, settlement, status } = entry.state
      if (isTerminal(status) && settlement === null) {
        const took = Math.max(0, log.now() - (endedAt ?? log.now()))
        log.dispatch(entry, { _tag: "Settle", how, took })
        if (parent !== null) this.childSettled(parent)
      }
      log.release(entry)
    })
  }

  /** A node nobody runs is at rest as soon as its children are, and what its worker started elsewhere. Gives the pin back. */
  rest(entry: Entry): void {
    const { agent, settlement, status } = entry.state
    if (entry.held || !isTerminal(status) || settlement !== null) return this.log.release(entry)
    const worker = this.workers.find(agent)
    if (worker?.rest === undefined) this.settle(entry, "stopped")
    else worker.rest(entry)
  }

  // ---------------------------------------------------------------- ending

  /** Pins all that is unsettled below the task: what the store knows and what it does not know yet. Parents first. */
  private gather(root: TaskId, rows: ReadonlyArray<TaskRow>): ReadonlyArray<Entry> {
    const { log } = this
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

  private cancelAll(nodes: ReadonlyArray<Entry>, reason: Reason): void {
    for (const node of nodes) {
      if (!isTerminal(node.state.status)) this.log.dispatch(node, { _tag: "Cancel", ...reason })
    }
    for (const node of nodes) this.rest(node)
  }

  /** What the parent's end means for children nobody runs. */
  private endChild(child: Entry): void {
    const { onParentExit } = child.state.spec
    if (onParentExit === "stop") return this.cancel(child, { by: "parent", reason: "The parent ended" })
    if (!isTerminal(child.state.status)) this.log.dispatch(child, { _tag: "Release", rule: onParentExit })
  }

  /** Brings what is below the task into memory, and ends it as the task's own end demands. */
  private fetch(entry: Entry, reason: Reason): Effect.Effect<void> {
    const { log, store } = this
    const { id } = entry.state
    const read = Effect.map(store.subtree(id), (rows) => {
      const nodes = this.gather(id, rows)
      log.knowChildren([entry, ...nodes])
      if (isTerminal(entry.state.status)) return this.cancelAll(nodes, reason)
      for (const node of nodes) if (node.state.parent === id) this.endChild(node)
      for (const node of nodes) this.rest(node)
    })
    return log.reading(read).pipe(
      Effect.tapError((error) => Effect.logWarning("The children of a task cannot be read", error.message)),
      Effect.catch(() =>
        log.stoppedBy === undefined ? Effect.delay(this.fetch(entry, reason), "1 second") : Effect.never
      )
    )
  }

  /** Whether all that is unsettled below the task is in memory, so that the store has nothing to add. */
  private isWhole(entry: Entry): boolean {
    const nodes = [entry]
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!
      if (!unsettled(node)) continue
      if (!this.log.knowsChildren(node)) return false
      for (const child of this.log.children(node.state.id)) nodes.push(child)
    }
    return true
  }

  /** The stored rows of a tree that memory does not know whole. */
  private stored(id: TaskId): Effect.Effect<ReadonlyArray<TaskRow>, StoreError> {
    return Effect.suspend(() => {
      const entry = this.log.resident(id)
      return entry !== undefined && this.isWhole(entry) ? Effect.succeed([]) : this.store.subtree(id)
    })
  }

  end(id: TaskId, command: Command, below: Reason) {
    const { log } = this
    const ending = Effect.map(this.stored(id), (rows) => {
      const row = log.resident(id) ?? rows[0]
      if (row === undefined) return undefined
      const entry = log.adopt(row)
      const decided = log.dispatch(entry, command)
      if (Result.isFailure(decided)) {
        log.release(entry)
        return decided
      }
      const nodes = this.gather(id, rows)
      log.knowChildren([entry, ...nodes])
      this.cancelAll(nodes, below)
      this.rest(entry)
      return decided
    })
    return Effect.uninterruptible(log.reading(ending))
  }

  visit<A>(id: TaskId, visit: (entry: Entry, below: ReadonlyArray<Entry>) => A) {
    const { log } = this
    const visiting = Effect.map(this.stored(id), (rows) => {
      const row = log.resident(id) ?? rows[0]
      if (row === undefined) return undefined
      const entry = log.adopt(row)
      const below = this.gather(id, rows)
      const visited = visit(entry, below)
      for (const node of [...below, entry]) log.release(node)
      return visited
    })
    return Effect.uninterruptible(log.reading(visiting))
  }

  cancel(resident: Entry, reason: Reason): void {
    const { log } = this
    if (isTerminal(resident.state.status)) return
    const entry = log.adopt(resident)
    log.dispatch(entry, { _tag: "Cancel", ...reason })
    const nodes = this.gather(entry.state.id, [])
    for (const node of [entry, ...nodes]) if (!log.knowsChildren(node)) this.fork(this.fetch(node, reason))
    this.cancelAll(nodes, reason)
    this.rest(entry)
  }
}

export const layer: Layer.Layer<Settler, never, TaskLog | TaskStore | Workers> = Layer.effect(
  Settler,
  Effect.gen(function*() {
    const log = yield* TaskLog
    const trees = new Trees({
      log,
      store: yield* TaskStore,
      workers: yield* Workers,
      fork: yield* FiberSet.makeRuntime()
    })
    const stop = log.onCommit((events) => trees.committed(events))
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    return {
      settle: (entry, how) => trees.settle(entry, how),
      rest: (entry) => trees.rest(entry),
      whenChildrenSettled: (id, callback) => trees.whenChildrenSettled(id, callback),
      end: (id, command, below) => trees.end(id, command, below),
      visit: (id, visit) => trees.visit(id, visit),
      cancel: (entry, reason) => trees.cancel(entry, reason)
    }
  })
)
