/**
 * The single writer of a process: decides at once, becomes durable in groups, tells afterwards.
 *
 * ```text
 *  fibers ── create / dispatch ──► decide · evolve (in memory, now)
 *                                        │  facts join the open batch
 *                                        ▼
 *                    next turn of the event loop: one transaction
 *                                        │
 *                                        ▼
 *               listeners ◄── committed facts ──► barriers resume
 * ```
 *
 * The state of every task somebody works on is *resident* here, one commit ahead of the store. Nobody outside this
 * process may learn of it before `barrier` has passed: a reply, a notification, a step body and a question to a person
 * each wait for it first. Readers of other tasks read the store, which only knows committed facts.
 *
 * A retryable store failure (disk full, database busy) holds the open batch and tries again, while new work from
 * outside is refused; any other failure stops the log for good, and nothing after the last commit was acknowledged.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Decision } from "./Audit.ts"
import { commit, toStoreError } from "./internal/commit.ts"
import { OpenBatch } from "./internal/openBatch.ts"
import { type Resident, resident, Residents } from "./internal/residents.ts"
import { Ownership } from "./Ownership.ts"
import { giveBack } from "./Pools.ts"
import { guardianOf, isTerminal, type TaskId } from "./Task.ts"
import type { Envelope, TaskEvent } from "./TaskEvent.ts"
import { isEnding, wakes } from "./TaskEvent.ts"
import { TaskIds } from "./TaskIds.ts"
import { type Command, create, type Creation, decide, evolve, type Refused, type TaskState } from "./TaskMachine.ts"
import { type Artifact, type Batch, type Note, type Receipt, StoreError, type TaskRow, TaskStore } from "./TaskStore.ts"

/** A task in memory, one commit ahead of the store. Only the log changes it. */
export interface Entry extends TaskRow {
  readonly state: TaskState
  /** How many holders need it resident; its worker is one. */
  readonly pins: number
  /** True while a worker queues or runs it: whoever ends it from outside leaves its settlement to that worker. */
  held: boolean
}

/** Hears the facts of one commit, in log order, after they are durable. Must not throw. */
export type CommitListener = (events: ReadonlyArray<Envelope>) => void

/** Hears once why the log stopped. Must not throw. */
export type StopListener = (error: StoreError) => void

/** Called when what was dispatched before is durable, or with the error that stopped the log. */
export type AfterCommit = (error: StoreError | undefined) => void

const retryDelays = [50, 100, 250, 500, 1_000, 2_000]

export class TaskLog extends Context.Service<TaskLog, TaskLogImpl>()("@coppice/task/TaskLog") {}

class TaskLogImpl {
  readonly ids: TaskIds
  private readonly store: TaskStore["Service"]
  private readonly clock: Clock.Clock
  private readonly epoch: number
  private readonly residents = new Residents()
  private listeners: ReadonlyArray<CommitListener> = []
  private stopListeners: ReadonlyArray<StopListener> = []
  private readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  private seq: number
  private durable: number
  private open = new OpenBatch()
  /** The batch that is being written, or held until it can be. */
  private inFlight: OpenBatch | undefined
  private scheduled = false
  private draining = false
  private retry: Fiber.Fiber<void> | undefined
  private held: StoreError | undefined
  private stopped: StoreError | undefined
  /** Commits and facts written so far, for metrics and benchmarks. */
  readonly written = { commits: 0, events: 0 }

  constructor(options: {
    readonly store: TaskStore["Service"]
    readonly clock: Clock.Clock
    readonly random: { nextIntUnsafe(): number }
    readonly epoch: number
    readonly seq: number
    readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  }) {
    this.store = options.store
    this.clock = options.clock
    this.ids = new TaskIds(options.random)
    this.epoch = options.epoch
    this.seq = options.seq
    this.durable = options.seq
    this.run = options.run
  }

  /** Unix milliseconds, as every decision of this log sees them. */
  now(): number {
    return Math.floor(this.clock.currentTimeMillisUnsafe())
  }

  /** Why the log holds or has stopped; `undefined` while it is well. */
  get trouble(): StoreError | undefined {
    return this.stopped ?? this.held
  }

  /** The number of the last fact decided; committed are the facts up to it, or a few less. */
  get head(): number {
    return this.seq
  }

  /** Why the log has stopped for good. */
  get stoppedBy(): StoreError | undefined {
    return this.stopped
  }

  get residentCount(): number {
    return this.residents.size
  }

  onCommit(listener: CommitListener): () => void {
    this.listeners = [...this.listeners, listener]
    return () => {
      this.listeners = this.listeners.filter((other) => other !== listener)
    }
  }

  /** Calls back when the log stops; at once when it has. */
  onStop(listener: StopListener): () => void {
    if (this.stopped !== undefined) listener(this.stopped)
    this.stopListeners = [...this.stopListeners, listener]
    return () => {
      this.stopListeners = this.stopListeners.filter((other) => other !== listener)
    }
  }

  /** The resident task, if it is resident. */
  resident(id: TaskId): Entry | undefined {
    return this.residents.get(id)
  }

  /** Whether a resident task certainly has no durable ending yet, so that the store need not be asked. */
  isUnderWay(id: TaskId): boolean {
    const task = this.residents.get(id)
    return task !== undefined && (task.endedSeq === null || task.endedSeq > this.durable)
  }

  /** Resident tasks this one is responsible for that have not settled. */
  liveChildren(id: TaskId): ReadonlyArray<Entry> {
    return this.residents.liveChildren(id)
  }

  /** How many `liveChildren` there are, at a cost that does not grow with them. */
  liveChildCount(id: TaskId): number {
    return this.residents.liveChildCount(id)
  }

  /** Whether every unsettled child of the task is resident. */
  knowsChildren(entry: Entry): boolean {
    return (entry as Resident).complete
  }

  /** The unsettled children of these tasks have just been adopted. */
  knowChildren(entries: ReadonlyArray<Entry>): void {
    for (const entry of entries) (entry as Resident).complete = true
  }

  /** All resident tasks this one is responsible for. */
  children(id: TaskId): ReadonlyArray<Entry> {
    return this.residents.children(id)
  }

  /** The task and all that was ever below it, parents first; `undefined` when memory does not know all of it for sure. */
  wholeTree(id: TaskId): ReadonlyArray<Entry> | undefined {
    return this.residents.wholeTree(id, this.durable)
  }

  /** Whether how the task came to rest is durable. */
  isSettled(entry: Entry): boolean {
    return entry.settledSeq !== null && entry.settledSeq <= this.durable
  }

  /**
   * Whether every fact about the task is durable, and with them all it was told: what reaches a handler has been
   * committed, and a task is committed after whoever made it. Never while the log holds or has stopped.
   */
  isDurable(entry: Entry): boolean {
    return this.trouble === undefined && (entry as Resident).lastSeq <= this.durable
  }

  /** Creates a task now; it is pinned once. The id is new unless given. */
  create(creation: Creation, id: TaskId): Entry {
    const now = this.now()
    const event = create(creation)
    const state = evolve(undefined, id, now, event)
    const row = { state, parked: false, createdSeq: ++this.seq, endedSeq: null, settledSeq: null }
    const entry = resident(row, false)
    entry.timed = event.deadline !== null
    this.append(entry, now, event, entry.createdSeq)
    entry.dirt = 2
    this.residents.add(entry)
    if (event.deadline !== null) this.open.timersSet.push({ task: id, key: "deadline", due: event.deadline })
    return entry
  }

  /** Decides now. The facts are in memory when this returns, and durable after the next commit. */
  dispatch(entry: Entry, command: Command): Result.Result<ReadonlyArray<TaskEvent>, Refused> {
    const task = entry as Resident
    const decided = decide(task.state, command)
    if (Result.isFailure(decided)) return decided
    const now = this.now()
    for (const event of decided.success) {
      const seq = ++this.seq
      const before = task.state
      task.state = evolve(before, before.id, now, event)
      if (isEnding(event._tag)) task.endedSeq = seq
      if (task.state.settlement !== null && task.settledSeq === null) this.settled(task, seq)
      this.append(task, now, event, seq)
      if (task.settledSeq === seq) giveBack(this, task.state)
      this.open.timers(task, event)
      // in the same commit, or a crash would leave an answered task asleep
      if (wakes(event)) task.parked = false
      if (event._tag === "Released") this.residents.moved(task, guardianOf(before))
    }
    return decided
  }

  private settled(task: Resident, seq: number): void {
    task.settledSeq = seq
    const { parent } = task.state
    if (parent === null) return
    this.residents.left(task)
    const entry = this.residents.get(parent)
    if (entry === undefined) {
      this.open.woken.add(parent)
      return
    }
    if (entry.parked) {
      entry.parked = false
      this.touch(entry)
    }
    // the parent will hear of it with the commit; until then it is not quiet
    entry.uncommitted++
    this.open.inbound.push(entry)
  }

  private append(task: Resident, at: number, event: TaskEvent, seq: number): void {
    if (this.stopped !== undefined) return
    this.open.events.push({ seq, task: task.state.id, run: task.state.run, at, event })
    this.open.decide(task, event, at)
    task.lastSeq = seq
    this.touch(task)
  }

  private touch(task: Resident): void {
    if (this.stopped !== undefined) return
    if (task.dirt === 0) {
      task.dirt = 1
      task.uncommitted++
      this.open.dirty.push(task)
    }
    this.schedule()
  }

  /**
   * Makes a stored task resident and pins it; a task that is already resident is pinned once more. A row that was read
   * from the store has to be adopted within `reading`, or it may be older than what was written since.
   */
  adopt(row: TaskRow): Entry {
    const { id } = row.state
    const known = this.residents.get(id)
    if (known !== undefined) {
      known.pins++
      return known
    }
    const entry = resident(row, true)
    // a wake on its way to the store has not reached the row, and until it has the task is not quiet
    for (const batch of [this.open, this.inFlight]) {
      if (batch?.woken.has(id) !== true) continue
      entry.parked = false
      entry.uncommitted++
      batch.inbound.push(entry)
    }
    this.residents.add(entry)
    return entry
  }

  /** Loads, makes resident and pins; `undefined` when there is no such task. */
  acquire(id: TaskId): Effect.Effect<Entry | undefined, StoreError> {
    return Effect.suspend(() => {
      const known = this.residents.get(id)
      if (known !== undefined) {
        known.pins++
        return Effect.succeed<Entry | undefined>(known)
      }
      return this.reading(Effect.map(this.store.load(id), (row) => row === undefined ? undefined : this.adopt(row)))
    })
  }

  /**
   * Reads from the store and adopts what was read. Until that has happened no task leaves memory, so that a row which
   * was read before a fact was written cannot take the place of the entry that knows it.
   */
  reading<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.acquireUseRelease(
      Effect.sync(() => this.residents.enter()),
      () => effect,
      (reader) => Effect.sync(() => this.residents.leave(reader))
    )
  }

  /** Takes one pin back; without pins a task leaves memory once its facts are committed. */
  release(entry: Entry): void {
    const task = entry as Resident
    task.pins--
    this.residents.forget(task)
  }

  /** True when no fact about the task, or about a child of it, waits for a commit. */
  isQuiet(entry: Entry): boolean {
    const task = entry as Resident
    return task.uncommitted === 0 && task.dirt === 0
  }

  /** Says whether a task has to be brought back at the next start (`false`) or waits for something (`true`). */
  setParked(entry: Entry, parked: boolean): void {
    const task = entry as Resident
    if (task.parked === parked || isTerminal(task.state.status)) return
    task.parked = parked
    this.touch(task)
  }

  addReceipt(receipt: Receipt): void {
    this.open.receipts.push(receipt)
    this.schedule()
  }

  /** Notes a decision that no fact tells of. */
  audit(decision: Omit<Decision, "at">): void {
    this.open.decisions.push({ at: this.now(), ...decision })
    this.schedule()
  }

  addArtifact(artifact: Artifact): void {
    this.open.artifacts.push(artifact)
    this.schedule()
  }

  /** Remembers how far a consumer of the log has come: the log is its own outbox. */
  setCursor(consumer: string, seq: number): void {
    this.open.cursors.set(consumer, seq)
    this.schedule()
  }

  /** Keeps, or with `null` forgets, something small beside the log, for `lifetime` milliseconds or for good. */
  setNote({ key, kind, lifetime, value }: Pick<Note, "kind" | "key" | "value"> & { readonly lifetime?: number }): void {
    const at = this.now()
    this.open.notes.push({ kind, key, value, at, expires: lifetime === undefined ? null : at + lifetime })
    this.schedule()
  }

  /** Has a timer go off at another time; no fact tells of it. */
  moveTimer(task: TaskId, key: string, due: number): void {
    this.open.timersSet.push({ task, key, due })
    this.schedule()
  }

  clearTimer(task: TaskId, key: string): void {
    this.open.timersCleared.push({ task, key })
    this.schedule()
  }

  /** Calls back when everything dispatched so far is durable; at once when nothing is open. */
  afterCommit(callback: AfterCommit): void {
    if (this.stopped !== undefined) return callback(this.stopped)
    if (!this.open.isEmpty) {
      this.open.after.push(callback)
      return
    }
    if (this.inFlight === undefined) return callback(undefined)
    this.open.after.push(callback)
    this.schedule()
  }

  /** Waits until everything dispatched so far is durable. Fails when the log has stopped. */
  readonly barrier: Effect.Effect<void, StoreError> = Effect.callback((resume) => {
    this.afterCommit((error) => resume(error === undefined ? Effect.void : Effect.fail(error)))
  })

  private schedule(): void {
    if (this.scheduled || this.stopped !== undefined) return
    this.scheduled = true
    setImmediate(this.flush)
  }

  private readonly flush = (): void => {
    this.scheduled = false
    if (this.inFlight === undefined && this.stopped === undefined) this.write()
  }

  private write(): void {
    const batch = this.open
    if (batch.isEmpty && batch.after.length === 0) return
    this.open = new OpenBatch()
    if (batch.isEmpty) return batch.finish(undefined)
    this.commit(batch, batch.seal(this.epoch), 0)
  }

  private commit(batch: OpenBatch, sealed: Batch, tries: number): void {
    this.inFlight = batch
    this.run(commit(this.store, sealed)).addObserver((exit) => {
      // stopped meanwhile: whoever waited for this batch knows already
      if (this.inFlight !== batch) return
      if (Exit.isSuccess(exit)) return this.committed(batch, sealed)
      const error = toStoreError(exit.cause)
      if (error.isRetryable && !this.draining) return this.hold(batch, sealed, tries, error)
      this.stop(error)
    })
  }

  private hold(batch: OpenBatch, sealed: Batch, tries: number, error: StoreError): void {
    this.held = error
    const delay = retryDelays[Math.min(tries, retryDelays.length - 1)]!
    this.retry = this.run(Effect.sleep(delay))
    this.retry.addObserver(() => {
      if (this.inFlight === batch) this.commit(batch, sealed, tries + 1)
    })
  }

  private committed(batch: OpenBatch, sealed: Batch): void {
    this.durable = sealed.events.at(-1)?.seq ?? this.durable
    this.inFlight = undefined
    this.held = undefined
    this.written.commits++
    this.written.events += sealed.events.length
    // a commit of notes or cursors alone tells nobody anything
    if (sealed.events.length > 0) { for (const listener of this.listeners) listener(sealed.events) }
    for (const task of batch.inbound) task.uncommitted--
    for (const task of batch.dirty) task.uncommitted--
    for (const task of batch.inbound) this.residents.forget(task)
    for (const task of batch.dirty) this.residents.forget(task)
    batch.finish(undefined)
    if (!this.open.isEmpty || this.open.after.length > 0) this.schedule()
  }

  /** Stops for good: every waiter hears why, nothing more is written. */
  stop(error: StoreError): void {
    if (this.stopped !== undefined) return
    this.stopped = error
    const batches = this.inFlight === undefined ? [this.open] : [this.inFlight, this.open]
    this.inFlight = undefined
    this.open = new OpenBatch()
    this.retry?.interruptUnsafe()
    for (const listener of this.stopListeners) listener(error)
    for (const batch of batches) batch.finish(error)
  }

  /**
   * Writes what is open now and waits for it: the last act of a graceful stop. It does not wait for a disk to be freed:
   * what cannot be written now was never acknowledged.
   */
  readonly drain: Effect.Effect<void> = Effect.suspend(() => {
    this.draining = true
    if (this.held !== undefined) this.stop(this.held)
    return Effect.ignore(this.barrier)
  })
}

/** The log of this process over the store it owns. */
export const layer: Layer.Layer<TaskLog, never, TaskStore | Ownership> = Layer.effect(
  TaskLog,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const ownership = yield* Ownership
    const clock = yield* Clock.Clock
    const random = yield* Random.Random
    const run = Effect.runForkWith(yield* Effect.context())
    const log = new TaskLogImpl({ store, clock, random, run, epoch: ownership.epoch, seq: ownership.head.seq })
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        log.drain,
        Effect.sync(() => log.stop(new StoreError({ reason: "Stopped", message: "The service is stopping" })))
      )
    )
    return log
  })
)
