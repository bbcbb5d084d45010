/**
 * The last step of an execution: what its end means for the task.
 */
import * as Backoff from "@coppice/task/Backoff"
import { check } from "@coppice/task/Payload"
import type { FailureReason } from "@coppice/task/Task"
import type { Command } from "@coppice/task/TaskMachine"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Random from "effect/Random"
import type { Json } from "effect/Schema"
import {
  AmbiguousStep,
  BudgetExceeded,
  CallError,
  NotRecordable,
  OutgrownInput,
  ReplayMismatch
} from "../AgentError.ts"
import { NotRetryable, RateLimited } from "../Retry.ts"
import { DoesNotFit, isUndeclared } from "./codecs.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"

/** What the executor does afterwards. */
export interface Next {
  /** Nothing of the task runs any more. */
  readonly done: () => void
  /** The task deserves another attempt after `wait` milliseconds. */
  readonly again: (wait: number) => void
  /** The execution left memory while it waited for its children: whoever runs the task next will report. */
  readonly isGone: () => boolean
}

const longestMessage = 1_000

/** What went wrong, and whether the code still runs: it writes nothing any more. */
const messageOf = ({ end: { isAbandoned } }: Execution, error: unknown): string =>
  isAbandoned ? `${lineOf(error)}; it did not stop when it was told to, and was abandoned` : lineOf(error)

/** One line about what went wrong, without a stack. */
const lineOf = (error: unknown): string => {
  const isOwn = error instanceof NotRetryable || error instanceof RateLimited
  const text = error instanceof Error
    ? `${isOwn || error.name === "Error" ? "" : `${error.name}: `}${error.message}`
    : String(error)
  return text.split("\n")[0]!.slice(0, longestMessage)
}

/** So often a task may be sent away until later before that costs it attempts as well. */
const mostRateLimited = 100

/** How long who was sent away is kept beyond that time at most, so that not all come back at once. */
const mostSpread = 5_000

/** What a lost attempt means: for the next one, or that there is none. */
interface Loss {
  readonly class: "retryable" | "rate_limited" | "terminal" | "poison"
  readonly defect: unknown
}

/** The worst of what the code died of; a mere wish to come back later only if there was nothing else. */
const lossOf = ({ reasons }: Cause.Cause<unknown>): Loss => {
  const defects = reasons.filter(Cause.isDieReason).map(({ defect }) => defect)
  const final = defects.find((defect) => defect instanceof NotRetryable)
  if (final !== undefined) return { class: final.class, defect: final }
  const incurable = defects.find(isIncurable)
  if (incurable !== undefined) return { class: "terminal", defect: incurable }
  const other = defects.find((defect) => !(defect instanceof RateLimited))
  if (other !== undefined) return { class: "retryable", defect: other }
  return { class: "rate_limited", defect: defects[0] }
}

/** Attempts that count towards the agent's `attempts`, the one that was just lost included. */
const spent = ({ past: { losses } }: Execution, loss: Loss): number => {
  const rateLimited = losses.rateLimited + (loss.class === "rate_limited" ? 1 : 0)
  return losses.all + 1 - Math.min(rateLimited, mostRateLimited)
}

/** Milliseconds until the next attempt. */
const waitAfter = ({ past: { losses }, server: { host } }: Execution, { defect }: Loss): number => {
  const random = Context.get(host.outside, Random.Random).nextDoubleUnsafe()
  const backoff = Backoff.delay(Backoff.ofAttempts, losses.all + 1, random)
  if (!(defect instanceof RateLimited)) return backoff
  const { when } = defect
  const asked = "at" in when ? when.at - host.log.now() : when.wait
  return Math.max(asked + random * Math.min(asked / 10, mostSpread), backoff)
}

const failure = (execution: Execution, reason: FailureReason, message: string, error: Json): Command => ({
  _tag: "Fail",
  attempt: execution.attempt,
  reason,
  message,
  error
})

/** The command that ends the task, or `undefined` when it deserves another attempt. */
const verdict = (execution: Execution, exit: Exit.Exit<unknown, unknown>): Command | undefined => {
  if (Exit.isSuccess(exit)) {
    const result = exit.value as Json
    const tooLarge = check(`The output of "${execution.entry.state.agent}"`, result)
    if (tooLarge === undefined) return { _tag: "Complete", attempt: execution.attempt, result }
    return failure(execution, "defect", tooLarge.message, null)
  }
  const { cause } = exit
  if (Cause.hasDies(cause)) {
    const over = cause.reasons.find((reason) => Cause.isDieReason(reason) && isOverBudget(reason.defect))
    if (over !== undefined) return failure(execution, "budget", lineOf((over as Cause.Die).defect), null)
    const loss = lossOf(cause)
    if (loss.class === "poison") return failure(execution, "quarantined", lineOf(loss.defect), null)
    const isLast = loss.class === "terminal" || spent(execution, loss) >= execution.server.contract.attempts
    return isLast ? failure(execution, "defect", messageOf(execution, loss.defect), null) : undefined
  }
  const failed = cause.reasons.find(Cause.isFailReason)
  if (failed === undefined) return { _tag: "Cancel", by: "self", reason: "The handler interrupted itself" }
  const error = failed.error as Json
  const tooLarge = check(`The error of "${execution.entry.state.agent}"`, error)
  if (tooLarge !== undefined) return failure(execution, "defect", tooLarge.message, null)
  return failure(execution, "agent_error", describe(error).slice(0, longestMessage), error)
}

/** What another attempt would only meet again. */
const isIncurable = (defect: unknown): boolean =>
  isUndeclared(defect) || defect instanceof AmbiguousStep || defect instanceof NotRecordable ||
  defect instanceof DoesNotFit || defect instanceof OutgrownInput

/** A budget stopped the task, or one it waited for. */
const isOverBudget = (defect: unknown): boolean =>
  defect instanceof BudgetExceeded || defect instanceof CallError &&
    (defect.reason._tag === "Budget" || defect.reason._tag === "Failed" && defect.reason.reason === "budget")

const isMismatch = (defect: unknown): boolean => defect instanceof ReplayMismatch

/** Why the code no longer fits what the task has recorded; `undefined` when it does. */
export const misfitOf = (
  { entry, past, server }: Execution,
  exit: Exit.Exit<unknown, unknown>
): ReplayMismatch | OutgrownInput | undefined => {
  const defects = Exit.isFailure(exit) ? exit.cause.reasons.filter(Cause.isDieReason) : []
  for (const { defect } of defects) {
    if (defect instanceof ReplayMismatch) return defect
    const version = past.upgrade.version ?? entry.state.spec.version
    if (defect instanceof OutgrownInput && version !== server.contract.version) return defect
  }
  return undefined
}

const diedOf = (cause: Cause.Cause<unknown>, is: (defect: unknown) => boolean): boolean =>
  cause.reasons.some((reason) => Cause.isDieReason(reason) && is(reason.defect))

/** The code itself broke. */
export const isDefect = (exit: Exit.Exit<unknown, unknown>): exit is Exit.Failure<unknown, unknown> =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !diedOf(exit.cause, isNoDefect)

/** The code was changed under way, let an error of the runtime through, or said itself what is to be done. */
const isNoDefect = (defect: unknown): boolean =>
  isMismatch(defect) || isUndeclared(defect) || defect instanceof RateLimited || defect instanceof NotRetryable

const describe = (error: Json): string => {
  if (typeof error === "string") return error
  if (typeof error !== "object" || error === null || Array.isArray(error)) return JSON.stringify(error)
  const { _tag, message } = error as { readonly _tag?: Json; readonly message?: Json }
  if (typeof message === "string" && message !== "") return typeof _tag === "string" ? `${_tag}: ${message}` : message
  return typeof _tag === "string" ? _tag : JSON.stringify(error)
}

/** Records how the execution ended; children that still run are cancelled and settled first (I11). */
export const report = (host: Host, execution: Execution, exit: Exit.Exit<unknown, unknown>, next: Next): void => {
  const command = verdict(execution, exit)
  if (command === undefined && Exit.isFailure(exit)) {
    const loss = lossOf(exit.cause)
    const wait = Math.ceil(waitAfter(execution, loss))
    host.log.dispatch(execution.entry, {
      _tag: "FailAttempt",
      attempt: execution.attempt,
      message: messageOf(execution, loss.defect),
      delivered: execution.lastDelivered,
      ...loss.class === "rate_limited" ? { class: loss.class } : {},
      retryAt: host.log.now() + wait
    })
    return next.again(wait)
  }
  const done = (): void => {
    if (next.isGone()) return
    host.log.dispatch(execution.entry, command!)
    next.done()
  }
  const { entry, openChildren } = execution
  if (openChildren.size === 0 && entry.state.adopted === undefined) done()
  else host.settler.leave(entry, done)
}
