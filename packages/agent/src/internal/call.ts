/**
 * One call of another agent from inside a handler.
 */
import { type Budget, problemOf as problemOfBudget } from "@coppice/task/Budget"
import type { Contract } from "@coppice/task/Contract"
import { readAncestry, Refusal, tooDeep, tooManyCalls } from "@coppice/task/Lineage"
import { canonical, check } from "@coppice/task/Payload"
import type { NotGranted } from "@coppice/task/Pools"
import { isTerminal, type TaskId } from "@coppice/task/Task"
import { DeadlineTooShort } from "@coppice/task/TaskError"
import type { RecordedExit } from "@coppice/task/TaskEvent"
import type { Worker } from "@coppice/task/Worker"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type { CallOptions } from "../Agent.ts"
import { CallError } from "../AgentError.ts"
import { budgetOf } from "../Limits.ts"
import { executionOf, TaskContext } from "../TaskContext.ts"
import { fromRecord, toRecord } from "./budget.ts"
import { type Codecs, problemOf } from "./codecs.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import type { Fact } from "./Journal.ts"
import type { Operation } from "./Waits.ts"

type Json = Schema.Json

const refused = (contract: Contract, detail: string) =>
  Effect.fail(new CallError({ agent: contract.name, reason: { _tag: "Refused", detail } }))

/** Calling from elsewhere is a mistake in the program. */
export const notInHandler: Effect.Effect<never> = Effect.suspend(() =>
  Effect.die(new Error("This can only be used in a handler, not in the body of a step"))
)

/** The execution behind a handler's context. */
export const currentExecution: Effect.Effect<Execution, never, TaskContext> = Effect.flatMap(TaskContext, (info) => {
  const execution = executionOf(info)
  return execution === undefined ? notInHandler : Effect.succeed(execution)
})

export const call = (
  contract: Contract,
  codecs: Codecs,
  input: unknown,
  options: CallOptions | undefined
): Effect.Effect<any, any, TaskContext> =>
  Effect.flatMap(currentExecution, (execution) => {
    const encoded = codecs.encodeInput(input)
    if (Exit.isFailure(encoded)) return refused(contract, problemOf(encoded.cause).message)
    const tooLarge = check(`The input of "${contract.name}"`, encoded.value)
    if (tooLarge !== undefined) return refused(contract, tooLarge.message)
    const fanOut = execution.ordinal("call") + 1
    const outgrown = outgrows(execution, fanOut)
    if (outgrown !== undefined) return Effect.fail(new CallError({ agent: contract.name, reason: outgrown }))
    if (execution.isUnwinding) return Effect.interrupt
    const grant = options?.budget === undefined ? undefined : budgetOf(options.budget)
    const problem = grant === undefined ? undefined : problemOfBudget(grant)
    if (problem !== undefined) return refused(contract, `budget.${problem.path} ${problem.message}`)
    const callee = { contract, codecs }
    return Effect.flatMap(
      invoke(execution, callee, { ...options, budget: grant, fanOut, input: encoded.value }),
      (fact) => interpret(execution, callee, fact)
    )
  })

/** The limit the task's `fanOut`-th call would break. */
const outgrows = (execution: Execution, fanOut: number): Refusal | undefined => {
  const { calls, depth } = execution.server.host.limits
  if (execution.entry.state.spec.depth + 1 >= depth) return tooDeep(depth)
  return fanOut > calls ? tooManyCalls(calls) : undefined
}

interface Callee {
  readonly contract: Contract
  readonly codecs: Codecs
}

const invoke = (
  execution: Execution,
  callee: Callee,
  asked: Omit<Call, "key">
): Effect.Effect<Fact, CallError> => {
  const { contract } = callee
  const base = `call:${contract.name}:${fingerprint(canonical(asked.input))}`
  const key = `${base}:${execution.ordinal(base)}`
  return execution.operation(new Calling(execution, callee, { ...asked, key }))
}

/** The live side of one call: finds the agent, and makes the child when there is room for it. */
class Calling implements Operation<Fact, never> {
  readonly key: string
  private readonly execution: Execution
  private readonly callee: Callee
  private readonly call: Call

  constructor(execution: Execution, callee: Callee, call: Call) {
    this.key = call.key
    this.execution = execution
    this.callee = callee
    this.call = call
  }

  begin(): void {
    const { call, callee, execution, key } = this
    const agent = callee.contract.name
    const reused = execution.past.reused.get(key)
    if (reused !== undefined && Exit.isSuccess(output(execution, callee, reused))) {
      return record(execution, key, agent, { _tag: "Success", value: reused })
    }
    execution.heldBack.add(key)
    if (call.allowCycle === true || !mayBeCircle(execution, agent)) this.place()
    else this.placeUnlessCircle()
  }

  private place(): void {
    const { call, callee, execution, key } = this
    const agent = callee.contract.name
    execution.server.host.whenRoom(agent, (worker) => {
      if (!execution.heldBack.delete(key)) return
      // ended from outside: its code will hear of that with the commit, and an ended task has no new children
      if (isTerminal(execution.entry.state.status)) return
      // recorded: there may be such an agent when the task is replayed
      if (typeof worker === "string") record(execution, key, agent, { _tag: "Failure", error: worker })
      else submit(execution, worker, call)
    })
  }

  private placeUnlessCircle(): void {
    const { call, callee, execution, key } = this
    const { circle: find, codec, fork, log } = execution.server.host
    const agent = callee.contract.name
    const found = find(execution.id, agent, codec.request(agent, call.input))
    // the store knows of them what is committed
    fork(Effect.andThen(log.barrier, found)).addObserver((exit) => {
      const circle = Exit.isSuccess(exit) ? exit.value : undefined
      if (circle === undefined) return this.place()
      if (execution.heldBack.delete(key)) {
        record(execution, key, agent, { _tag: "Failure", error: { ...circle } as Json })
      }
    })
  }

  interpret(fact: Fact): Effect.Effect<Fact> {
    return Effect.succeed(fact)
  }

  /** A child that may outlive its caller is left alone when the caller stops waiting. */
  withdraw(): Effect.Effect<void> {
    const { call, execution, key } = this
    return (call.onParentExit ?? "stop") === "stop" ? cancelChild(execution, key) : execution.rest()
  }

  halt(): Effect.Effect<void> {
    return this.execution.rest()
  }

  /** A child that began ends with the task. */
  orphaned(): void {
    const { execution, key } = this
    if (!execution.willBeAnswered(key)) execution.answer(key, Exit.interrupt())
  }
}

/** Whether an agent of this name is above, as far as memory knows. Nearly every call is told from all others by this. */
const mayBeCircle = (execution: Execution, agent: string): boolean => {
  const { log } = execution.server.host
  let { state } = execution.entry
  while (state.agent !== agent) {
    if (state.parent === null) return state.spec.meta !== null && readAncestry(state.spec.meta) !== undefined
    const above = log.resident(state.parent)
    if (above === undefined) return true
    state = above.state
  }
  return true
}

const output = (execution: Execution, { codecs, contract }: Callee, result: Json): Exit.Exit<any, any> =>
  codecs.decodeOutput(execution.server.host.codec.response(contract.name, false, result))

/** Answers the call from here, without a child: there is no such agent, or the result is there already. */
const record = (execution: Execution, key: string, name: string, exit: RecordedExit): void => {
  const { log } = execution.server.host
  const { attempt, entry } = execution
  log.dispatch(entry, { _tag: "RecordStep", attempt, key, name, exit, startedAt: log.now() })
}

interface Call extends Omit<CallOptions, "budget"> {
  readonly budget: Budget | undefined
  readonly fanOut: number
  readonly key: string
  readonly input: Json
}

const submit = (execution: Execution, worker: Worker, call: Call): void => {
  const { budget, deadline, fanOut, input, key, onParentExit } = call
  const { codec, tasks } = execution.server.host
  const submitted = tasks.submitChild({
    parent: execution.entry,
    key,
    input: codec.request(worker.contract.name, input),
    worker,
    deadline: deadline === undefined ? null : execution.later(deadline),
    onParentExit: onParentExit ?? "stop",
    budget,
    fanOut
  })
  if (Result.isFailure(submitted)) return notGranted(execution, worker, call, submitted.failure)
  const child = submitted.success
  execution.childIds.set(key, child.state.id)
  execution.openChildren.add(key)
}

/** The call is not made: a person is asked whether it may be, or the code is told. */
const notGranted = (
  execution: Execution,
  worker: Worker,
  call: Call,
  failure: NotGranted | DeadlineTooShort
): void => {
  const { key } = call
  if (failure instanceof DeadlineTooShort) {
    const error = { _tag: failure._tag, message: failure.message }
    return record(execution, key, worker.contract.name, { _tag: "Failure", error })
  }
  const { owner, reason } = failure
  if (reason._tag !== "SoftLimit") {
    const error = toRecord(failure, { calls: 1 })
    return record(execution, key, worker.contract.name, { _tag: "Failure", error })
  }
  execution.heldBack.add(key)
  execution.server.host.pools.ask(owner, reason.measure, () => {
    if (execution.heldBack.delete(key)) submit(execution, worker, call)
  })
}

/** Cancels the child and waits until it has settled; that it settled reaches the code in the order of the log. */
const cancelChild = (execution: Execution, key: string): Effect.Effect<void> => {
  const child = execution.childIds.get(key)
  if (child === undefined) return execution.rest()
  const { fork, log, settler, tasks } = execution.server.host
  const reason = { by: "parent", reason: "The caller no longer waits" }
  const entry = log.resident(child)
  if (entry !== undefined) tasks.cancelNow(entry, reason.by, reason.reason)
  else if (!execution.isAnswered(key)) {
    fork(Effect.retry(settler.end(child, { _tag: "Cancel", ...reason }, reason), Schedule.spaced("1 second")))
  }
  return execution.awaitFact(key)
}

/** Why there is no child. */
const unmade = (error: Json): CallError["reason"] => {
  if (isRefusal(error)) return error
  const exceeded = fromRecord(error)
  if (exceeded !== undefined) return { _tag: "Budget", exceeded, detail: exceeded.message }
  return typeof error === "string"
    ? { _tag: "Unknown", detail: error }
    : { _tag: "Refused", detail: (error as { readonly message: string }).message }
}

const isRefusal = Schema.is(Refusal)

const interpret = (execution: Execution, callee: Callee, fact: Fact): Effect.Effect<any, any> => {
  const { codecs, contract } = callee
  const fail = (reason: CallError["reason"]) => Effect.fail(new CallError({ agent: contract.name, reason }))
  const decoded = (task: TaskId, exit: Exit.Exit<any, any>, then: (value: any) => Effect.Effect<any, any>) =>
    Exit.isSuccess(exit)
      ? then(exit.value)
      : fail({ _tag: "Malformed", task, detail: problemOf(exit.cause as Cause.Cause<unknown>).message })
  if (fact._tag === "Step") {
    const { exit } = fact
    if (exit._tag === "Failure") return fail(unmade(exit.error))
    // reused: the child was another task's
    return decoded(execution.id, output(execution, callee, exit.value), Effect.succeed)
  }
  if (fact._tag !== "Child") return Effect.die(new Error(`A call was answered by a ${fact._tag}`))
  const { ending, id } = fact
  const { codec } = execution.server.host
  switch (ending._tag) {
    case "Completed":
      return decoded(id, output(execution, callee, ending.result), Effect.succeed)
    case "Failed":
      if (ending.reason === "agent_error") {
        return decoded(id, codecs.decodeError(codec.response(contract.name, true, ending.error)), Effect.fail)
      }
      // another Coppice did not take it
      if (isRefusal(ending.error)) return fail(ending.error)
      return fail({
        _tag: "Failed",
        task: id,
        reason: ending.reason,
        detail: ending.message,
        ...ending.partial === undefined ? {} : { partial: ending.partial }
      })
    default:
      return fail({
        _tag: "Cancelled",
        task: id,
        detail: ending._tag === "Cancelled" ? ending.reason ?? `Cancelled by ${ending.by}` : "it was cancelled"
      })
  }
}
