/**
 * Telling running work something, and changing its limits: a task, or all of its tree.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { problemOf, raised } from "../Budget.ts"
import { readAncestry } from "../Lineage.ts"
import { check } from "../Payload.ts"
import type { Settler } from "../Settler.ts"
import { isTerminal } from "../Task.ts"
import { InvalidSteering, TaskNotFound } from "../TaskError.ts"
import type { Entry, TaskLog } from "../TaskLog.ts"
import type { Refused, Steering } from "../TaskMachine.ts"
import type { Steer, Steered, Tasks } from "../Tasks.ts"
import type { TaskStore } from "../TaskStore.ts"
import type { Told } from "../Told.ts"
import type { Worker, Workers } from "../Worker.ts"

interface Services {
  readonly store: TaskStore["Service"]
  readonly log: TaskLog["Service"]
  readonly settler: Settler["Service"]
  readonly workers: Workers["Service"]
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

/** Only the Coppice that called the task gives it more than it had granted; that one says so itself. */
const withinGrant = ({ budget, deadline, nth }: Steer, { state }: Entry): Result.Result<void, InvalidSteering> => {
  if (nth !== undefined || readAncestry(state.spec.meta) === undefined) return Result.succeed(undefined)
  const fix = "steer the task that called it, in the other service"
  if (deadline !== undefined && deadline > (state.deadline ?? Infinity)) {
    return invalid("deadline", "deadline: another Coppice called the task, and granted it no more time", fix)
  }
  const { budget: granted } = state.spec
  const limit = budget === undefined || granted === null ? undefined : raised(granted, budget)
  return limit === undefined
    ? Result.succeed(undefined)
    : invalid("budget", `budget.${limit}: another Coppice called the task, and granted it no more`, fix)
}

/** What is wrong with it for this task: its limits lie within those of the task above. */
const fitting = (
  request: Steer,
  entry: Entry,
  above: { readonly deadline: number | null } | undefined,
  now: number
): Result.Result<void, InvalidSteering> => {
  const { budget, deadline } = request
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
  if (deadline === undefined) return withinGrant(request, entry)
  if (deadline <= now) return invalid("deadline", "deadline: lies in the past", "cancel the task instead")
  const limit = above?.deadline ?? Infinity
  if (deadline <= limit) return withinGrant(request, entry)
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

/** Limits hold here, whoever does the work; a word and a place in a queue are for those who do it. */
const isForOthers = ({ message, priority }: Steering): boolean => message !== undefined || priority !== undefined

type Reach = Omit<Told, "task" | "agent">

const reachOf = (worker: Worker | undefined, steering: Steering): Reach => {
  const server = worker?.server
  if (server === undefined) return { how: "applied" }
  if (worker?.tells === true) return { how: "sent", server }
  if (!isForOthers(steering)) return { how: "applied", server }
  return { how: "cannot", server, why: `server "${server}" is not known to be a Coppice: nobody there can be told` }
}

/** What is recorded of it: also what a worker elsewhere has to know. */
const recordedOf = (steering: Steering, { how, why }: Reach, all: boolean): Steering => ({
  ...steering,
  ...how === "sent" && all ? { subtree: true } : {},
  ...why === undefined ? {} : { undeliverable: why }
})

type Decided = Result.Result<Steered, Refused | InvalidSteering>

/** Tells the task, and what is below it. Nothing is written when it is refused, or was heard before. */
const tell = (
  { log, workers }: Pick<Services, "log" | "workers">,
  request: Steer,
  above: { readonly deadline: number | null } | undefined
) =>
(entry: Entry, nodes: ReadonlyArray<Entry>): Decided => {
  const fits = isTerminal(entry.state.status) ? Result.succeed(undefined) : fitting(request, entry, above, log.now())
  if (Result.isFailure(fits)) return Result.fail(fits.failure)
  const { nth, subtree = false } = request
  const steering = steeringOf(request)
  const told: Array<Told> = []
  const say = (node: Entry, steering: Steering, from: Pick<Steering, "nth"> = {}) => {
    const { agent, id } = node.state
    const reach = reachOf(workers.find(agent), steering)
    const recorded = { ...recordedOf(steering, reach, subtree), ...from }
    const decided = log.dispatch(node, { _tag: "Steer", steering: recorded })
    if (Result.isSuccess(decided) && decided.success.length > 0) told.push({ task: id, agent, ...reach })
    return decided
  }
  const decided = say(entry, steering, nth === undefined ? {} : { nth })
  if (Result.isFailure(decided)) return Result.fail(decided.failure)
  for (const node of decided.success.length === 0 ? [] : nodes) {
    const own = isTerminal(node.state.status) ? undefined : below(node, steering, subtree)
    if (own !== undefined) say(node, own)
  }
  return Result.succeed({ ...entry.state, told })
}

export const make = ({ log, settler, store, workers }: Services): Pick<Tasks["Service"], "steer"> => ({
  steer: Effect.fn("Tasks.steer")(function*(request) {
    if (log.trouble !== undefined) return yield* log.trouble
    yield* Effect.fromResult(checked(request))
    const { id } = request
    const row = log.resident(id) ?? (yield* store.load(id))
    if (row === undefined) return yield* new TaskNotFound({ id })
    const { parent } = row.state
    const above = parent === null ? undefined : log.resident(parent) ?? (yield* store.load(parent))
    const decided = yield* settler.visit(id, tell({ log, workers }, request, above?.state))
    // a refusal tells of facts too, and they may not be durable yet
    yield* log.barrier
    if (decided === undefined) return yield* new TaskNotFound({ id })
    return yield* Effect.fromResult(decided)
  })
})
