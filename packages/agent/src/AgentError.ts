/**
 * What can go wrong with work that was handed to someone else.
 */
import type { Dimension } from "@coppice/task/Budget"
import type { Refusal } from "@coppice/task/Lineage"
import type { FailureReason, TaskId } from "@coppice/task/Task"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"

/**
 * Why a call gave no result.
 *
 * - `Failed`: the agent's task failed in a way it did not declare: a defect, a passed deadline, a replay that no longer
 *   fits.
 * - `Cancelled`: somebody else cancelled it.
 * - `Unknown`: no agent of that name.
 * - `Refused`: it was never created: the input does not fit, or the payload is too large.
 * - `Cycle`: it was never created: the same agent is under way above with the same input, here or at a Coppice that called.
 * - `TooDeep`, `TooManyCalls`: it was never created: the tree or the task outgrows its limit.
 * - `Budget`: it was never created: a budget above does not allow it; `exceeded` says which and what to do.
 * - `Malformed`: the answer does not fit the contract's schema.
 */
export type CallErrorReason =
  | {
    readonly _tag: "Failed"
    readonly task: TaskId
    readonly reason: FailureReason
    readonly detail: string
    /** What it had put down as its result so far (`Durable.partial`), when a budget or a deadline stopped it. */
    readonly partial?: Json
  }
  | { readonly _tag: "Cancelled"; readonly task: TaskId; readonly detail: string }
  | { readonly _tag: "Unknown"; readonly detail: string }
  | { readonly _tag: "Refused"; readonly detail: string }
  | { readonly _tag: "Budget"; readonly exceeded: BudgetExceeded; readonly detail: string }
  | { readonly _tag: "Malformed"; readonly task: TaskId; readonly detail: string }
  | Refusal

/**
 * A budget of the tree does not allow it. `owner` is the task whose budget it is; amounts are in the budget's units.
 * Unhandled, it fails the task with the reason `budget`.
 */
export class BudgetExceeded extends Data.TaggedError("BudgetExceeded")<{
  readonly dimension: Dimension
  readonly asked: number
  readonly left: number
  readonly owner: TaskId
  /** A person was asked at the soft limit, and declined. */
  readonly isDeclined: boolean
}> {
  /** What can be done about it. */
  get fix(): string {
    return this.isDeclined
      ? `a person declined to go on; they can still change it: coppice steer ${this.owner} --budget ...`
      : `ask for less, handle BudgetExceeded, or have the budget raised: coppice steer ${this.owner} --budget ...`
  }

  override get message(): string {
    const { asked, dimension, left, owner } = this
    return `The budget of task ${owner} has ${left} ${dimension} left, not ${asked}: ${this.fix}`
  }
}

/** A call to another agent that gave no result. The agent's declared errors come as themselves, not as this. */
export class CallError extends Data.TaggedError("CallError")<{
  readonly agent: string
  readonly reason: CallErrorReason
}> {
  override get message(): string {
    return `Agent "${this.agent}" gave no result: ${this.reason.detail}`
  }
}

/**
 * `Step.run` without an input was used twice under one name, so a replay could not tell the two apart.
 *
 * A typed defect: code that recovers from failures, such as `Effect.retry`, does not take it for one and go on; code that
 * wants to see it has `Effect.catchDefect`.
 */
export class AmbiguousStep extends Data.TaggedError("AmbiguousStep")<{ readonly step: string }> {
  override get message(): string {
    return `Step "${this.step}" runs more than once in this task, under one key; give each use an input of its own, ` +
      `Step.run("${this.step}", input, body), or another name as its key`
  }
}

/**
 * Nobody knows whether the effect of a step happened: the process died, or the body broke, before it was recorded, and the
 * person who was asked could not tell either.
 */
export class OutcomeUnknown extends Data.TaggedError("OutcomeUnknown")<{
  readonly step: string
  /** Who gave it up. */
  readonly by: string
}> {
  override get message(): string {
    return `Nobody knows whether step "${this.step}" happened; ${this.by} gave it up. Look where its effect would show, ` +
      "then retry the task: the step keeps its idempotency key, and is looked into first"
  }
}

/** A value that cannot be recorded because it is not JSON. Give the step a schema. */
export class NotRecordable extends Data.TaggedError("NotRecordable")<{
  readonly step: string
  readonly detail: string
}> {
  override get message(): string {
    return `The result of step "${this.step}" cannot be recorded: ${this.detail}; give the step a schema or return JSON`
  }
}

/** The code no longer asks for what the log recorded: it changed while the task was under way. */
export class ReplayMismatch extends Data.TaggedError("ReplayMismatch")<{
  readonly task: TaskId
  readonly agent: string
  /** What had been recorded and asked for last. */
  readonly after: string | undefined
  /** The recorded step, call, timer or question nobody asked for. */
  readonly recorded: string
  /** What the code waits for instead. */
  readonly waiting: ReadonlyArray<string>
}> {
  override get message(): string {
    const instead = this.waiting.length === 0 ? "nothing recorded" : this.waiting.join(", ")
    return `The code of "${this.agent}" no longer fits the log of task ${this.task}: ` +
      `the log has ${this.recorded} next, the code waits for ${instead}`
  }
}

/**
 * The input a task was given under an older contract does not fit the one its agent has now.
 * @internal
 */
export class OutgrownInput extends Data.TaggedError("OutgrownInput")<{
  readonly agent: string
  readonly detail: string
}> {
  override get message(): string {
    return `The recorded input of "${this.agent}" does not fit: ${this.detail}`
  }
}

/** @internal */
export const isOutgrown = (exit: Exit.Exit<unknown, unknown> | undefined): boolean =>
  exit !== undefined && Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof OutgrownInput

/**
 * Nobody accepted. Four endings that are not the same: somebody said no (`decline`), somebody dismissed the question
 * (`cancel`), it was seen and not answered in time (`expired`), or no door had shown it to anybody (`undelivered`).
 */
export class NotAccepted extends Data.TaggedError("NotAccepted")<{
  readonly action: "decline" | "cancel" | "expired" | "undelivered"
  /** Who; `policy` when nobody did. */
  readonly by: string
}> {
  override get message(): string {
    switch (this.action) {
      case "expired":
        return "Nobody answered in time"
      case "undelivered":
        return "The question reached nobody in time"
      default:
        return `${this.by} answered "${this.action}"`
    }
  }
}
