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
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Cause from "effect/Cause"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Failpoint from "./Failpoint.ts"
import { Ownership } from "./Ownership.ts"
import { isTerminal, type TaskId } from "./Task.ts"
import type { Envelope, TaskEvent } from "./TaskEvent.ts"
import { isEnding } from "./TaskEvent.ts"
import { TaskIds } from "./TaskIds.ts"
import { type Command, create, type Creation, decide, evolve, type Refused, type TaskState } from "./TaskMachine.ts"
import { type Artifact, type Batch, type Receipt, StoreError, type TaskRow, TaskStore, type Timer } from "./TaskStore.ts"

/** A task in memory, one commit ahead of the store. Only the log changes it. */
export interface Entry extends TaskRow {
  readonly state: TaskState
  /** How many holders need it resident; its worker is one. */
  readonly pins: number
  /** True while a worker queues or runs it: whoever ends it from outside leaves its settlement to that worker. */
  held: boolean
}

type Writable = {
  state: TaskState
  parked: boolean
  createdSeq: number
  endedSeq: number | null
  settledSeq: number | null
  pins: number
  held: boolean
  /** True once its parent ended and let it go on. */
  released: boolean
  /** 0 clean, 1 changed in the open batch, 2 created in it. */
  dirt: 0 | 1 | 2
  /** Batches it is in that have not been committed. */
  uncommitted: number
}

/** Hears the facts of one commit, in log order, after they are durable. Must not throw. */
export type CommitListener = (events: ReadonlyArray<Envelope>) => void

/** Called when what was dispatched before is durable, or with the error that stopped the log. */
export type AfterCommit = (error: StoreError | undefined) => void

class OpenBatch {
  events: Array<Envelope> = []
  dirty: Array<Writable> = []
  /** Resident parents that hear of a settled child with this batch. */
  inbound: Array<Writable> = []
  woken: Array<TaskId> = []
  timersSet: Array<Timer> = []
  timersCleared: Array<{ task: TaskId; key: string | null }> = []
  receipts: Array<Receipt> = []
  artifacts: Array<Artifact> = []
  cursors = new Map<string, number>()
  after: Array<AfterCommit> = []

  get isEmpty(): boolean {
    return this.events.length === 0 && this.dirty.length === 0 && this.woken.length === 0 &&
      this.timersSet.length === 0 && this.timersCleared.length === 0 && this.artifacts.length === 0 &&
      this.cursors.size === 0
  }
}

const retryDelays = [50, 100, 250, 500, 1_000, 2_000]

export class TaskLog extends Context.Service<TaskLog, TaskLogImpl>()("@coppice/task/TaskLog") {}

class TaskLogImpl {
  readonly ids: TaskIds
  private readonly store: TaskStore["Service"]
  private readonly clock: Clock.Clock
  private readonly epoch: number
  private readonly entries = new Map<TaskId, Writable>()
  private readonly childrenOf = new Map<TaskId, Set<Writable>>()
  private readonly listeners: Array<CommitListener> = []
  private readonly run: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  private seq: number
  private open = new OpenBatch()
  private writing = false
  private scheduled = false
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
    this.run = options.run
  }

  /** Unix milliseconds, as every decision of this log sees them. */
  now(): number {
    return this.clock.currentTimeMillisUnsafe()
  }

  /** Why the log holds or has stopped; `undefined` while it is well. */
  get trouble(): StoreError | undefined {
    return this.stopped ?? this.held
  }

  /** Facts committed so far are those up to this sequence number, or a few more. */
  get head(): number {
    return this.seq
  }

  get residentCount(): number {
    return this.entries.size
  }

  onCommit(listener: CommitListener): () => void {
    this.listeners.push(listener)
    return () => {
      const index = this.listeners.indexOf(listener)
      if (index >= 0) this.listeners.splice(index, 1)
    }
  }

  /** The resident task, if it is resident. */
  resident(id: TaskId): Entry | undefined {
    return this.entries.get(id)
  }

  /** Resident children that have not settled and are not allowed to outlive the task. */
  liveChildren(id: TaskId): ReadonlyArray<Entry> {
    const children = this.childrenOf.get(id)
    if (children === undefined) return []
    const live: Array<Entry> = []
    for (const child of children) if (child.state.settlement === null && !child.released) live.push(child)
    return live
  }

  /** Creates a task now; it is pinned once. The id is new unless given. */
  create(creation: Creation, id: TaskId): Entry {
    const now = this.now()
    const event = create(creation)
    const entry: Writable = {
      state: evolve(undefined, id, now, event),
      parked: false,
      createdSeq: ++this.seq,
      endedSeq: null,
      settledSeq: null,
      pins: 1,
      held: false,
      released: false,
      dirt: 0,
      uncommitted: 0
    }
    this.append(entry, now, event, entry.createdSeq)
    entry.dirt = 2
    this.link(entry)
    if (creation.deadline !== null) this.open.timersSet.push({ task: id, key: "deadline", due: creation.deadline })
    return entry
  }

  /** Decides now. The facts are in memory when this returns, and durable after the next commit. */
  dispatch(entry: Entry, command: Command): Result.Result<ReadonlyArray<TaskEvent>, Refused> {
    const task = entry as Writable
    const decided = decide(task.state, command)
    if (Result.isFailure(decided)) return decided
    const now = this.now()
    for (const event of decided.success) {
      const seq = ++this.seq
      task.state = evolve(task.state, task.state.id, now, event)
      if (isEnding(event._tag)) task.endedSeq = seq
      if (task.state.settlement !== null && task.settledSeq === null) this.settled(task, seq)
      this.append(task, now, event, seq)
      this.timers(task, event)
      // in the same commit, or a crash would leave an answered task asleep
      if (wakes(event)) task.parked = false
      if (event._tag === "Released") task.released = true
    }
    return decided
  }

  private settled(task: Writable, seq: number): void {
    task.settledSeq = seq
    const parent = task.state.parent
    if (parent === null) return
    const entry = this.entries.get(parent)
    if (entry === undefined || entry.parked) {
      this.open.woken.push(parent)
    } else {
      // the parent will hear of it with the commit; until then it is not quiet
      entry.uncommitted++
      this.open.inbound.push(entry)
    }
  }

  private timers(task: Writable, event: TaskEvent): void {
    const id = task.state.id
    switch (event._tag) {
      case "TimerSet":
        this.open.timersSet.push({ task: id, key: event.key, due: event.due })
        return
      case "TimerFired":
        this.open.timersCleared.push({ task: id, key: event.key })
        return
      case "Completed":
      case "Failed":
      case "Cancelled":
        if (task.dirt !== 2 || task.state.deadline !== null) this.open.timersCleared.push({ task: id, key: null })
    }
  }

  private append(task: Writable, at: number, event: TaskEvent, seq: number): void {
    this.open.events.push({ seq, task: task.state.id, run: task.state.run, at, event })
    this.touch(task)
  }

  private touch(task: Writable): void {
    if (task.dirt === 0) {
      task.dirt = 1
      task.uncommitted++
      this.open.dirty.push(task)
    }
    this.schedule()
  }

  private link(task: Writable): void {
    this.entries.set(task.state.id, task)
    const parent = task.state.parent
    if (parent === null) return
    const siblings = this.childrenOf.get(parent)
    if (siblings === undefined) this.childrenOf.set(parent, new Set([task]))
    else siblings.add(task)
  }

  private unlink(task: Writable): void {
    this.entries.delete(task.state.id)
    const parent = task.state.parent
    if (parent === null) return
    const siblings = this.childrenOf.get(parent)
    if (siblings === undefined) return
    siblings.delete(task)
    if (siblings.size === 0) this.childrenOf.delete(parent)
  }

  /** Makes a stored task resident and pins it; a task that is already resident is pinned once more. */
  adopt(row: TaskRow): Entry {
    const known = this.entries.get(row.state.id)
    if (known !== undefined) {
      known.pins++
      return known
    }
    const entry: Writable = { ...row, pins: 1, held: false, released: false, dirt: 0, uncommitted: 0 }
    this.link(entry)
    return entry
  }

  /** Loads, makes resident and pins; `undefined` when there is no such task. */
  acquire(id: TaskId): Effect.Effect<Entry | undefined, StoreError> {
    return Effect.suspend(() => {
      const known = this.entries.get(id)
      if (known !== undefined) {
        known.pins++
        return Effect.succeed<Entry | undefined>(known)
      }
      return Effect.map(this.store.load(id), (row) => row === undefined ? undefined : this.adopt(row))
    })
  }

  /** Takes one pin back; without pins a task leaves memory once its facts are committed. */
  release(entry: Entry): void {
    const task = entry as Writable
    task.pins--
    this.forget(task)
  }

  private forget(task: Writable): void {
    if (task.pins > 0 || task.uncommitted > 0 || task.dirt !== 0) return
    if (this.entries.get(task.state.id) === task) this.unlink(task)
  }

  /** True when no fact about the task, or about a child of it, waits for a commit. */
  isQuiet(entry: Entry): boolean {
    const task = entry as Writable
    return task.uncommitted === 0 && task.dirt === 0
  }

  /** Says whether a task has to be brought back at the next start (`false`) or waits for something (`true`). */
  setParked(entry: Entry, parked: boolean): void {
    const task = entry as Writable
    if (task.parked === parked || isTerminal(task.state.status)) return
    task.parked = parked
    this.touch(task)
  }

  addReceipt(receipt: Receipt): void {
    this.open.receipts.push(receipt)
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
    if (!this.writing) return callback(undefined)
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
    if (!this.writing) this.write()
  }

  private write(): void {
    const batch = this.open
    if (batch.isEmpty && batch.after.length === 0) return
    this.open = new OpenBatch()
    if (batch.isEmpty) return finish(batch, undefined)
    const sealed = this.seal(batch)
    this.commit(batch, sealed, 0)
  }

  private seal(batch: OpenBatch): Batch {
    const created: Array<TaskRow> = []
    const changed: Array<TaskRow> = []
    for (const task of batch.dirty) {
      const row = {
        state: task.state,
        parked: task.parked,
        createdSeq: task.createdSeq,
        endedSeq: task.endedSeq,
        settledSeq: task.settledSeq
      }
      if (task.dirt === 2) created.push(row)
      else changed.push(row)
      task.dirt = 0
    }
    return {
      epoch: this.epoch,
      events: batch.events,
      created,
      changed,
      woken: batch.woken,
      timersSet: batch.timersSet,
      timersCleared: batch.timersCleared,
      receipts: batch.receipts,
      artifacts: batch.artifacts,
      cursors: batch.cursors
    }
  }

  private commit(batch: OpenBatch, sealed: Batch, tries: number): void {
    hitAll("before", sealed)
    this.writing = true
    this.run(this.store.commit(sealed)).addObserver((exit) => {
      if (Exit.isSuccess(exit)) return this.committed(batch, sealed)
      const error = toStoreError(exit.cause)
      if (error.isRetryable) return this.hold(batch, sealed, tries, error)
      this.stop(error, batch)
    })
  }

  private hold(batch: OpenBatch, sealed: Batch, tries: number, error: StoreError): void {
    this.held = error
    const delay = retryDelays[Math.min(tries, retryDelays.length - 1)]!
    this.run(Effect.sleep(delay)).addObserver(() => {
      if (this.stopped === undefined) this.commit(batch, sealed, tries + 1)
    })
  }

  private committed(batch: OpenBatch, sealed: Batch): void {
    hitAll("after", sealed)
    this.writing = false
    this.held = undefined
    this.written.commits++
    this.written.events += sealed.events.length
    for (const listener of this.listeners) listener(sealed.events)
    finish(batch, undefined)
    for (const task of batch.inbound) task.uncommitted--
    for (const task of batch.dirty) task.uncommitted--
    for (const task of batch.inbound) this.forget(task)
    for (const task of batch.dirty) this.forget(task)
    if (!this.open.isEmpty || this.open.after.length > 0) this.schedule()
  }

  /** Stops for good: every waiter hears why, nothing more is written. */
  stop(error: StoreError, failed?: OpenBatch): void {
    if (this.stopped !== undefined) return
    this.stopped = error
    this.writing = false
    const batches = failed === undefined ? [this.open] : [failed, this.open]
    this.open = new OpenBatch()
    for (const batch of batches) finish(batch, error)
  }

  /** Writes what is open now and waits for it: the last act of a graceful stop. */
  readonly drain: Effect.Effect<void> = Effect.suspend(() => Effect.ignore(this.barrier))
}

const wakes = (event: TaskEvent): boolean => event._tag === "InputReceived" || event._tag === "TimerFired"

const finish = (batch: OpenBatch, error: StoreError | undefined): void => {
  for (const callback of batch.after) callback(error)
}

const hitAll = (side: "before" | "after", batch: Batch): void => {
  if (!Failpoint.isArmed()) return
  Failpoint.hit(`commit.${side}`)
  for (const { event } of batch.events) Failpoint.hit(`${side}:${event._tag}`)
}

const toStoreError = (cause: Cause.Cause<StoreError>): StoreError =>
  Option.getOrElse(Cause.findErrorOption(cause), () =>
    new StoreError({ reason: "Other", message: "The store failed in an unexpected way", cause: Cause.squash(cause) }))

/** The log of this process over the store it owns. */
export const layer: Layer.Layer<TaskLog, never, TaskStore | Ownership> = Layer.effect(
  TaskLog,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const ownership = yield* Ownership
    const clock = yield* Clock.Clock
    const random = yield* Random.Random
    const run = Effect.runForkWith(yield* Effect.context<never>())
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
