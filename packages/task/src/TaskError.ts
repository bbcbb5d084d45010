/**
 * Why a verb of `Tasks` was refused.
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import type { InvalidAnswer } from "./Form.ts"
import type { Refusal } from "./Lineage.ts"
import type { PayloadTooLarge } from "./Payload.ts"
import type { TaskId } from "./Task.ts"
import type { InputResponse } from "./TaskEvent.ts"
import type { Refused } from "./TaskMachine.ts"
import type { StoreError } from "./TaskStore.ts"
import type { AgentAway, InvalidInput, QueueFull, UnknownAgent } from "./Worker.ts"

/** There is no such task, or the caller may not know of it. */
export class TaskNotFound extends Data.TaggedError("TaskNotFound")<{ readonly id: string }> {
  override get message(): string {
    return `No task "${this.id}"`
  }
}

/** More than one task has an id with this beginning. */
export class AmbiguousId extends Data.TaggedError("AmbiguousId")<{
  readonly prefix: string
  readonly candidates: ReadonlyArray<TaskId>
}> {
  override get message(): string {
    return `"${this.prefix}" is the beginning of several task ids: ${this.candidates.join(", ")}`
  }
}

/** The idempotency key was used before, with another input. */
export class KeyReused extends Data.TaggedError("KeyReused")<{ readonly key: string; readonly task: TaskId }> {
  override get message(): string {
    return `Idempotency key "${this.key}" was used for task ${this.task} with another input; use a new key`
  }
}

/** The call would never end, or outgrows what a tree may be. `reason` says which. */
export class CallRefused extends Data.TaggedError("CallRefused")<{ readonly agent: string; readonly reason: Refusal }> {
  override get message(): string {
    return `Agent "${this.agent}" is not called: ${this.reason.detail}`
  }
}

/** The run cannot be removed because something of it still runs. */
export class StillRunning extends Data.TaggedError("StillRunning")<{ readonly run: TaskId }> {
  override get message(): string {
    return `Run ${this.run} has not ended; cancel it first`
  }
}

/** The work cannot fit into the time it has. Nothing was created. Times in milliseconds. */
export class DeadlineTooShort extends Data.TaggedError("DeadlineTooShort")<{
  readonly agent: string
  /** Time left until the deadline; 0 when it has passed. */
  readonly left: number
  /** What the agent takes at least. */
  readonly takes: number
}> {
  override get message(): string {
    const { agent, left, takes } = this
    return left === 0
      ? `The deadline of the call of "${agent}" has passed already`
      : `Agent "${agent}" takes at least ${takes} ms, and ${left} ms are left; give it a later deadline`
  }
}

/** The question was answered before, or ended without an answer. `at` in Unix milliseconds. */
export class AlreadyAnswered extends Data.TaggedError("AlreadyAnswered")<{
  readonly task: TaskId
  readonly key: string
  readonly by: string
  readonly at: number
  readonly action: InputResponse["action"]
}> {
  override get message(): string {
    const when = DateTime.formatIso(DateTime.makeUnsafe(this.at))
    switch (this.action) {
      case "expired":
      case "undelivered":
        return `The time to answer was over at ${when}`
      default:
        return `${this.by} answered first, at ${when} (${this.action})`
    }
  }
}

/** Whoever answers or delegates may not, or not any more. `may`: who may now. Nothing was written. */
export class NotEntitled extends Data.TaggedError("NotEntitled")<{
  readonly task: TaskId
  readonly key: string
  readonly by: string
  readonly may: ReadonlyArray<string>
}> {
  override get message(): string {
    const who = this.may.length === 0 ? "nobody but the service's owner may" : `${this.may.join(", ")} may`
    return `"${this.by}" may not answer this question; ${who}`
  }
}

/** The right to answer cannot be given to them. `may`: to whom it can. Nothing was written. */
export class InvalidDelegate extends Data.TaggedError("InvalidDelegate")<{
  readonly to: string
  readonly may: ReadonlyArray<string>
}> {
  override get message(): string {
    return this.may.length === 0
      ? `"${this.to}" cannot answer: the configuration has no people who may approve`
      : `"${this.to}" cannot answer: ${this.may.join(", ")} can`
  }
}

/** What a running task was to be told does not make sense. Nothing was written. */
export class InvalidSteering extends Data.TaggedError("InvalidSteering")<{
  readonly field: "message" | "deadline" | "priority" | "budget"
  readonly message: string
  readonly fix: string
}> {}

/** A fork that makes no sense for its task. Nothing was written. */
export class InvalidFork extends Data.TaggedError("InvalidFork")<{
  readonly field: "at" | "answer"
  readonly message: string
  readonly fix: string
}> {}

export type SubmitError =
  | UnknownAgent
  | AgentAway
  | InvalidInput
  | QueueFull
  | KeyReused
  | CallRefused
  | PayloadTooLarge
  | DeadlineTooShort
  | StoreError
export type SteerError = TaskNotFound | Refused | InvalidSteering | StoreError
export type RespondError = TaskNotFound | Refused | InvalidAnswer | AlreadyAnswered | NotEntitled | StoreError
export type DelegateError =
  | TaskNotFound
  | Refused
  | InvalidAnswer
  | AlreadyAnswered
  | NotEntitled
  | InvalidDelegate
  | StoreError
