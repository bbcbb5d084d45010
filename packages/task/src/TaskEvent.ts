/**
 * Facts about one task, as the log keeps them.
 *
 * Events are the truth; every table beside them is a projection. They are only ever added to: a field that comes later
 * is optional or has a default, so that old events replay to the same task.
 *
 * An event's place in the log is its envelope: `seq` orders all events of a store, `at` is the wall clock of the
 * decision in Unix milliseconds (order by `seq`, never by time).
 */
import * as Schema from "effect/Schema"
import { Amounts, Budget, softKey } from "./Budget.ts"
import { CancelReport } from "./CancelReport.ts"
import { Move } from "./Migration.ts"
import { ExactAction, Offer, Policy } from "./Policy.ts"
import { AttemptClass, FailureReason, ParentExit, Progress, Settlement, TaskId, TaskSpec } from "./Task.ts"

/**
 * How a recorded effect ended: the encoded value, or the encoded error. Defects are never recorded as a result.
 * `givenUpBy`: nobody knows whether the effect happened, and this person said so; `error` then says it in words.
 */
export const RecordedExit = Schema.TaggedUnion({
  Success: { value: Schema.Json },
  Failure: { error: Schema.Json, givenUpBy: Schema.optionalKey(Schema.String) }
})
export type RecordedExit = typeof RecordedExit.Type

/** The question a task puts to a person. `schema` is the JSON Schema of the form, as MCP elicitation has it. */
export const InputRequest = Schema.Struct({
  key: Schema.String,
  /** `form` and `url` are for a person; `sampling` and `roots` only the calling client can answer. */
  mode: Schema.Literals(["form", "url", "sampling", "roots"]),
  message: Schema.String,
  schema: Schema.NullOr(Schema.JsonObject),
  url: Schema.NullOr(Schema.String),
  /** When nobody's answer counts any more, Unix milliseconds. */
  deadline: Schema.NullOr(Schema.Finite),
  /** Who may answer, and what happens until then. */
  policy: Schema.optionalKey(Policy),
  /** The action that would be approved. */
  approval: Schema.optionalKey(ExactAction),
  /** What `sampling` asks the client's model, as MCP's `sampling/createMessage` has it. */
  params: Schema.optionalKey(Schema.JsonObject),
  /** The runtime itself asks, not the agent: whether an effect happened that nobody has seen end. */
  about: Schema.optionalKey(Schema.Literals(["outcome_unknown"]))
})
export type InputRequest = typeof InputRequest.Type

/**
 * How a question ended. `content` is there only for `accept`. `expired`: somebody had seen it, nobody answered in time.
 * `undelivered`: no door had shown it to anybody. What the policy says for silence is `by` "policy".
 */
export const InputResponse = Schema.Struct({
  action: Schema.Literals(["accept", "decline", "cancel", "expired", "undelivered"]),
  content: Schema.NullOr(Schema.Json),
  by: Schema.String,
  /** Everyone who accepted, when more than one had to. */
  voters: Schema.optionalKey(Schema.Array(Schema.String)),
  /** What was approved, and until when that holds. */
  approval: Schema.optionalKey(Schema.Struct({ digest: Schema.String, expires: Schema.NullOr(Schema.Finite) }))
})
export type InputResponse = typeof InputResponse.Type

/** How grave a log line is: the levels of RFC 5424, as MCP has them. */
export const LogLevel = Schema.Literals([
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency"
])
export type LogLevel = typeof LogLevel.Type

/** What a fork takes over beside results: a step's error, an answer, a pause that is over, how a child ended. */
export const ReusedAs = Schema.Literals(["failure", "answer", "pause", "ending"])
export type ReusedAs = typeof ReusedAs.Type

/** Every fact a task's log may hold. */
export const TaskEvent = Schema.TaggedUnion({
  /** The task exists. `attempt` is 1 when its first execution began with it, 0 when it was queued. */
  Created: {
    run: TaskId,
    parent: Schema.NullOr(TaskId),
    key: Schema.NullOr(Schema.String),
    agent: Schema.String,
    input: Schema.Json,
    attempt: Schema.Int,
    deadline: Schema.NullOr(Schema.Finite),
    spec: TaskSpec
  },
  /** An execution began; written before the handler runs. */
  Started: { attempt: Schema.Int },
  /**
   * An execution ended by a defect, or by its code's own wish to be tried again later; `delivered` is the last fact its
   * code had seen. The next one begins at `retryAt`, Unix milliseconds. No `class` stands for `retryable`.
   */
  AttemptFailed: {
    attempt: Schema.Int,
    message: Schema.String,
    delivered: Schema.Int,
    class: Schema.optionalKey(AttemptClass),
    retryAt: Schema.optionalKey(Schema.Finite)
  },
  Progressed: { progress: Progress },
  /** A line of the task's own log, for whoever follows it. */
  Logged: { level: LogLevel, logger: Schema.NullOr(Schema.String), data: Schema.Json },
  /**
   * The body of a step that must not run twice unseen is about to run. Without a record of the step it says that nobody
   * knows what became of it. `from`: the intent of the task this one retries, whose idempotency key it keeps.
   */
  StepIntended: {
    key: Schema.String,
    name: Schema.String,
    attempt: Schema.Int,
    from: Schema.optionalKey(TaskId)
  },
  /**
   * A step's body ended and its result is final. `startedAt` in Unix milliseconds. `compensable`: what it did is undone
   * when the saga around it fails. `compensates`: it has undone what the step under this key did.
   */
  StepRecorded: {
    key: Schema.String,
    name: Schema.String,
    exit: RecordedExit,
    startedAt: Schema.Finite,
    attempt: Schema.Int,
    compensable: Schema.optionalKey(Schema.Literal(true)),
    compensates: Schema.optionalKey(Schema.String)
  },
  /**
   * Written with `Created`: what the code gets when it first asks for this key, instead of running anything. A result of
   * the task this one retries; `from` is the task that made it. It is an answer, not a demand: nobody has to ask.
   */
  StepReused: {
    key: Schema.String,
    name: Schema.String,
    result: Schema.Json,
    from: TaskId,
    /** Of a fork: what `result` is when it is not the result of a step. */
    as: Schema.optionalKey(ReusedAs)
  },
  TimerSet: { key: Schema.String, due: Schema.Finite },
  TimerFired: { key: Schema.String },
  InputRequested: { request: InputRequest },
  InputReceived: { key: Schema.String, response: InputResponse },
  /** Nobody waits for the answer any more. */
  InputWithdrawn: { key: Schema.String },
  /** Everyone who may answer is to be told again; the question's `n`th reminder, from 1. */
  InputReminded: { key: Schema.String, n: Schema.Int },
  /** From now on these may answer, too. */
  InputEscalated: { key: Schema.String, to: Schema.Array(Schema.String), note: Schema.optionalKey(Schema.String) },
  /** One of several who have to accept has; a later vote of the same person replaces it. */
  InputVoted: { key: Schema.String, response: InputResponse },
  /** `by` gave the right to answer this question to `to`. */
  InputDelegated: { key: Schema.String, by: Schema.String, to: Schema.String },
  /** A door has shown the question to somebody, or could not. */
  InputOffered: { key: Schema.String, ...Offer.fields },
  Completed: { result: Schema.Json },
  /** `error` is the agent's declared error, encoded; `null` for every other reason. */
  Failed: {
    reason: FailureReason,
    message: Schema.String,
    error: Schema.NullOr(Schema.Json),
    /** What the task had last put down as its result so far, when a budget or a deadline stopped it. */
    partial: Schema.optionalKey(Schema.Json)
  },
  Cancelled: { by: Schema.String, reason: Schema.NullOr(Schema.String) },
  /**
   * The task came to rest after its cancellation or failure from outside. `took` in milliseconds. With `retryAt` (Unix
   * milliseconds) it is not the last word: its server is told again then, and another fact of this kind follows. The other
   * fields are those of `Rest`; `below` is what a server that is a Coppice tells of its part of the tree, left out when
   * that is as it was.
   */
  Settled: {
    how: Settlement,
    took: Schema.Finite,
    unwound: Schema.optionalKey(Schema.Boolean),
    cleanups: Schema.optionalKey(Schema.Int),
    server: Schema.optionalKey(Schema.String),
    tries: Schema.optionalKey(Schema.Int),
    retryAt: Schema.optionalKey(Schema.Finite),
    below: Schema.optionalKey(CancelReport)
  },
  /** The child outlives its parent, by the rule `onParentExit`; `to` has adopted it. Early logs do not say who. */
  Released: { rule: ParentExit, to: Schema.optionalKey(Schema.NullOr(TaskId)) },
  /** The task is responsible for a child of a task below it, whose parent has ended. */
  Adopted: { child: TaskId },
  /** Somebody told the running task something, or changed its limits; what is left out stays as it was. */
  Steered: {
    by: Schema.String,
    message: Schema.optionalKey(Schema.String),
    priority: Schema.optionalKey(Schema.Int),
    deadline: Schema.optionalKey(Schema.Finite),
    budget: Schema.optionalKey(Budget),
    /** Told by another Coppice, in whose log it has this place: what is told again is known by it. */
    nth: Schema.optionalKey(Schema.Int),
    /** For the Coppice that does the task's work: all below it is told the same. */
    subtree: Schema.optionalKey(Schema.Literal(true)),
    /** Why whoever does the task's work is not told. */
    undeliverable: Schema.optionalKey(Schema.String)
  },
  /**
   * Something was taken from the task's budget, on behalf of `id`: a child that has a budget of its own, or a piece of
   * work of a task in its tree. `kept` amounts are spent; the others come back in part when `id` is at rest.
   */
  Reserved: { id: Schema.String, amounts: Amounts, kept: Schema.optionalKey(Schema.Literal(true)) },
  /** The reservation is over: what is unused is free again, the rest is spent. */
  Refunded: { id: Schema.String, unused: Amounts },
  /** The task's result so far, for the case that a limit stops it. */
  Partial: { value: Schema.Json },
  /**
   * Newer code goes on with the task. `migrate`: what was recorded before is found under other keys, and perhaps with
   * another input. `restart`: what was recorded before counts no more; the next attempt begins at the beginning.
   */
  Upgraded: {
    choice: Schema.Literals(["migrate", "restart"]),
    version: Schema.String,
    code: Schema.optionalKey(Schema.String),
    moves: Schema.Array(Move),
    input: Schema.optionalKey(Schema.Json),
    /** Children under way whose keys are moved, too. */
    children: Schema.Array(TaskId)
  }
}).annotate({ identifier: "TaskEvent" })
export type TaskEvent = typeof TaskEvent.Type
export type TaskEventType = TaskEvent["_tag"]

/** An event in its place. */
export const Envelope = Schema.Struct({
  seq: Schema.Int,
  task: TaskId,
  run: TaskId,
  at: Schema.Finite,
  event: TaskEvent
}).annotate({ identifier: "Envelope" })
export type Envelope = typeof Envelope.Type

/** True for the facts a parked task's code may have to hear of. */
export const wakes = (event: TaskEvent): boolean =>
  event._tag === "InputReceived" && event.key !== softKey || event._tag === "TimerFired" ||
  event._tag === "Steered" && event.message !== undefined

/** True for the events that end a task. */
export const isEnding = (type: TaskEventType): boolean =>
  type === "Completed" || type === "Failed" || type === "Cancelled"
