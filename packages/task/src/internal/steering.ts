/**
 * Telling running work something, and changing its limits: a task, or all of its tree.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { problemOf } from "../Budget.ts"
import { check } from "../Payload.ts"
import type { Settler } from "../Settler.ts"
import { isTerminal } from "../Task.ts"
import { InvalidSteering, TaskNotFound } from "../TaskError.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import type { Refused, Steering } from "../TaskMachine.ts"
import type { Steer, Tasks } from "../Tasks.ts"
import type { TaskStore } from "../TaskStore.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly settler: Settler["Service"]
}

const invalid = (field: InvalidSteering["field"], message: string, fix: string) =>
  Result.fail(new InvalidSteering({ field, message, fix }))

const steeringOf = ({ budget, by, deadline, message, priority }: Steer): Steering => ({
  by,
  ...message === undefined ? {} : { message },
  ...priority === undefined ? {} : { priority },
  ...deadline === undefined ? {} : { deadline },
  ...budget === undefined ? {} : { budget }
})

/** What is wrong with it whatever the task is. */
const checked = ({ budget, deadline, message, priority }: Steer): Result.Result<void, InvalidSteering> => {
  if (message === undefined && priority === undefined && deadline === undefined && budget === undefined) {
    return invalid("message", "There is nothing to tell the task", "give a message, a priority, a deadline or a budget")
  }
  if (message === "") return invalid("message", "message: must not be empty", "say something, or leave it out")
  const tooLarge = check("The message", message ?? null)
  if (tooLarge !== undefined) return invalid("message", tooLarge.message, "send less")
  if (priority !== undefined && !Number.isSafeInteger(priority)) {
    return invalid("priority", "priority: has to be a whole number", "higher goes first; 0 is usual")
  }
  return Result.succeed(undefined)
}

/** What is wrong with it for this task: its limits lie within those of the task above. */
const fitting = (
  { budget, deadline }: Steer,
  entry: Entry,
  above: { readonly deadline: number | null } | undefined,
  now: number
): Result.Result<void, InvalidSteering> => {
  if (budget !== undefined && entry.state.parent !== null) {
    return invalid("budget", "budget: only that of a whole run can be changed", `steer ${entry.state.run} instead`)
  }
  if (budget !== undefined && entry.state.spec.budget === null) {
    return invalid(
      "budget",
      "budget: the run was started without one, so nothing of it was counted",
      "start it with one"
    )
  }
  const problem = budget === undefined ? undefined : problemOf(budget)
  if (problem !== undefined) {
    return invalid("budget", `budget.${problem.path}: ${problem.message}`, "whole numbers; null for no limit")
  }
  if (deadline === undefined) return Result.succeed(undefined)
  if (deadline <= now) return invalid("deadline", "deadline: lies in the past", "cancel the task instead")
  const limit = above?.deadline ?? Infinity
  if (deadline <= limit) return Result.succeed(undefined)
  return invalid(
    "deadline",
    `deadline: the task above has to end by ${DateTime.formatIso(DateTime.makeUnsafe(limit))}`,
    `give an earlier one, or steer ${entry.state.parent} first`
  )
}

/** What it means for a task below: it is told the same, or only what it cannot be without. */
const below = ({ state }: Entry, steering: Steering, all: boolean): Steering | undefined => {
  const { budget: _, deadline, ...rest } = steering
  if (all) return { ...rest, ...deadline === undefined ? {} : { deadline } }
  const outlives = deadline !== undefined && (state.deadline ?? Infinity) > deadline
  return outlives ? { by: steering.by, deadline } : undefined
}

type Decided = Result.Result<Entry["state"], Refused | InvalidSteering>

/** Tells the task, and what is below it. Nothing is written when it is refused. */
const tell = (
  log: TaskLog["Service"],
  request: Steer,
  above: { readonly deadline: number | null } | undefined
) =>
(entry: Entry, nodes: ReadonlyArray<Entry>): Decided => {
  const fits = isTerminal(entry.state.status) ? Result.succeed(undefined) : fitting(request, entry, above, log.now())
  if (Result.isFailure(fits)) return Result.fail(fits.failure)
  const steering = steeringOf(request)
  const decided = log.dispatch(entry, { _tag: "Steer", steering })
  if (Result.isFailure(decided)) return Result.fail(decided.failure)
  for (const node of nodes) {
    const told = isTerminal(node.state.status) ? undefined : below(node, steering, request.subtree === true)
    if (told !== undefined) log.dispatch(node, { _tag: "Steer", steering: told })
  }
  return Result.succeed(entry.state)
}

export const make = ({ log, settler, store }: Services): Pick<Tasks["Service"], "steer"> => ({
  steer: Effect.fn("Tasks.steer")(function*(request) {
    if (log.trouble !== undefined) return yield* log.trouble
    yield* Effect.fromResult(checked(request))
    const { id } = request
    const row = log.resident(id) ?? (yield* store.load(id))
    if (row === undefined) return yield* new TaskNotFound({ id })
    const { parent } = row.state
    const above = parent === null ? undefined : log.resident(parent) ?? (yield* store.load(parent))
    const decided = yield* settler.visit(id, tell(log, request, above?.state))
    // a refusal tells of facts too, and they may not be durable yet
    yield* log.barrier
    if (decided === undefined) return yield* new TaskNotFound({ id })
    return yield* Effect.fromResult(decided)
  })
})
