/**
 * Ends trees, and records how ended tasks come to rest, leaves first.
 *
 * A cancellation sets the status of a whole subtree in one commit; each node is settled when nothing of it runs any
 * more *and* none of those it is responsible for is unsettled (I11). Whoever ran the node says `settle`; this waits for
 * the children, and fetches those that are not in memory.
 *
 * ```text
 *  end of a task ─► each child that still runs, by its own rule:
 *                     stop      ends with it, and so on below
 *                     continue  goes on, nobody is responsible for it any more
 *                     adopt     goes on below the nearest living task above; ends where there is none
 * ```
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { CancelReport } from "./CancelReport.ts"
import { retryDelay } from "./internal/retryDelay.ts"
import { guardianOf, isFinal, isTerminal, parentExitOf, type Rest, type Settlement, type TaskId } from "./Task.ts"
import type { Envelope } from "./TaskEvent.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import type { Command, Refused } from "./TaskMachine.ts"
import { settlementTimer, type StoreError, type TaskRow, TaskStore } from "./TaskStore.ts"
import { Workers } from "./Worker.ts"

/** Who ends a tree and why, as the log records it. */
export interface Reason {
  readonly by: string
  readonly reason: string | null
}

/** How a task came to rest, and what is known of it beside the word. */
export interface Rested extends Pick<Rest, "unwound" | "cleanups" | "server"> {
  readonly how: Settlement
  /** What the server that did the work tells of its part of the tree. */
  readonly below?: CancelReport
  /** Not the last word: its worker is asked again, later each time. An `unreachable` one always is. */
  readonly isOpen?: boolean
}

export class Settler extends Context.Service<Settler, {
  /** Nothing of this ended task runs any more. Takes over the caller's pin. */
  readonly settle: (entry: Entry, how: Settlement | Rested) => void
  /** Settles an ended task unless somebody here runs it; its worker is asked what became of it. Takes over the pin. */
  readonly rest: (entry: Entry) => void
  /**
   * From now on a task whose agent has no worker here is taken for one of this process, which is gone. Before, at a start,
   * its worker may only not have come yet, and it alone knows what goes on elsewhere.
   */
  readonly allKnown: () => void
  /** The time of an open settlement has come: its worker is asked again. */
  readonly again: (id: TaskId) => Effect.Effect<void, StoreError>
  /**
   * Calls back once nobody the task is responsible for is unsettled; at once when there is none. Those that are not in
   * memory are fetched; if the task is about to end by itself, they are ended or released first, each by its own rule.
   */
  readonly whenChildrenSettled: (id: TaskId, callback: () => void) => void
  /** The task is about to end by itself: ends or releases its children, each by its own rule, and waits for them. */
  readonly leave: (entry: Entry, callback: () => void) => void
  /** Ends the task by `command` and cancels all that ends with it, in one commit. `undefined`: there is no such task. */
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
  /** Cancels a resident task and what ends with it, without waiting for the commit. */
  readonly cancel: (entry: Entry, reason: Reason) => void
}>()("@coppice/task/Settler") {}

/** How long a worker may ask before it is asked once more, milliseconds. */
const answered = 60_000

const ended: Reason = { by: "parent", reason: "The task above ended" }
const parentEnded: Reason = { by: "parent", reason: "The parent ended" }

const unsettled = (row: TaskRow): boolean => row.state.settlement === null

/** Its sagas have done what nobody has undone yet. */
const isUndoable = ({ state }: Entry): boolean => state.settlement === null && (state.undoable ?? 0) > 0

/** The nearest living task above. `null`: there is none; `undefined`: memory alone cannot tell. */
type Heir = Entry | null | undefined

type Fork = (effect: Effect.Effect<void>) => unknown

class Trees {
  private readonly waiting = new Map<TaskId, Array<() => void>>()
  /** Tasks that wait for their children in order to end. */
  private readonly leaving = new Set<TaskId>()
  /** Tasks whose last child may have settled: a queue, so that a deep tree needs no deep stack. */
  private readonly rested: Array<TaskId> = []
  private isTelling = false
  /** Whether every worker there is has been registered. */
  areKnown = false
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

  /** Facts that may have been what somebody above waits for. */
  committed(events: ReadonlyArray<Envelope>): void {
    if (this.waiting.size === 0) return
    for (const { event, task } of events) {
      if (event._tag !== "Completed" && event._tag !== "Failed" && event._tag !== "Settled") continue
      const state = this.log.resident(task)?.state
      const guardian = state === undefined ? null : guardianOf(state)
      if (guardian !== null) this.childSettled(guardian)
    }
  }

  private childSettled(guardian: TaskId): void {
    this.rested.push(guardian)
    if (this.isTelling) return
    this.isTelling = true
    try {
      for (let id = this.rested.shift(); id !== undefined; id = this.rested.shift()) this.tell(id)
    } finally {
      this.isTelling = false
    }
  }

  private tell(id: TaskId): void {
    const callbacks = this.waiting.get(id)
    if (callbacks === undefined || this.log.liveChildCount(id) > 0) return
    this.waiting.delete(id)
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

  settle(entry: Entry, said: Settlement | Rested): void {
    const { log } = this
    const rested: Rested = typeof said === "string" ? { how: said } : said
    this.whenChildrenSettled(entry.state.id, () => {
      const { settlement, status } = entry.state
      if (isTerminal(status) && !isFinal(entry.state)) {
        log.dispatch(entry, this.settlement(entry, rested))
        const guardian = guardianOf(entry.state)
        if (settlement === null && guardian !== null) this.childSettled(guardian)
      }
      log.release(entry)
    })
  }

  private settlement(entry: Entry, { isOpen, ...rested }: Rested): Command {
    const { log } = this
    const { endedAt, id, rest } = entry.state
    const now = log.now()
    const took = Math.max(0, now - (endedAt ?? now))
    const told = { _tag: "Settle", ...rested, took } as const
    if (isOpen !== true && rested.how !== "unreachable") return told
    const tries = (rest?.tries ?? 0) + 1
    return { ...told, tries, retryAt: now + retryDelay(id, tries) }
  }

  /** A node nobody runs is at rest as soon as its children are, and what its worker started elsewhere. Gives the pin back. */
  rest(entry: Entry): void {
    const { agent, status } = entry.state
    if (entry.held || !isTerminal(status) || isFinal(entry.state)) return this.log.release(entry)
    const worker = this.workers.find(agent)
    // only its worker can tell, or undo, when it is there; a sweep asks it
    if (worker === undefined && (!this.areKnown || this.needsWorker(entry))) return this.log.release(entry)
    if (worker?.undo !== undefined && isUndoable(entry)) worker.undo(entry)
    else if (worker?.rest !== undefined) worker.rest(entry)
    // a server that cannot be asked now because nobody here knows the way stays as it was
    else if (unsettled(entry)) this.settle(entry, "stopped")
    else this.settle(entry, { how: entry.state.settlement!, isOpen: true })
  }

  /** Whether its agent is known here, and something has to be done that only its worker can do. */
  private needsWorker(entry: Entry): boolean {
    const { agent } = entry.state
    return this.workers.isElsewhere(agent) || isUndoable(entry) && this.workers.contract(agent) !== undefined
  }

  again(id: TaskId): Effect.Effect<void, StoreError> {
    const { log } = this
    return Effect.map(log.acquire(id), (entry) => {
      if (entry === undefined || isFinal(entry.state)) log.clearTimer(id, settlementTimer)
      // found again should this process not live to hear the answer
      else log.moveTimer(id, settlementTimer, log.now() + answered)
      if (entry !== undefined) this.rest(entry)
    })
  }

  // ---------------------------------------------------------------- who ends with whom

  private isLiving(entry: Entry): boolean {
    return !isTerminal(entry.state.status) && !this.leaving.has(entry.state.id)
  }

  /** Who takes over what a task leaves behind, as far as memory knows. */
  private heirOf(entry: Entry): Heir {
    for (let above = guardianOf(entry.state); above !== null;) {
      const guardian = this.log.resident(above)
      if (guardian === undefined) return undefined
      if (this.isLiving(guardian)) return guardian
      above = guardianOf(guardian.state)
    }
    return null
  }

  private staysBehind({ state }: Entry, heir: Heir): boolean {
    if (isTerminal(state.status)) return false
    const rule = parentExitOf(state)
    return rule === "continue" || (rule === "adopt" && heir !== null)
  }

  /** Pins all in memory that is unsettled below the task, parents first; what stays behind, and is below it, apart. */
  private reach(
    root: Entry,
    staysBehind: (entry: Entry) => boolean
  ): { readonly taken: ReadonlyArray<Entry>; readonly left: ReadonlyArray<Entry> } {
    const { log } = this
    const taken: Array<Entry> = []
    const left: Array<Entry> = []
    const visit = (id: TaskId): void => {
      for (const child of log.children(id)) {
        if (unsettled(child)) (staysBehind(child) ? left : taken).push(log.adopt(child))
      }
    }
    visit(root.state.id)
    for (const { state } of taken) visit(state.id)
    return { taken, left }
  }

  /** Lets go of what stays behind; gives the pins back. */
  private leaveBehind(left: ReadonlyArray<Entry>, heir: Heir): void {
    const { log } = this
    for (const child of left) {
      if (parentExitOf(child.state) === "continue") log.dispatch(child, { _tag: "Release", rule: "continue" })
      else if (heir === undefined || heir === null) this.fork(this.findHeir(log.adopt(child)))
      else this.entrust(child, heir)
      log.release(child)
    }
  }

  private entrust(child: Entry, heir: Entry): void {
    const { id } = heir.state
    this.log.dispatch(heir, { _tag: "Adopt", child: child.state.id })
    this.log.dispatch(child, { _tag: "Release", rule: "adopt", to: id })
  }

  /** Looks for the heir of a task in the store; without one it ends. Gives the pin back. */
  private findHeir(child: Entry): Effect.Effect<void> {
    const { log } = this
    const found = Effect.gen({ self: this }, function*() {
      for (let above = guardianOf(child.state); above !== null;) {
        const entry: Entry | undefined = yield* log.acquire(above)
        if (entry === undefined) break
        above = guardianOf(entry.state)
        const isFound = this.isLiving(entry)
        if (isFound && !isTerminal(child.state.status)) this.entrust(child, entry)
        log.release(entry)
        if (isFound) return
      }
      this.cancel(child, parentEnded)
    })
    return Effect.ensuring(this.patiently(found), Effect.sync(() => log.release(child)))
  }

  // ---------------------------------------------------------------- ending

  /** Pins all that is unsettled below the task and was read, whether it ends with it or not. */
  private adoptAll(root: TaskId, rows: ReadonlyArray<TaskRow>): ReadonlyArray<Entry> {
    const nodes: Array<Entry> = []
    const ids = new Set([root])
    for (const row of rows) {
      // memory may know more than was read
      const { state } = this.log.resident(row.state.id) ?? row
      const guardian = guardianOf(state)
      if (guardian === null || !ids.has(guardian)) continue
      ids.add(state.id)
      if (state.settlement === null) nodes.push(this.log.adopt(row))
    }
    return nodes
  }

  private releaseAll(nodes: ReadonlyArray<Entry>): void {
    for (const node of nodes) this.log.release(node)
  }

  /** Cancels what ends with an ended task, and has it come to rest. */
  private spread(root: Entry, reason: Reason): void {
    const heir = this.heirOf(root)
    const { left, taken } = this.reach(root, (entry) => this.staysBehind(entry, heir))
    for (const node of taken) {
      if (!isTerminal(node.state.status)) this.log.dispatch(node, { _tag: "Cancel", ...reason })
    }
    this.leaveBehind(left, heir)
    for (const node of [root, ...taken]) if (!this.log.knowsChildren(node)) this.fork(this.fetchPinned(node, reason))
    for (const node of taken) this.rest(node)
  }

  private fetchPinned(node: Entry, reason: Reason): Effect.Effect<void> {
    const entry = this.log.adopt(node)
    return Effect.ensuring(this.fetch(entry, reason), Effect.sync(() => this.log.release(entry)))
  }

  /** What the end of the task means for each of its children, by the child's own rule. */
  private endChildren(entry: Entry): void {
    const { log } = this
    const heir = this.heirOf(entry)
    const children = log.liveChildren(entry.state.id)
    const left = children.filter((child) => this.staysBehind(child, heir)).map((child) => log.adopt(child))
    const stays = new Set(left)
    for (const child of children) if (!stays.has(child)) this.cancel(child, parentEnded)
    this.leaveBehind(left, heir)
  }

  leave(entry: Entry, callback: () => void): void {
    const { id } = entry.state
    this.leaving.add(id)
    if (this.log.knowsChildren(entry)) this.endChildren(entry)
    this.whenChildrenSettled(id, () => {
      this.leaving.delete(id)
      callback()
    })
  }

  /** Again and again while the store fails and may recover. */
  private patiently(effect: Effect.Effect<void, StoreError>): Effect.Effect<void> {
    return effect.pipe(
      Effect.tapError((error) => Effect.logWarning("Tasks of a tree cannot be read", error.message)),
      Effect.catch(() =>
        this.log.stoppedBy === undefined ? Effect.delay(this.patiently(effect), "1 second") : Effect.never
      )
    )
  }

  /** Brings what is below the task into memory, and ends it as the task's own end demands. */
  private fetch(entry: Entry, reason: Reason): Effect.Effect<void> {
    const { log, store } = this
    const { id } = entry.state
    const read = Effect.map(store.subtree(id), (rows) => {
      const nodes = this.adoptAll(id, rows)
      log.knowChildren([entry, ...nodes])
      if (isTerminal(entry.state.status)) this.spread(entry, reason)
      else this.endChildren(entry)
      for (const node of nodes) this.rest(node)
    })
    return this.patiently(log.reading(read))
  }

  /** Whether all that is unsettled below the task is in memory, so that the store has nothing to add. */
  private isWhole(entry: Entry): boolean {
    const nodes = [entry]
    for (const node of nodes) {
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
      const nodes = this.adoptAll(id, rows)
      log.knowChildren([entry, ...nodes])
      this.spread(entry, below)
      this.releaseAll(nodes)
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
      const read = this.adoptAll(id, rows)
      // whatever their rule is: nobody ends
      const { taken } = this.reach(entry, () => false)
      const visited = visit(entry, taken)
      for (const node of [...read, ...taken, entry]) log.release(node)
      return visited
    })
    return Effect.uninterruptible(log.reading(visiting))
  }

  cancel(resident: Entry, reason: Reason): void {
    const { log } = this
    if (isTerminal(resident.state.status)) return
    const entry = log.adopt(resident)
    log.dispatch(entry, { _tag: "Cancel", ...reason })
    this.spread(entry, reason)
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
      allKnown: () => {
        trees.areKnown = true
      },
      again: (id) => trees.again(id),
      whenChildrenSettled: (id, callback) => trees.whenChildrenSettled(id, callback),
      leave: (entry, callback) => trees.leave(entry, callback),
      end: (id, command, below) => trees.end(id, command, below),
      visit: (id, visit) => trees.visit(id, visit),
      cancel: (entry, reason) => trees.cancel(entry, reason)
    }
  })
)
