/**
 * The one front door: every path (CLI, console, HTTP, MCP, another agent) ends in these verbs.
 *
 * Verbs that write succeed only when what they did is durable. Reads see committed facts only.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { AuditCheck, AuditEntry, AuditQuery, Decision } from "./Audit.ts"
import type { CancelPreview } from "./CancelPreview.ts"
import type { CancelReport } from "./CancelReport.ts"
import { CodeVersion } from "./CodeVersion.ts"
import * as answering from "./internal/answering.ts"
import * as cancellation from "./internal/cancellation.ts"
import { digest } from "./internal/digest.ts"
import * as elsewhere from "./internal/elsewhere.ts"
import * as reading from "./internal/reading.ts"
import * as steering from "./internal/steering.ts"
import * as submission from "./internal/submission.ts"
import { type Ancestry, CallLimits } from "./Lineage.ts"
import type { Elsewhere } from "./LiveTree.ts"
import { People } from "./People.ts"
import type { Offer } from "./Policy.ts"
import type { NotGranted } from "./Pools.ts"
import { RootBudget } from "./RootBudget.ts"
import { Settler } from "./Settler.ts"
import type { Budget, ParentExit, Task, TaskId } from "./Task.ts"
import {
  type AmbiguousId,
  type DeadlineTooShort,
  type DelegateError,
  type InvalidFork,
  type RespondError,
  type SteerError,
  StillRunning,
  type SubmitError,
  TaskNotFound
} from "./TaskError.ts"
import type { Envelope, InputResponse, TaskEvent } from "./TaskEvent.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"
import type { Refused } from "./TaskMachine.ts"
import {
  type Artifact,
  type CallCount,
  type EventQuery,
  type OpenInput,
  type StoreError,
  type TaskQuery,
  TaskStore
} from "./TaskStore.ts"
import type { Told } from "./Told.ts"
import { type Worker, Workers } from "./Worker.ts"

export {
  AlreadyAnswered,
  AmbiguousId,
  CallRefused,
  DeadlineTooShort,
  type DelegateError,
  InvalidDelegate,
  InvalidFork,
  InvalidSteering,
  KeyReused,
  NotEntitled,
  type RespondError,
  type SteerError,
  StillRunning,
  type SubmitError,
  TaskNotFound
} from "./TaskError.ts"

/** A request for work. Times in Unix milliseconds, durations in milliseconds. */
export interface Submit {
  readonly agent: string
  readonly input: Json
  readonly principal?: string | undefined
  /** With it, a repeated submit of the same input returns the first one's task; it lives as long as that task. */
  readonly idempotencyKey?: string | undefined
  readonly deadline?: number | undefined
  readonly ttl?: number | undefined
  readonly retention?: number | undefined
  readonly priority?: number | undefined
  readonly budget?: Budget | undefined
  readonly retryOf?: TaskId | undefined
  /** Who is above, when another Coppice calls for a task of its own. */
  readonly ancestry?: Ancestry | undefined
  readonly forkOf?: { readonly task: TaskId; readonly at: string } | undefined
  readonly trace?: { readonly traceId: string; readonly parentSpanId: string } | undefined
  readonly meta?: JsonObject | undefined
  /**
   * The call with this idempotency key has been given up, by whom. A task it made is returned as it is; a new one is ended
   * in the commit that makes it, and never runs.
   */
  readonly givenUpBy?: string | undefined
}

/** What a parent's call adds: who calls, under which key. */
export interface SubmitChild {
  readonly parent: Entry
  readonly key: string
  readonly input: Json
  readonly worker: Worker
  readonly deadline: number | null
  readonly onParentExit: ParentExit
  /** Reserved from the budgets above before the child exists. */
  readonly budget?: Budget | undefined
  /** The how-manieth call of its parent this is, from 1. */
  readonly fanOut?: number | undefined
}

/** Which part of the log to follow: one task, one run, or all; after the sequence number `since`. */
export interface Watch {
  readonly run?: TaskId | undefined
  readonly task?: TaskId | undefined
  readonly since: number
}

/** A wish to end a task and everything below it. */
export interface CancelRequest {
  readonly id: TaskId
  readonly by: string
  readonly reason?: string | undefined
}

/** Which question of a task is meant; the only open one when `key` is left out. */
interface QuestionOf {
  readonly id: TaskId
  readonly key?: string | undefined
}

/** An answer to a task's open question. */
export interface Answer extends QuestionOf {
  readonly response: InputResponse
  /** It comes from the service's owner, whatever name is recorded. */
  readonly isOwner?: boolean | undefined
}

/** A wish to give the right to answer a question to somebody else. */
export interface Delegation extends QuestionOf {
  readonly by: string
  readonly to: string
  readonly isOwner?: boolean | undefined
}

/**
 * What a running task is told, and which of its limits change; what is left out stays. Times in Unix milliseconds.
 * `subtree`: everything below it that runs is told the same.
 */
export interface Steer {
  readonly id: TaskId
  readonly by: string
  /** Read by the task's code with `Steering.next`. */
  readonly message?: string | undefined
  /** Higher is given a place first. Children made from now on inherit it. */
  readonly priority?: number | undefined
  /** Never later than that of the task above. What is below and would end later ends then, too. */
  readonly deadline?: number | undefined
  /** Of a whole run only. */
  readonly budget?: Budget | undefined
  readonly subtree?: boolean | undefined
  /** Of another Coppice that calls for the task: the place in its log, by which what it tells again is known. */
  readonly nth?: number | undefined
}

/** The task that was steered, and what became of that for it and each task below it that was told. */
export interface Steered extends Task {
  readonly told: ReadonlyArray<Told>
}

/** A new run from a part of a recorded one. */
export interface Fork {
  readonly id: TaskId
  readonly by: string
  /**
   * Key or name of a step, call, pause or question, or a place in the log: what the code was told before that is told to
   * the fork. [the question that is answered]
   */
  readonly at?: string | undefined
  /** [the recorded one] */
  readonly input?: Json | undefined
  /** Another answer to a question of the recorded run. */
  readonly answer?: { readonly key: string; readonly content: Json } | undefined
}

/** How a task ended. */
export interface Outcome {
  readonly task: Task
  readonly ending: TaskEvent
}

export class Tasks extends Context.Service<Tasks, {
  readonly submit: (request: Submit) => Effect.Effect<Task, SubmitError>
  /**
   * Creates a child now and starts it. Not durable when this returns: the caller's barrier is the child's own first
   * visible effect, or its end. Only for workers of this process. Refused, with nothing written, when a budget above
   * does not allow it or its time is too short.
   */
  readonly submitChild: (request: SubmitChild) => Result.Result<Entry, NotGranted | DeadlineTooShort>
  readonly get: (id: TaskId) => Effect.Effect<Task, TaskNotFound | StoreError>
  /** Finds a task by its id or by an unambiguous beginning of it. */
  readonly resolve: (prefix: string) => Effect.Effect<TaskId, TaskNotFound | AmbiguousId | StoreError>
  readonly list: (query: TaskQuery) => Effect.Effect<ReadonlyArray<Task>, StoreError>
  readonly tree: (id: TaskId) => Effect.Effect<ReadonlyArray<Task>, TaskNotFound | StoreError>
  /**
   * The parts of the tree that run on other Coppices, as they tell them now: each is asked, and waited for so many
   * milliseconds at most. One that does not answer is named.
   */
  readonly elsewhere: (id: TaskId, wait: number) => Effect.Effect<Elsewhere, StoreError>
  readonly input: (id: TaskId) => Effect.Effect<Json, TaskNotFound | StoreError>
  /** Waits for the end. The waiter is woken by the commit, never by a poll. */
  readonly result: (id: TaskId) => Effect.Effect<Outcome, TaskNotFound | StoreError>
  readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<Envelope>, StoreError>
  /** The log after `since`, then what is added to it, without gap or repetition. Never ends by itself. */
  readonly watch: (query: Watch) => Stream.Stream<Envelope, StoreError>
  readonly inbox: (query: {
    readonly run?: TaskId | undefined
    readonly limit?: number | undefined
  }) => Effect.Effect<ReadonlyArray<OpenInput>, StoreError>
  /**
   * Answers a task's open question. The first valid answer wins; whoever comes later is told who was faster. Whether `by`
   * may answer is looked up now, among the people of this configuration; without people everybody may.
   */
  readonly respond: (answer: Answer) => Effect.Effect<Task, RespondError>
  /** Whoever may answer a question gives that right to another person, who then may. */
  readonly delegate: (request: Delegation) => Effect.Effect<Task, DelegateError>
  /**
   * Records that a door has shown an open question to somebody, or could not. The same again is no new fact; of a
   * question that is not open any more nothing is recorded.
   */
  readonly offered: (request: {
    readonly id: TaskId
    readonly key: string
    readonly offer: Offer
  }) => Effect.Effect<void, StoreError>
  /** Tells a running task something, or changes its limits. An ended task is refused. */
  readonly steer: (request: Steer) => Effect.Effect<Steered, SteerError>
  /**
   * Sets the task and all that ends with it to `cancelled` in one commit. An ended task is refused. Children whose calls
   * said `onParentExit` go on; nothing beside or above the task is touched.
   */
  readonly cancel: (request: CancelRequest) => Effect.Effect<CancelReport, TaskNotFound | Refused | StoreError>
  /** The same from within the process, without waiting for the commit. */
  readonly cancelNow: (entry: Entry, by: string, reason: string | null) => void
  /** How everything came to rest that ended with the task, also on other servers, as far as it is known now. */
  readonly cancelReport: (id: TaskId) => Effect.Effect<CancelReport, TaskNotFound | StoreError>
  /** What `cancel` would do now. Changes nothing. */
  readonly cancelPreview: (id: TaskId) => Effect.Effect<CancelPreview, TaskNotFound | StoreError>
  /**
   * Waits until nothing that ended with the task may still run. A server that cannot be reached is not waited for: such a
   * task is at rest as `unreachable`, until a later word.
   */
  readonly cancelSettled: (id: TaskId) => Effect.Effect<void, TaskNotFound | StoreError>
  /** Fails a task whose deadline has passed and cancels what is below it. */
  readonly expire: (id: TaskId) => Effect.Effect<void, StoreError>
  /**
   * Submits the task's input again as a new task that knows which one it retries.
   *
   * **Details**
   *
   * What the steps and calls of the retried task had returned, the new one is told instead of doing it again, unless
   * `fresh`. What had failed, had not ended or is asked for under another key, is done.
   */
  readonly retry: (id: TaskId, options?: {
    readonly principal?: string | undefined
    readonly fresh?: boolean | undefined
  }) => Effect.Effect<Task, SubmitError | TaskNotFound>
  /**
   * Starts a new run of the task's agent that is told what the task was told before a point, instead of doing it again;
   * what comes at and after that point is done anew, with another input or answer if one is given.
   */
  readonly fork: (request: Fork) => Effect.Effect<Task, SubmitError | TaskNotFound | InvalidFork>
  /** Removes an ended run. Returns how many tasks went. `by` is who decided it, for the audit. */
  readonly delete: (run: TaskId, by?: string) => Effect.Effect<number, TaskNotFound | StillRunning | StoreError>
  /** Who called whom, among the `newest` tasks. */
  readonly calls: (newest: number) => Effect.Effect<ReadonlyArray<CallCount>, StoreError>
  /** Who decided what, newest first; it outlives the runs. */
  readonly audit: (query: AuditQuery) => Effect.Effect<ReadonlyArray<AuditEntry>, StoreError>
  /** Reads the whole audit, oldest first, and tells where it does not follow from itself. */
  readonly auditCheck: Effect.Effect<AuditCheck, StoreError>
  /** Notes a decision that no fact tells of; durable soon, not yet when this returns. */
  readonly note: (decision: Omit<Decision, "at">) => void
  readonly putArtifact: (artifact: Omit<Artifact, "digest">) => Effect.Effect<string, StoreError>
  readonly artifact: (digest: string) => Effect.Effect<Artifact | undefined, StoreError>
}>()("@coppice/task/Tasks") {}

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
}

const remover = ({ log, store }: Services): Tasks["Service"]["delete"] =>
  Effect.fn("Tasks.delete")(function*(run, by) {
    const rows = yield* store.subtree(run)
    if (rows[0]?.state.parent !== null) return yield* new TaskNotFound({ id: run })
    if (rows.some((row) => row.state.settlement === null)) return yield* new StillRunning({ run })
    if (by !== undefined) {
      log.audit({ kind: "deleted", by, task: run, run, agent: rows[0].state.agent, detail: { tasks: rows.length } })
      yield* log.barrier
    }
    const { tasks } = yield* store.deleteRuns([run])
    return tasks
  })

const keeper = ({ log }: Services): Tasks["Service"]["putArtifact"] =>
  Effect.fn("Tasks.putArtifact")(function*(artifact) {
    if (log.trouble !== undefined) return yield* log.trouble
    const name = digest(artifact.bytes)
    log.addArtifact({ ...artifact, digest: name })
    yield* log.barrier
    return name
  })

export const layer: Layer.Layer<Tasks, never, TaskStore | TaskLog | Workers | Settler> = Layer.effect(
  Tasks,
  Effect.gen(function*() {
    const services = {
      store: yield* TaskStore,
      log: yield* TaskLog,
      workers: yield* Workers,
      settler: yield* Settler,
      code: yield* CodeVersion,
      budget: yield* RootBudget,
      limits: yield* CallLimits,
      people: yield* People
    }
    return {
      ...yield* reading.make(services),
      ...submission.make(services),
      ...cancellation.make(services),
      ...steering.make(services),
      ...elsewhere.make(services),
      ...answering.make(services),
      delete: remover(services),
      note: (decision) => services.log.audit(decision),
      putArtifact: keeper(services)
    }
  })
)
