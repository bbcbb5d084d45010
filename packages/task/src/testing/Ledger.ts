/**
 * A small writer for tests of stores: decides as the log does, keeps the rows it expects, and hands out batches when
 * asked to. It never waits, never notifies and never forgets.
 */
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { defaultRetention, type TaskId, type TaskSpec } from "../Task.ts"
import { type Envelope, isEnding, type TaskEvent } from "../TaskEvent.ts"
import { type Command, create, decide, evolve } from "../TaskMachine.ts"
import type { Batch, StoreHead, TaskRow } from "../TaskStore.ts"

/** What a test says of a new task; the rest is plausible. */
export interface NewTask {
  readonly parent?: TaskId | undefined
  readonly key?: string | undefined
  readonly agent?: string | undefined
  readonly input?: Json | undefined
  readonly attempt?: 0 | 1 | undefined
  readonly deadline?: number | undefined
  readonly spec?: Partial<TaskSpec> | undefined
}

/** A spec as a loopback client's root has it. */
export const plainSpec: TaskSpec = {
  version: "1",
  principal: "local",
  idempotencyKey: null,
  depth: 0,
  priority: 0,
  ttl: null,
  retention: defaultRetention,
  budget: null,
  onParentExit: "stop",
  retryOf: null,
  trace: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", parentSpanId: null },
  meta: null
}

/** What a batch may carry beside facts and rows. */
export type Extras = Partial<
  Pick<Batch, "woken" | "timersSet" | "timersCleared" | "receipts" | "artifacts" | "cursors" | "notes" | "decisions">
>

export class Ledger {
  /** Unix milliseconds of the next fact; every fact moves it on. */
  time = 1_800_000_000_000
  /** Every task as its facts say, also when the batch was never written. */
  readonly rows = new Map<TaskId, TaskRow>()
  /** Every fact in order. */
  readonly events: Array<Envelope> = []
  private epoch: number
  private seq: number
  private taken = 0
  private readonly created = new Set<TaskId>()
  private readonly changed = new Set<TaskId>()
  private extras: Array<Extras> = []

  constructor(head: StoreHead) {
    this.epoch = head.epoch
    this.seq = head.seq
  }

  /** Goes on writing to a store that was opened again. */
  follow(head: StoreHead): void {
    this.epoch = head.epoch
    this.seq = head.seq
  }

  row(id: TaskId): TaskRow {
    return this.rows.get(id)!
  }

  /** The facts of one task, in order. */
  history(id: TaskId): ReadonlyArray<Envelope> {
    return this.events.filter((envelope) => envelope.task === id)
  }

  create(task: NewTask = {}): TaskId {
    const id = String(this.seq + 1).padStart(20, "0") as TaskId
    const above = task.parent === undefined ? undefined : this.row(task.parent).state
    const event = create({
      run: above?.run ?? id,
      parent: above?.id ?? null,
      key: above === undefined ? null : task.key ?? `child:${id}`,
      agent: task.agent ?? "worker",
      input: task.input ?? null,
      attempt: task.attempt ?? 1,
      deadline: task.deadline ?? null,
      spec: { ...plainSpec, depth: above === undefined ? 0 : above.spec.depth + 1, ...task.spec }
    })
    const state = evolve(undefined, id, this.time, event)
    this.append(id, state.run, event)
    this.rows.set(id, { state, parked: false, createdSeq: this.seq, endedSeq: null, settledSeq: null })
    this.created.add(id)
    return id
  }

  /** Applies a command; false when it was refused. */
  apply(id: TaskId, command: Command): boolean {
    const decided = decide(this.row(id).state, command)
    if (Result.isFailure(decided)) return false
    for (const event of decided.success) this.record(id, event)
    return true
  }

  private record(id: TaskId, event: TaskEvent): void {
    const row = this.row(id)
    const state = evolve(row.state, id, this.time, event)
    this.append(id, state.run, event)
    const { seq } = this
    this.rows.set(id, {
      ...row,
      state,
      endedSeq: isEnding(event._tag) ? seq : row.endedSeq,
      settledSeq: row.settledSeq ?? (state.settlement === null ? null : seq)
    })
    this.touch(id)
  }

  private append(task: TaskId, run: TaskId, event: TaskEvent): void {
    this.events.push({ seq: ++this.seq, task, run, at: this.time++, event })
  }

  private touch(id: TaskId): void {
    if (!this.created.has(id)) this.changed.add(id)
  }

  /** Completes the task with a result that names it. */
  complete(id: TaskId): void {
    this.apply(id, { _tag: "Complete", attempt: this.row(id).state.attempt, result: { done: id } })
  }

  /** Opens a question under this key. */
  ask(id: TaskId, key: string): void {
    const request = { key, mode: "form", message: `${key}?`, schema: null, url: null, deadline: null } as const
    this.apply(id, { _tag: "RequestInput", attempt: this.row(id).state.attempt, request })
  }

  park(id: TaskId, parked: boolean): void {
    this.rows.set(id, { ...this.row(id), parked })
    this.touch(id)
  }

  /** Adds what is no fact to the next batch. */
  add(extras: Extras): void {
    this.extras.push(extras)
  }

  /** Everything since the last time, as one batch. */
  take(): Batch {
    const { extras } = this
    const batch: Batch = {
      epoch: this.epoch,
      events: this.events.slice(this.taken),
      created: [...this.created].map((id) => this.row(id)),
      changed: [...this.changed].map((id) => this.row(id)),
      woken: extras.flatMap(({ woken = [] }) => woken),
      timersSet: extras.flatMap(({ timersSet = [] }) => timersSet),
      timersCleared: extras.flatMap(({ timersCleared = [] }) => timersCleared),
      receipts: extras.flatMap(({ receipts = [] }) => receipts),
      artifacts: extras.flatMap(({ artifacts = [] }) => artifacts),
      cursors: new Map(extras.flatMap(({ cursors }) => [...cursors ?? []])),
      notes: extras.flatMap(({ notes = [] }) => notes),
      decisions: extras.flatMap(({ decisions = [] }) => decisions)
    }
    this.taken = this.events.length
    this.created.clear()
    this.changed.clear()
    this.extras = []
    return batch
  }

  /** Forgets what was written, for tests that write a great deal. */
  forget(): void {
    this.rows.clear()
    this.events.length = 0
    this.taken = 0
  }
}
