/**
 * What may be wished of a task, and why a wish may be refused.
 */
import * as Data from "effect/Data"
import type { Json } from "effect/Schema"
import type { Amounts, Budget, Excess, Measure, Place } from "./Budget.ts"
import type { CancelReport } from "./CancelReport.ts"
import type { Offer } from "./Policy.ts"
import type {
  AttemptClass,
  FailureReason,
  ParentExit,
  Progress,
  Rest,
  Settlement,
  Task,
  TaskId,
  TaskSpec
} from "./Task.ts"
import type { InputRequest, InputResponse, LogLevel, RecordedExit, ReusedAs, TaskEvent } from "./TaskEvent.ts"

/** How newer code goes on with a task. */
export type Upgrade = Omit<TaskEvent & { readonly _tag: "Upgraded" }, "_tag">

/** What a running task may be told. */
export interface Steering {
  readonly by: string
  readonly message?: string
  readonly priority?: number
  readonly deadline?: number
  readonly budget?: Budget
  /** Its place in the log of the Coppice that tells it; told again it is nothing new. */
  readonly nth?: number
  readonly subtree?: true
  readonly undeliverable?: string
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
    readonly compensable?: true
    readonly compensates?: string
  }
  /** Only before the first attempt. */
  | {
    readonly _tag: "ReuseStep"
    readonly key: string
    readonly name: string
    readonly result: Json
    readonly from: TaskId
    readonly as?: ReusedAs
  }
  | { readonly _tag: "SetTimer"; readonly attempt: number; readonly key: string; readonly due: number }
  | { readonly _tag: "FireTimer"; readonly key: string }
  | { readonly _tag: "RequestInput"; readonly attempt: number; readonly request: InputRequest }
  | { readonly _tag: "Respond"; readonly key: string; readonly response: InputResponse }
  | { readonly _tag: "WithdrawInput"; readonly attempt: number; readonly key: string }
  /** Does what is due of the question by `now`: reminds, escalates, ends it. */
  | { readonly _tag: "TendInput"; readonly key: string; readonly now: number }
  | { readonly _tag: "Delegate"; readonly key: string; readonly by: string; readonly to: string }
  | { readonly _tag: "OfferInput"; readonly key: string; readonly offer: Offer }
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
  | { readonly _tag: "Upgrade"; readonly attempt: number; readonly upgrade: Upgrade }
  /** Takes something from the task's own budget for `id`; asked for again while it is open, it is the same. */
  | {
    readonly _tag: "Reserve"
    readonly id: string
    readonly amounts: Amounts
    /** Nothing of it will come back. */
    readonly kept?: true
    /** It happens anyway: the soft limit asks nobody, and no more is taken than there is. */
    readonly unasked?: true
    readonly place?: Place
  }
  /** Ends a reservation; one that is not open is left alone, so that nothing is given back twice. */
  | { readonly _tag: "Refund"; readonly id: string; readonly unused: Amounts }
  /** Asks a person whether to go on beyond the soft limit; once. */
  | { readonly _tag: "AskForMore"; readonly measure: Measure }
  | { readonly _tag: "PutPartial"; readonly attempt: number; readonly value: Json }

/** Why a command was refused. */
export type RefusalReason =
  | { readonly _tag: "AlreadyEnded"; readonly status: Task["status"] }
  | { readonly _tag: "NotEnded" }
  | { readonly _tag: "StaleAttempt"; readonly current: number }
  | { readonly _tag: "UnknownInput"; readonly key: string }
  | { readonly _tag: "DuplicateInput"; readonly key: string }
  | ({ readonly _tag: "OverBudget"; readonly isDeclined: boolean } & Excess)
  /** A person has to say whether more may be taken. */
  | { readonly _tag: "SoftLimit"; readonly measure: Measure }

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
    case "OverBudget":
      return reason.isDeclined
        ? `a person declined to go on with its budget of ${reason.dimension}`
        : `its budget has ${reason.left} ${reason.dimension} left, not ${reason.asked}`
    case "SoftLimit":
      return `a person has to say whether it may use more ${reason.measure}`
  }
}
