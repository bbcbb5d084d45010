/**
 * What a handler takes from the budgets above it, and what of that is in its log.
 */
import { type Amounts, type Dimension, emptyPool, isNothing, left, measures } from "@coppice/task/Budget"
import * as Pools from "@coppice/task/Pools"
import type { TaskId } from "@coppice/task/Task"
import type { RecordedExit } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import type { Json } from "effect/Schema"
import { BudgetExceeded } from "../AgentError.ts"
import type { Execution } from "./Execution.ts"
import type { Fact } from "./Journal.ts"
import type { Operation } from "./Waits.ts"

/** The error as a log keeps it. */
export const toRecord = ({ owner, reason }: Pools.NotGranted, amounts: Amounts): Json => {
  const asked = measures.find((measure) => amounts[measure] !== undefined) ?? "calls"
  const over = reason._tag === "OverBudget"
    ? { dimension: reason.dimension, asked: reason.asked, left: reason.left, isDeclined: reason.isDeclined }
    : { dimension: asked, asked: amounts[asked] ?? 1, left: 0, isDeclined: false }
  return { _tag: "BudgetExceeded", owner, ...over }
}

/** The error a log has kept, if it is one. */
export const fromRecord = (json: Json): BudgetExceeded | undefined => {
  if (!Predicate.hasProperty(json, "_tag") || json._tag !== "BudgetExceeded") return undefined
  const { asked, dimension, isDeclined, left, owner } = json as unknown as {
    readonly owner: TaskId
    readonly dimension: Dimension
    readonly asked: number
    readonly left: number
    readonly isDeclined: boolean
  }
  return new BudgetExceeded({ owner, dimension, asked, left, isDeclined })
}

/** The owners of the budgets the task draws from. */
const poolsOf = (execution: Execution) => Pools.owners(execution.server.host.log, execution.entry.state)

const record = (execution: Execution, key: string, exit: RecordedExit): void => {
  const { log } = execution.server.host
  const { attempt, entry } = execution
  log.dispatch(entry, { _tag: "RecordStep", attempt, key, name: "budget", exit, startedAt: log.now() })
}

const answer = (fact: Fact): Effect.Effect<Json, BudgetExceeded> => {
  if (fact._tag !== "Step") return Effect.die(new Error(`A budget was answered by a ${fact._tag}`))
  const { exit } = fact
  if (exit._tag === "Success") return Effect.succeed(exit.value)
  const exceeded = fromRecord(exit.error)
  return exceeded === undefined
    ? Effect.die(new Error("The log has an unknown answer of a budget"))
    : Effect.fail(exceeded)
}

/** Asked once, and answered from the task's own log ever after: a replay pays nothing. */
const asking = (
  execution: Execution,
  key: string,
  begin: () => void,
  undo: () => void = () => {}
): Operation<Json, BudgetExceeded> => ({
  key,
  begin,
  interpret: answer,
  withdraw: () => {
    undo()
    return execution.rest()
  },
  halt: () => execution.rest(),
  orphaned: () => {
    if (!execution.willBeAnswered(key)) execution.answer(key, Exit.interrupt())
  }
})

/** Takes the amounts, in the commit that tells the code so; waits while a person is asked. */
export const take = (execution: Execution, key: string, amounts: Amounts): Effect.Effect<unknown, BudgetExceeded> => {
  const { log, pools } = execution.server.host
  const attempt = (): void => {
    execution.heldBack.delete(key)
    const taken = Pools.reserve(log, poolsOf(execution), { id: `${execution.id}/${key}`, amounts })
    if (taken._tag === "Success") return record(execution, key, { _tag: "Success", value: null })
    const { owner, reason } = taken.failure
    if (reason._tag !== "SoftLimit") {
      return record(execution, key, { _tag: "Failure", error: toRecord(taken.failure, amounts) })
    }
    execution.heldBack.add(key)
    pools.ask(owner, reason.measure, () => {
      if (execution.heldBack.has(key)) attempt()
    })
  }
  // whoever stops waiting for it has used nothing
  return execution.operation(asking(execution, key, attempt, () => settle(execution, key, amounts)))
}

/** Ends a reservation; in a replay it may have ended already. */
export const settle = (execution: Execution, key: string, unused: Amounts): void =>
  Pools.refund(execution.server.host.log, poolsOf(execution), `${execution.id}/${key}`, unused)

/** More was used than was reserved: counted as far as the budgets go, so that the next one is refused. */
export const overspent = (execution: Execution, key: string, excess: Amounts): void => {
  if (isNothing(excess)) return
  const { log } = execution.server.host
  const id = `${execution.id}/${key}`
  Pools.reserve(log, poolsOf(execution), { id, amounts: excess, kept: true, unasked: true })
}

/** What is left of each measure that is limited: by every budget above, so the least. */
const leftNow = (execution: Execution): Amounts => {
  const least: { -readonly [M in keyof Amounts]: number } = {}
  for (const { state } of poolsOf(execution)) {
    const rest = left(state.spec.budget!, state.pool ?? emptyPool)
    for (const measure of measures) {
      const value = rest[measure]
      if (value !== undefined) least[measure] = Math.min(value, least[measure] ?? Infinity)
    }
  }
  return least
}

/** What is left, as it was when the code asked. */
export const look = (execution: Execution): Effect.Effect<Amounts> => {
  if (Pools.poolOf(execution.entry.state) === undefined) return Effect.succeed({})
  const key = `budget:left:${execution.ordinal("budget:left")}`
  const begin = () => record(execution, key, { _tag: "Success", value: leftNow(execution) as Json })
  return Effect.orDie(execution.operation(asking(execution, key, begin))) as Effect.Effect<Amounts>
}
