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
import {
  atMost,
  emptyPool,
  excess,
  isNothing,
  left,
  limited,
  type Measure,
  refunded,
  reserved,
  softKey,
  softly,
  softQuestion,
  used
} from "./Budget.ts"
import * as asking from "./internal/asking.ts"
import { wholeMillis } from "./internal/millis.ts"
import type { Standing } from "./Policy.ts"
import { isFinal, isTerminal, type Rest, type Task, type TaskId, type TaskSpec } from "./Task.ts"
import { type Command, type Creation, type RefusalReason, Refused, type Steering } from "./TaskCommand.ts"
import type { InputRequest, TaskEvent } from "./TaskEvent.ts"

export { type Command, type Creation, type RefusalReason, Refused, type Steering, type Upgrade } from "./TaskCommand.ts"

/**
 * A task and what decisions about it need: its open questions, what of its `spec` was changed under way, and its result
 * so far.
 */
export interface TaskState extends Task {
  readonly inputs: ReadonlyArray<InputRequest>
  /** What became of those of them about which there is something to say. */
  readonly standings?: ReadonlyArray<Standing> | undefined
  readonly partial?: Json | undefined
  readonly steered?: Pick<TaskSpec, "priority" | "budget"> | undefined
  /** How far it has heard the Coppice that called it. */
  readonly heard?: number | undefined
  /** How many steps its sagas have done and not undone; left out while there are none. */
  readonly undoable?: number | undefined
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
 * An ended task accepts only `Refund` and `Settle`, and after an open settlement another one; a command of an execution is
 * refused once another attempt has begun, so that an abandoned fiber can write nothing.
 */
export const decide = (state: TaskState, command: Command): Result.Result<ReadonlyArray<TaskEvent>, Refused> => {
  const refuse = (reason: RefusalReason) => Result.fail(new Refused({ task: state.id, command: command._tag, reason }))
  if (command._tag === "Settle") {
    if (!isTerminal(state.status)) return refuse({ _tag: "NotEnded" })
    return isFinal(state) ? Result.succeed([]) : one({ ...command, _tag: "Settled" })
  }
  // what children of an ended task give back counts, until it has come to rest itself
  if (command._tag === "Refund" && state.settlement === null) return Result.succeed(refund(state, command))
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
        ? one({ ...command, _tag: "StepReused" })
        : refuse({ _tag: "StaleAttempt", current: state.attempt })
    case "RequestInput":
      return isOpen(state, command.request.key)
        ? refuse({ _tag: "DuplicateInput", key: command.request.key })
        : one({ _tag: "InputRequested", request: command.request })
    case "Respond":
    case "WithdrawInput":
    case "TendInput":
    case "Delegate":
    case "OfferInput": {
      const request = asking.openInput(state, command.key)
      return request === undefined
        ? refuse({ _tag: "UnknownInput", key: command.key })
        : Result.succeed(asking.follow(request, asking.standingOf(state, command.key), command))
    }
    case "Reserve": {
      const refusal = overdraft(state, command)
      return refusal === undefined ? Result.succeed(reserve(state, command)) : refuse(refusal)
    }
    case "Refund":
      return refuse({ _tag: "AlreadyEnded", status: state.status })
    case "AskForMore":
      return Result.succeed(askForMore(state, command.measure))
    case "Fail":
      return one(failed(state, command))
    case "Steer":
      return isHeard(state, command) ? Result.succeed([]) : one(steeredBy(command.steering))
    default:
      return one(toEvent(command))
  }
}

/**
 * Why the task's budget does not allow what is asked for. This is the only place where that is decided: nothing is taken
 * from a pool but by `Reserve`.
 */
const overdraft = (state: TaskState, { amounts, id, place, unasked }: Of<"Reserve">): RefusalReason | undefined => {
  const { pool = emptyPool, spec: { budget } } = state
  if (unasked === true || budget === null || pool.open[id] !== undefined) return undefined
  const over = excess(budget, pool, amounts, place)
  if (over !== undefined) return { _tag: "OverBudget", isDeclined: false, ...over }
  const measure = softly(budget, pool, amounts)
  if (measure === undefined) return undefined
  if (pool.soft !== "declined") return { _tag: "SoftLimit", measure }
  return { _tag: "OverBudget", isDeclined: true, dimension: measure, asked: amounts[measure]!, left: 0 }
}

/** Only what the budget limits is counted. */
const reserve = (
  { pool = emptyPool, spec: { budget } }: TaskState,
  command: Of<"Reserve">
): ReadonlyArray<TaskEvent> => {
  const { id, kept, unasked } = command
  const wanted = budget === null ? {} : limited(command.amounts, budget)
  const amounts = unasked === true && budget !== null ? atMost(wanted, left(budget, pool)) : wanted
  if (isNothing(amounts) || pool.open[id] !== undefined) return []
  return [{ _tag: "Reserved", id, amounts, ...kept === undefined ? {} : { kept } }]
}

/** Never more than was reserved. */
const refund = ({ pool = emptyPool }: TaskState, { id, unused }: Of<"Refund">): ReadonlyArray<TaskEvent> => {
  const held = pool.open[id]
  return held === undefined ? [] : [{ _tag: "Refunded", id, unused: atMost(unused, held) }]
}

const askForMore = (state: TaskState, measure: Measure): ReadonlyArray<TaskEvent> => {
  const { pool = emptyPool, spec: { budget } } = state
  const limit = budget?.[measure] ?? null
  if (limit === null || isOpen(state, softKey)) return []
  const request: InputRequest = {
    key: softKey,
    mode: "form",
    message: softQuestion(measure, used(pool)[measure] ?? 0, limit),
    schema: { type: "object", properties: {} },
    url: null,
    deadline: null
  }
  return [{ _tag: "InputRequested", request }]
}

/** A limit stops a task with what it had got so far. */
const failed = ({ partial }: TaskState, { error, message, reason }: Of<"Fail">): TaskEvent => ({
  _tag: "Failed",
  reason,
  message,
  error,
  ...partial !== undefined && (reason === "budget" || reason === "deadline") ? { partial } : {}
})

/** A Coppice tells again what it got no answer to. */
const isHeard = ({ heard = -1 }: TaskState, { steering: { nth } }: Of<"Steer">): boolean =>
  nth !== undefined && nth <= heard

type Of<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

type Considered =
  | "Start"
  | "ReuseStep"
  | "RequestInput"
  | "Respond"
  | "WithdrawInput"
  | "TendInput"
  | "Delegate"
  | "OfferInput"
  | "Settle"
  | "Reserve"
  | "Refund"
  | "AskForMore"
  | "Fail"
  | "Steer"
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
        attempt: command.attempt,
        ...command.compensable === undefined ? {} : { compensable: command.compensable },
        ...command.compensates === undefined ? {} : { compensates: command.compensates }
      }
    case "SetTimer":
      return { _tag: "TimerSet", key: command.key, due: wholeMillis(command.due) }
    case "FireTimer":
      return { _tag: "TimerFired", key: command.key }
    case "Complete":
      return { _tag: "Completed", result: command.result }
    case "Cancel":
      return { _tag: "Cancelled", by: command.by, reason: command.reason }
    case "Release":
      return { _tag: "Released", rule: command.rule, to: command.to ?? null }
    case "Adopt":
      return { _tag: "Adopted", child: command.child }
    case "PutPartial":
      return { _tag: "Partial", value: command.value }
    case "Upgrade":
      return { _tag: "Upgraded", ...command.upgrade }
  }
}

const steeredBy = (steering: Steering): TaskEvent => {
  const { deadline } = steering
  return { _tag: "Steered", ...steering, ...deadline === undefined ? {} : { deadline: wholeMillis(deadline) } }
}

const isOpen = (state: TaskState, key: string): boolean => asking.openInput(state, key) !== undefined

/** Failures that end a task from inside its own execution leave nothing running; the others are settled later. */
const settlesItself = (event: TaskEvent): boolean =>
  event._tag === "Completed" ||
  (event._tag === "Failed" && (event.reason === "agent_error" || event.reason === "defect" ||
    event.reason === "replay_mismatch" || event.reason === "budget"))

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
  if (event._tag === "Refunded") {
    assert(state.settlement === null, () => `task ${id}: Refunded after it came to rest`)
    assert(state.pool?.open[event.id] !== undefined, () => `task ${id}: nothing is reserved for ${event.id}`)
    return { ...state, pool: refunded(state.pool!, event.id, event.unused), updatedAt: at }
  }
  assert(!isTerminal(state.status), () => `task ${id}: ${event._tag} after ${state.status}`)
  return evolveActive(state, at, event)
}

type Active = Exclude<TaskEvent, { readonly _tag: "Created" | "Settled" | "Refunded" }>

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
      assertAttempt(state, event)
      return touched(state, at)
    case "StepRecorded":
      assertAttempt(state, event)
      return touched(undoableAfter(state, event), at)
    case "StepReused":
      assert(state.attempt === 0, () => `task ${state.id}: StepReused after it began`)
      return touched(state, at)
    case "Logged":
    case "TimerSet":
    case "TimerFired":
    case "Upgraded":
      return touched(state, at)
    case "Released":
      return event.to === undefined ? touched(state, at) : { ...state, guardian: event.to, updatedAt: at }
    case "Adopted":
      return { ...state, adopted: (state.adopted ?? 0) + 1, updatedAt: at }
    case "InputRequested":
      assert(!isOpen(state, event.request.key), () => `task ${state.id}: "${event.request.key}" was asked twice`)
      return asking.stood(
        withInputs(state, at, [...state.inputs, event.request]),
        event.request.key,
        asking.begun(event.request, at)
      )
    case "InputReminded":
    case "InputEscalated":
    case "InputVoted":
    case "InputDelegated":
    case "InputOffered":
      assert(isOpen(state, event.key), () => `task ${state.id}: no open question "${event.key}"`)
      return asking.moved({ ...state, updatedAt: at }, at, event)
    case "InputReceived":
    case "InputWithdrawn":
      assert(isOpen(state, event.key), () => `task ${state.id}: no open question "${event.key}"`)
      return answered(state, at, event)
    case "Reserved": {
      const pool = reserved(state.pool ?? emptyPool, event.id, event.amounts, event.kept === true)
      return { ...state, pool, updatedAt: at }
    }
    case "Partial":
      return { ...state, partial: event.value, updatedAt: at }
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

/** What a person says to the soft limit holds until the budget is changed. */
const answered = (
  state: TaskState,
  at: number,
  event: TaskEvent & { readonly _tag: "InputReceived" | "InputWithdrawn" }
): TaskState => {
  const others = withInputs(state, at, state.inputs.filter((request) => request.key !== event.key))
  const rest = asking.stood(others, event.key, undefined)
  if (event.key !== softKey || event._tag === "InputWithdrawn") return rest
  const soft = event.response.action === "accept" ? "accepted" : "declined"
  return { ...rest, pool: { ...state.pool ?? emptyPool, soft } }
}

const steered = (before: TaskState, at: number, event: TaskEvent & { readonly _tag: "Steered" }): TaskState => {
  const state = event.nth === undefined ? before : { ...before, heard: event.nth }
  const deadline = event.deadline ?? state.deadline
  const { budget, priority } = event
  if (budget === undefined && priority === undefined && deadline === state.deadline) return { ...state, updatedAt: at }
  const changed = {
    priority: priority ?? state.spec.priority,
    budget: budget ?? state.spec.budget
  }
  const next = { ...state, deadline, spec: { ...state.spec, ...changed }, steered: changed, updatedAt: at }
  if (budget === undefined || state.pool?.soft === undefined) return next
  const { soft: _, ...pool } = state.pool
  return { ...next, pool }
}

const assertAttempt = (state: TaskState, event: { readonly _tag: string; readonly attempt: number }): void =>
  assert(event.attempt === state.attempt, () => `task ${state.id}: ${event._tag} of attempt ${event.attempt}`)

/** How far `updatedAt` may lie behind facts that change nothing else, milliseconds: a step need not rewrite its task. */
const touchInterval = 1_000

/** What is left to undo by the task's sagas. */
const undoableAfter = (
  state: TaskState,
  { compensable, compensates, exit }: TaskEvent & { readonly _tag: "StepRecorded" }
): TaskState => {
  if (exit._tag === "Failure" || (compensable ?? compensates) === undefined) return state
  const { undoable = 0, ...rest } = state
  const left = compensable === true ? undoable + 1 : Math.max(0, undoable - 1)
  return left === 0 ? rest : { ...rest, undoable: left }
}

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
  ...withoutLive(state),
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

/** Its end has the partial result, if that was by a limit; nobody is asked any more. */
const withoutLive = (state: TaskState): TaskState => {
  if (state.partial === undefined && state.standings === undefined) return state
  const { partial: _, standings: __, ...rest } = state
  return rest
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
