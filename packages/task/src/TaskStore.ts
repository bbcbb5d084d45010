/**
 * The port to whatever keeps the log: facts, their projections, and the few queries the runtime asks.
 *
 * A store author implements this dumb contract; decisions, group commit, waiting and notification are in `TaskLog`.
 * One `commit` is one transaction: either every fact, row, timer and receipt of the batch is durable when it succeeds,
 * or none is. `TaskStoreContract` (testing) is the suite every store has to pass.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import type { AuditEntry, AuditQuery, Decision } from "./Audit.ts"
import type { Standing } from "./Policy.ts"
import type { TaskId, TaskStatus } from "./Task.ts"
import type { Envelope, InputRequest, RecordedExit, TaskEvent } from "./TaskEvent.ts"
import type { TaskState } from "./TaskMachine.ts"

/** Why the store could not do what it was asked. */
export type StoreErrorReason =
  | "Locked"
  | "Corrupt"
  | "NewerSchema"
  | "DiskFull"
  | "ReadOnly"
  | "Io"
  | "Busy"
  | "Fenced"
  | "Stopped"
  | "Other"

/**
 * The one error of a store. `isRetryable` means the same batch may be tried again and nothing was acknowledged: the
 * disk is full, the database is busy. Any other failure stops the store, because retrying would be pretending.
 */
export class StoreError extends Data.TaggedError("StoreError")<{
  readonly reason: StoreErrorReason
  readonly message: string
  readonly cause?: unknown
}> {
  get isRetryable(): boolean {
    return this.reason === "DiskFull" || this.reason === "Busy"
  }
}

/** A task's row: its state and where its first and last facts stand in the log. */
export interface TaskRow {
  readonly state: TaskState
  /** True while no fiber of it is needed: only an answer, a timer or a child can move it. */
  readonly parked: boolean
  readonly createdSeq: number
  readonly endedSeq: number | null
  readonly settledSeq: number | null
}

/** A timer that has not fired: `due` in Unix milliseconds. The key `deadline` is the task's own deadline. */
export interface Timer {
  readonly task: TaskId
  readonly key: string
  readonly due: number
}

/** The key of the timer of a settlement that is not the last word. */
export const settlementTimer = "settlement"

/** What makes a repeated `submit` return the first one's task. */
export interface Receipt {
  readonly principal: string
  readonly agent: string
  readonly key: string
  readonly task: TaskId
  /** Digest of the canonical input, so that the same key with another input is told apart. */
  readonly digest: string
}

/** A large value kept beside the log, named by its content. */
export interface Artifact {
  readonly digest: string
  readonly run: TaskId
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Something small a door has to remember across a restart, such as a session; `value: null` forgets it. Written at `at`,
 * it may be forgotten from `expires` on (both Unix milliseconds): writing a note forgets those whose time is over.
 */
export interface Note {
  readonly kind: string
  readonly key: string
  readonly value: string | null
  readonly at: number
  readonly expires: number | null
}

/** Everything one transaction writes. */
export interface Batch {
  /** The epoch the writer believes in; the store refuses the batch (`Fenced`) if another took over. */
  readonly epoch: number
  readonly events: ReadonlyArray<Envelope>
  readonly created: ReadonlyArray<TaskRow>
  readonly changed: ReadonlyArray<TaskRow>
  /** Parked tasks something happened to: `parked` becomes false. */
  readonly woken: ReadonlyArray<TaskId>
  /** Set before `timersCleared` are cleared. */
  readonly timersSet: ReadonlyArray<Timer>
  /** A `null` key stands for every timer of the task but that of its settlement, which its end may come with. */
  readonly timersCleared: ReadonlyArray<{ readonly task: TaskId; readonly key: string | null }>
  readonly receipts: ReadonlyArray<Receipt>
  readonly artifacts: ReadonlyArray<Artifact>
  readonly cursors: ReadonlyMap<string, number>
  readonly notes?: ReadonlyArray<Note> | undefined
  /** They get their places in the audit in this order. */
  readonly decisions?: ReadonlyArray<Decision> | undefined
}

/** What a parent's replay needs to know of one child. */
export interface ChildRecord {
  readonly id: TaskId
  readonly key: string
  readonly agent: string
  readonly status: TaskStatus
  readonly settledSeq: number | null
  readonly settledAt: number | null
  /** The fact that ended it, when it has ended. */
  readonly ending: TaskEvent | null
}

/** What a task's replay is made from: its own facts in order, and its children. */
export interface Journal {
  readonly events: ReadonlyArray<Envelope>
  readonly children: ReadonlyArray<ChildRecord>
}

/** A filter over tasks; newest first. `cursor` is the id to continue after; `limit` at most 1,000. */
export interface TaskQuery {
  readonly status?: ReadonlyArray<TaskStatus> | undefined
  readonly agent?: string | undefined
  readonly parent?: TaskId | undefined
  readonly principal?: string | undefined
  readonly rootsOnly?: boolean | undefined
  readonly createdAfter?: number | undefined
  readonly createdBefore?: number | undefined
  readonly cursor?: TaskId | undefined
  readonly limit: number
}

/** A filter over the log, oldest first, after `since`. */
export interface EventQuery {
  readonly run?: TaskId | undefined
  readonly task?: TaskId | undefined
  readonly since: number
  readonly limit: number
}

/** An open question and the task that asks. */
export interface OpenInput {
  readonly task: TaskId
  readonly run: TaskId
  readonly agent: string
  readonly since: number
  readonly request: InputRequest
  /** What became of it so far. */
  readonly standing: Standing
}

/** How many tasks of an agent were called by another one (`from` is `null` for roots), of those in one status. */
export interface CallCount {
  readonly from: string | null
  readonly to: string
  readonly status: TaskStatus
  readonly count: number
}

/** Where the log stands when a store is opened. */
export interface StoreHead {
  readonly seq: number
  readonly epoch: number
}

/** What a deletion of runs came to: how many tasks went, and the runs that were left alone. */
export interface Removed {
  readonly tasks: number
  /** Something in them has not come to rest. */
  readonly kept: ReadonlyArray<TaskId>
}

/** The store's operations; see the module's header for what `commit` promises. */
export class TaskStore extends Context.Service<TaskStore, {
  /** Takes ownership: raises the epoch and tells where the log ends. */
  readonly open: Effect.Effect<StoreHead, StoreError>
  readonly commit: (batch: Batch) => Effect.Effect<void, StoreError>
  readonly load: (id: TaskId) => Effect.Effect<TaskRow | undefined, StoreError>
  readonly journal: (id: TaskId) => Effect.Effect<Journal | undefined, StoreError>
  readonly input: (id: TaskId) => Effect.Effect<Json | undefined, StoreError>
  readonly ending: (id: TaskId) => Effect.Effect<TaskEvent | undefined, StoreError>
  /** The task and all below it, parents before children. */
  readonly subtree: (id: TaskId) => Effect.Effect<ReadonlyArray<TaskRow>, StoreError>
  readonly list: (query: TaskQuery) => Effect.Effect<ReadonlyArray<TaskRow>, StoreError>
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<Envelope>, StoreError>
  /** Who called whom, among the `newest` tasks. In no order. */
  readonly calls: (newest: number) => Effect.Effect<ReadonlyArray<CallCount>, StoreError>
  /** In the order of task and key. */
  readonly openInputs: (query: { readonly run?: TaskId | undefined; readonly limit: number }) => Effect.Effect<
    ReadonlyArray<OpenInput>,
    StoreError
  >
  /** Ids that begin with the prefix, at most `limit`: for people who type. */
  readonly findIds: (prefix: string, limit: number) => Effect.Effect<ReadonlyArray<TaskId>, StoreError>
  readonly receipt: (principal: string, agent: string, key: string) => Effect.Effect<Receipt | undefined, StoreError>
  /** Active, unparked tasks after `cursor`: what a start has to bring back. Oldest first. */
  readonly runnable: (cursor: TaskId | undefined, limit: number) => Effect.Effect<ReadonlyArray<TaskRow>, StoreError>
  /** Ended but not settled: a crash fell between a cancellation and its settlement. */
  readonly unsettled: (limit: number) => Effect.Effect<ReadonlyArray<TaskRow>, StoreError>
  readonly timersDue: (now: number, limit: number) => Effect.Effect<ReadonlyArray<Timer>, StoreError>
  readonly nextTimer: Effect.Effect<number | undefined, StoreError>
  /** Roots whose retention is over, soonest first. */
  readonly expired: (now: number, limit: number) => Effect.Effect<ReadonlyArray<TaskId>, StoreError>
  /**
   * Removes the runs in which everything has come to rest: their tasks, facts, receipts and the artifacts only they had.
   *
   * **Details**
   *
   * It goes in pieces of a few milliseconds, so that commits have their turn in between, and each run from the leaves up,
   * its root last: cut off by an error, an interruption or a crash, it is done by deleting the same runs again. A run that
   * is not there is none.
   *
   * **Gotchas**
   *
   * One task with all its facts goes in one piece, also a task of a hundred thousand steps.
   */
  readonly deleteRuns: (runs: ReadonlyArray<TaskId>) => Effect.Effect<Removed, StoreError>
  readonly artifact: (digest: string) => Effect.Effect<Artifact | undefined, StoreError>
  readonly cursor: (consumer: string) => Effect.Effect<number, StoreError>
  /** Newest first. */
  readonly audit: (query: AuditQuery) => Effect.Effect<ReadonlyArray<AuditEntry>, StoreError>
  /** Forgets the entries made before a time; returns how many went. The newest one stays, so that its chain goes on. */
  readonly forgetAudit: (before: number) => Effect.Effect<number, StoreError>
  readonly note: (kind: string, key: string) => Effect.Effect<string | undefined, StoreError>
  readonly counts: Effect.Effect<
    { readonly tasks: number; readonly active: number; readonly events: number },
    StoreError
  >
}>()("@coppice/task/TaskStore") {}

/** How a recorded exit reads back. */
export type { RecordedExit }
