/**
 * What may happen to a task: pure decisions and their consequences.
 *
 * ```text
 *            Created
 *               │
 *               ▼      RequestInput            Complete · Fail · Cancel
 *           working ◄────────────► input_required ─────────┐
 *               │       Respond                            ▼
 *               └───────────────────────────► completed | failed | cancelled ──► settled
 * ```
 *
 * `decide` turns a wish into facts or refuses it; `evolve` folds a fact into the state and asserts what must hold. Both
 * are pure: time, ids and attempts are arguments. Everything that waits, writes or runs lives elsewhere.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import type { CancelReport } from "./CancelReport.ts"
import { wholeMillis } from "./internal/millis.ts"
import {
  type AttemptClass,
  type Budget,
  type FailureReason,
  isFinal,
  isTerminal,
  type ParentExit,
  type Progress,
  type Rest,
  type Settlement,
  type Task,
  type TaskId,
  type TaskSpec
} from "./Task.ts"
import type { InputRequest, InputResponse, LogLevel, RecordedExit, TaskEvent } from "./TaskEvent.ts"

/** A task and what decisions about it need: its open questions, and what of its `spec` was changed under way. */
export interface TaskState extends Task {
  readonly inputs: ReadonlyArray<InputRequest>
  readonly steered?: Pick<TaskSpec, "priority" | "budget"> | undefined
}

/** What a running task may be told. */
export interface Steering {
  readonly by: string
  readonly message?: string
  readonly priority?: number
  readonly deadline?: number
  readonly budget?: Budget
}

/** What the facts of a new task are made from. */
export interface Creation {
  readonly run: TaskId
  readonly parent: TaskId | null
  readonly key: string | null
  readonly agent: string
  readonly input: Json
  readonly attempt: 0 | 1
  readonly deadline: number | null
  readonly spec: TaskSpec
}

/** How a task came to rest, beside the word for it. */
interface Settling extends Omit<Rest, "at" | "below"> {
  readonly below?: CancelReport
}

/** A wish about an existing task. Those with an `attempt` come from the execution of that number. */
export type Command =
  | { readonly _tag: "Start"; readonly attempt: number }
  | {
    readonly _tag: "FailAttempt"
    readonly attempt: number
    readonly message: string
    readonly delivered: number
    readonly class?: AttemptClass
    /** When the next one may begin. */
    readonly retryAt?: number
  }
  | { readonly _tag: "Progress"; readonly attempt: number; readonly progress: Progress }
  | {
    readonly _tag: "Log"
    readonly attempt: number
    readonly level: LogLevel
    readonly logger: string | null
    readonly data: Json
  }
  /** `from`: an intent of another task, only before the first attempt. */
  | {
    readonly _tag: "IntendStep"
    readonly attempt: number
    readonly key: string
    readonly name: string
    readonly from?: TaskId
  }
  | {
    readonly _tag: "RecordStep"
    readonly attempt: number
    readonly key: string
    readonly name: string
    readonly exit: RecordedExit
    readonly startedAt: number
  }
  /** Only before the first attempt. */
  | {
    readonly _tag: "ReuseStep"
    readonly key: string
    readonly name: string
    readonly result: Json
    readonly from: TaskId
  }
  | { readonly _tag: "SetTimer"; readonly attempt: number; readonly key: string; readonly due: number }
  | { readonly _tag: "FireTimer"; readonly key: string }
  | { readonly _tag: "RequestInput"; readonly attempt: number; readonly request: InputRequest }
  | { readonly _tag: "Respond"; readonly key: string; readonly response: InputResponse }
  | { readonly _tag: "WithdrawInput"; readonly attempt: number; readonly key: string }
  | { readonly _tag: "Complete"; readonly attempt: number; readonly result: Json }
  | {
    readonly _tag: "Fail"
    /** `null` when the failure comes from outside the execution: a deadline, a supervisor. */
    readonly attempt: number | null
    readonly reason: FailureReason
    readonly message: string
    readonly error: Json
  }
  | { readonly _tag: "Cancel"; readonly by: string; readonly reason: string | null }
  | ({ readonly _tag: "Settle"; readonly how: Settlement; readonly took: number } & Settling)
  | { readonly _tag: "Release"; readonly rule: ParentExit; readonly to?: TaskId | null }
  | { readonly _tag: "Adopt"; readonly child: TaskId }
  | { readonly _tag: "Steer"; readonly steering: Steering }

/** Why a command was refused. */
export type RefusalReason =
  | { readonly _tag: "AlreadyEnded"; readonly status: Task["status"] }
  | { readonly _tag: "NotEnded" }
  | { readonly _tag: "StaleAttempt"; readonly current: number }
  | { readonly _tag: "UnknownInput"; readonly key: string }
  | { readonly _tag: "DuplicateInput"; readonly key: string }

/** A command the task's state does not allow. Nothing was written. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly task: TaskId
  readonly command: Command["_tag"]
  readonly reason: RefusalReason
}> {
  override get message(): string {
    return `${this.command} refused for task ${this.task}: ${describe(this.reason)}`
  }
}

const describe = (reason: RefusalReason): string => {
  switch (reason._tag) {
    case "AlreadyEnded":
      return `it is already ${reason.status}`
    case "NotEnded":
      return "it has not ended yet"
    case "StaleAttempt":
      return `another execution took over (attempt ${reason.current})`
    case "UnknownInput":
      return `it has no open question "${reason.key}"`
    case "DuplicateInput":
      return `it already has an open question "${reason.key}"`
  }
}

/** A log that contradicts itself. Always a bug or damage, never a user's mistake. */
export class InvariantViolation extends Data.TaggedError("InvariantViolation")<{ readonly message: string }> {}

const assert = (condition: boolean, message: () => string): void => {
  if (!condition) throw new InvariantViolation({ message: message() })
}

/** The first fact of a task. */
export const create = (creation: Creation): TaskEvent & { readonly _tag: "Created" } => ({
  _tag: "Created",
  ...creation,
  deadline: creation.deadline === null ? null : wholeMillis(creation.deadline)
})

const one = (event: TaskEvent): Result.Result<ReadonlyArray<TaskEvent>, Refused> => Result.succeed([event])

/**
 * The facts that follow from a command, or why it is refused.
 *
 * An ended task accepts only `Settle`, and after an open settlement another one; a command of an execution is refused once another attempt has begun, so that an
 * abandoned fiber can write nothing.
 */
export const decide = (state: TaskState, command: Command): Result.Result<ReadonlyArray<TaskEvent>, Refused> => {
  const refuse = (reason: RefusalReason) => Result.fail(new Refused({ task: state.id, command: command._tag, reason }))
  if (command._tag === "Settle") {
    if (!isTerminal(state.status)) return refuse({ _tag: "NotEnded" })
    return isFinal(state) ? Result.succeed([]) : one({ ...command, _tag: "Settled" })
  }
  if (isTerminal(state.status)) return refuse({ _tag: "AlreadyEnded", status: state.status })
  if (command._tag !== "Start" && "attempt" in command && command.attempt !== null) {
    if (command.attempt !== state.attempt) return refuse({ _tag: "StaleAttempt", current: state.attempt })
  }
  switch (command._tag) {
    case "Start":
      return command.attempt === state.attempt + 1
        ? one({ _tag: "Started", attempt: command.attempt })
        : refuse({ _tag: "StaleAttempt", current: state.attempt })
    case "ReuseStep":
      return state.attempt === 0
        ? one({ _tag: "StepReused", key: command.key, name: command.name, result: command.result, from: command.from })
        : refuse({ _tag: "StaleAttempt", current: state.attempt })
    case "RequestInput":
      return isOpen(state, command.request.key)
        ? refuse({ _tag: "DuplicateInput", key: command.request.key })
        : one({ _tag: "InputRequested", request: command.request })
    case "Respond":
      return isOpen(state, command.key)
        ? one({ _tag: "InputReceived", key: command.key, response: command.response })
        : refuse({ _tag: "UnknownInput", key: command.key })
    case "WithdrawInput":
      return isOpen(state, command.key)
        ? one({ _tag: "InputWithdrawn", key: command.key })
        : refuse({ _tag: "UnknownInput", key: command.key })
    default:
      return one(toEvent(command))
  }
}

type Considered = "Start" | "ReuseStep" | "RequestInput" | "Respond" | "WithdrawInput" | "Settle"
type Direct = Exclude<Command, { readonly _tag: Considered }>

const toEvent = (command: Direct): TaskEvent => {
  switch (command._tag) {
    case "FailAttempt":
      return {
        _tag: "AttemptFailed",
        attempt: command.attempt,
        message: command.message,
        delivered: command.delivered,
        ...command.class === undefined ? {} : { class: command.class },
        ...command.retryAt === undefined ? {} : { retryAt: wholeMillis(command.retryAt) }
      }
    case "Progress":
      return { _tag: "Progressed", progress: command.progress }
    case "Log":
      return { _tag: "Logged", level: command.level, logger: command.logger, data: command.data }
    case "IntendStep":
      return {
        _tag: "StepIntended",
        key: command.key,
        name: command.name,
        attempt: command.attempt,
        ...command.from === undefined ? {} : { from: command.from }
      }
    case "RecordStep":
      return {
        _tag: "StepRecorded",
        key: command.key,
        name: command.name,
        exit: command.exit,
        startedAt: command.startedAt,
        attempt: command.attempt
      }
    case "SetTimer":
      return { _tag: "TimerSet", key: command.key, due: wholeMillis(command.due) }
    case "FireTimer":
      return { _tag: "TimerFired", key: command.key }
    case "Complete":
      return { _tag: "Completed", result: command.result }
    case "Fail":
      return { _tag: "Failed", reason: command.reason, message: command.message, error: command.error }
    case "Cancel":
      return { _tag: "Cancelled", by: command.by, reason: command.reason }
    case "Release":
      return { _tag: "Released", rule: command.rule, to: command.to ?? null }
    case "Adopt":
      return { _tag: "Adopted", child: command.child }
    case "Steer":
      return steeredBy(command.steering)
  }
}

const steeredBy = (steering: Steering): TaskEvent => {
  const { deadline } = steering
  return { _tag: "Steered", ...steering, ...deadline === undefined ? {} : { deadline: wholeMillis(deadline) } }
}

const isOpen = (state: TaskState, key: string): boolean => state.inputs.some((request) => request.key === key)

/** Failures that end a task from inside its own execution leave nothing running; the others are settled later. */
const settlesItself = (event: TaskEvent): boolean =>
  event._tag === "Completed" ||
  (event._tag === "Failed" && (event.reason === "agent_error" || event.reason === "defect" ||
    event.reason === "replay_mismatch"))

/** The state before the first fact. */
const born = (id: TaskId, at: number, event: TaskEvent & { readonly _tag: "Created" }): TaskState => ({
  id,
  run: event.run,
  parent: event.parent,
  key: event.key,
  agent: event.agent,
  status: "working",
  statusMessage: null,
  reason: null,
  attempt: event.attempt,
  progress: null,
  createdAt: at,
  updatedAt: at,
  endedAt: null,
  deadline: event.deadline,
  settlement: null,
  settledAt: null,
  spec: event.spec,
  inputs: []
})

/**
 * Folds one fact into the state. `undefined` is the state before `Created`.
 *
 * Throws `InvariantViolation` when the fact contradicts the state: a second `Created`, a fact after the end, an attempt
 * that goes backwards, a question asked twice, an answer to a question nobody asked.
 */
export const evolve = (state: TaskState | undefined, id: TaskId, at: number, event: TaskEvent): TaskState => {
  if (event._tag === "Created") {
    assert(state === undefined, () => `task ${id} was created twice`)
    assert((event.parent === null) === (event.run === id), () => `task ${id}: only a root has no parent`)
    return born(id, at, event)
  }
  if (state === undefined) throw new InvariantViolation({ message: `task ${id}: ${event._tag} before Created` })
  if (event._tag === "Settled") {
    assert(isTerminal(state.status), () => `task ${id} settled before its end`)
    assert(!isFinal(state), () => `task ${id} settled twice`)
    return settled(state, at, event)
  }
  assert(!isTerminal(state.status), () => `task ${id}: ${event._tag} after ${state.status}`)
  return evolveActive(state, at, event)
}

type Active = Exclude<TaskEvent, { readonly _tag: "Created" | "Settled" }>

const evolveActive = (state: TaskState, at: number, event: Active): TaskState => {
  switch (event._tag) {
    case "Started":
      assert(event.attempt === state.attempt + 1, () => `task ${state.id}: attempt ${event.attempt} out of order`)
      return { ...state, attempt: event.attempt, updatedAt: at }
    case "AttemptFailed":
      assertAttempt(state, event)
      return { ...state, statusMessage: event.message, updatedAt: at }
    case "Progressed":
      return {
        ...state,
        progress: event.progress,
        statusMessage: event.progress.message ?? state.statusMessage,
        updatedAt: at
      }
    case "StepIntended":
    case "StepRecorded":
      assertAttempt(state, event)
      return touched(state, at)
    case "StepReused":
      assert(state.attempt === 0, () => `task ${state.id}: StepReused after it began`)
      return touched(state, at)
    case "Logged":
    case "TimerSet":
    case "TimerFired":
      return touched(state, at)
    case "Released":
      return event.to === undefined ? touched(state, at) : { ...state, guardian: event.to, updatedAt: at }
    case "Adopted":
      return { ...state, adopted: (state.adopted ?? 0) + 1, updatedAt: at }
    case "InputRequested":
      assert(!isOpen(state, event.request.key), () => `task ${state.id}: "${event.request.key}" was asked twice`)
      return withInputs(state, at, [...state.inputs, event.request])
    case "InputReceived":
    case "InputWithdrawn":
      assert(isOpen(state, event.key), () => `task ${state.id}: no open question "${event.key}"`)
      return withInputs(state, at, state.inputs.filter((request) => request.key !== event.key))
    case "Completed":
      return ended(state, at, event, "completed")
    case "Failed":
      return { ...ended(state, at, event, "failed"), reason: event.reason, statusMessage: event.message }
    case "Cancelled":
      return { ...ended(state, at, event, "cancelled"), statusMessage: event.reason ?? `Cancelled by ${event.by}` }
    case "Steered":
      return steered(state, at, event)
  }
}

const steered = (state: TaskState, at: number, event: TaskEvent & { readonly _tag: "Steered" }): TaskState => {
  const deadline = event.deadline ?? state.deadline
  const { budget, priority } = event
  if (budget === undefined && priority === undefined && deadline === state.deadline) return { ...state, updatedAt: at }
  const changed = {
    priority: priority ?? state.spec.priority,
    budget: budget ?? state.spec.budget
  }
  return { ...state, deadline, spec: { ...state.spec, ...changed }, steered: changed, updatedAt: at }
}

const assertAttempt = (state: TaskState, event: { readonly _tag: string; readonly attempt: number }): void =>
  assert(event.attempt === state.attempt, () => `task ${state.id}: ${event._tag} of attempt ${event.attempt}`)

/** How far `updatedAt` may lie behind facts that change nothing else, milliseconds: a step need not rewrite its task. */
const touchInterval = 1_000

const touched = (state: TaskState, at: number): TaskState =>
  at - state.updatedAt < touchInterval ? state : { ...state, updatedAt: at }

const withInputs = (state: TaskState, at: number, inputs: ReadonlyArray<InputRequest>): TaskState => ({
  ...state,
  inputs,
  status: inputs.length > 0 ? "input_required" : "working",
  statusMessage: inputs.at(-1)?.message ?? null,
  updatedAt: at
})

const ended = (state: TaskState, at: number, event: TaskEvent, status: Task["status"]): TaskState => ({
  ...state,
  status,
  inputs: [],
  endedAt: at,
  updatedAt: at,
  statusMessage: null,
  settlement: settlesItself(event) ? "finished_before" : null,
  settledAt: settlesItself(event) ? at : null
})

/** The first word stays the moment of its settlement: what was told of it must not move. */
const settled = (state: TaskState, at: number, event: TaskEvent & { readonly _tag: "Settled" }): TaskState => {
  const isFirst = state.settlement === null
  const rest = restOf(state, event, isFirst ? undefined : at)
  const after = { ...state, settlement: event.how, settledAt: isFirst ? at : state.settledAt, updatedAt: at }
  return rest === undefined ? after : { ...after, rest }
}

const restOf = (
  { rest }: TaskState,
  { below, cleanups, retryAt, server, tries, unwound }: TaskEvent & { readonly _tag: "Settled" },
  at: number | undefined
): Rest | undefined => {
  const count = below === undefined ? rest?.below : below.nodes.length
  const told = Object.entries({ unwound, cleanups, server, tries, retryAt, at, below: count })
    .filter(([, value]) => value !== undefined)
  return told.length === 0 ? undefined : Object.fromEntries(told)
}

/** The state after a whole history; `undefined` for an empty one. */
export const replay = (
  id: TaskId,
  history: Iterable<{ readonly at: number; readonly event: TaskEvent }>
): TaskState | undefined => {
  let state: TaskState | undefined
  for (const { at, event } of history) state = evolve(state, id, at, event)
  return state
}
