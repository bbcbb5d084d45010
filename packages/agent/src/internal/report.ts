/**
 * The last step of an execution: what its end means for the task.
 */
import { check } from "@coppice/task/Payload"
import type { FailureReason } from "@coppice/task/Task"
import type { Command } from "@coppice/task/TaskMachine"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import { AmbiguousStep, NotRecordable, ReplayMismatch } from "../AgentError.ts"
import { DoesNotFit, isUndeclared } from "./codecs.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"

/** What the executor does afterwards. */
export interface Next {
  /** Nothing of the task runs any more. */
  readonly done: () => void
  /** The task deserves another attempt after `delay`. */
  readonly again: (delay: Duration.Duration) => void
  /** The execution left memory while it waited for its children: whoever runs the task next will report. */
  readonly isGone: () => boolean
}

const longestMessage = 1_000

/** One line about a cause, without a stack. */
const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  const text = error instanceof Error
    ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}`
    : String(error)
  return text.split("\n")[0]!.slice(0, longestMessage)
}

const backoff = (failures: number): Duration.Duration => Duration.millis(Math.min(100 * 2 ** failures, 30_000))

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
  if (diedOf(cause, isMismatch)) return failure(execution, "replay_mismatch", messageOf(cause), null)
  if (Cause.hasDies(cause)) {
    const isLast = execution.failures + 1 >= execution.server.contract.attempts
    return isLast || diedOf(cause, isIncurable) ? failure(execution, "defect", messageOf(cause), null) : undefined
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
  defect instanceof DoesNotFit

const isMismatch = (defect: unknown): boolean => defect instanceof ReplayMismatch

const diedOf = (cause: Cause.Cause<unknown>, is: (defect: unknown) => boolean): boolean =>
  cause.reasons.some((reason) => Cause.isDieReason(reason) && is(reason.defect))

/** The code itself broke, as opposed to being changed under way or letting an error of the runtime through. */
export const isDefect = (exit: Exit.Exit<unknown, unknown>): exit is Exit.Failure<unknown, unknown> =>
  Exit.isFailure(exit) && Cause.hasDies(exit.cause) && !diedOf(exit.cause, isMismatch) &&
  !diedOf(exit.cause, isUndeclared)

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
    host.log.dispatch(execution.entry, {
      _tag: "FailAttempt",
      attempt: execution.attempt,
      message: messageOf(exit.cause),
      delivered: execution.lastDelivered
    })
    return next.again(backoff(execution.failures))
  }
  endChildren(host, execution, () => {
    if (next.isGone()) return
    host.log.dispatch(execution.entry, command!)
    next.done()
  })
}

/** Cancels the children that still run, or lets them go on where the call said so, and waits until they are at rest. */
const endChildren = (host: Host, execution: Execution, done: () => void): void => {
  if (execution.openChildren.size === 0) return done()
  for (const child of host.log.liveChildren(execution.id)) {
    const { onParentExit } = child.state.spec
    if (onParentExit === "stop") host.tasks.cancelNow(child, "parent", "The parent ended")
    else host.log.dispatch(child, { _tag: "Release", rule: onParentExit })
  }
  host.settler.whenChildrenSettled(execution.id, done)
}
