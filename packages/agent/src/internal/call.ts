/**
 * One call of another agent from inside a handler.
 */
import type { Contract } from "@coppice/task/Contract"
import { canonical, check } from "@coppice/task/Payload"
import type { TaskId } from "@coppice/task/Task"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import type { CallOptions } from "../Agent.ts"
import { CallError } from "../AgentError.ts"
import { executionOf, TaskContext } from "../TaskContext.ts"
import { type Codecs, problemOf } from "./codecs.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import type { Fact } from "./Journal.ts"

/** Limits of one tree; a tree that outgrows them is a bug, and is told so. */
const maxDepth = 32
const maxChildren = 20_000

const refused = (contract: Contract, detail: string) =>
  Effect.fail(new CallError({ agent: contract.name, reason: { _tag: "Refused", detail } }))

/** The execution behind a handler's context; calling from elsewhere is a mistake in the program. */
export const currentExecution: Effect.Effect<Execution, never, TaskContext> = Effect.flatMap(TaskContext, (info) => {
  const execution = executionOf(info)
  return execution === undefined
    ? Effect.die(new Error("This can only be used in a handler, not in the body of a step"))
    : Effect.succeed(execution)
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
    if (execution.entry.state.spec.depth + 1 >= maxDepth) {
      return refused(contract, `the tree is ${maxDepth} calls deep already`)
    }
    if (execution.isUnwinding) return Effect.interrupt
    return Effect.flatMap(
      invoke(execution, contract, encoded.value, options),
      (fact) => interpret(execution, contract, codecs, fact)
    )
  })

const invoke = (
  execution: Execution,
  contract: Contract,
  input: Json,
  options: CallOptions | undefined
): Effect.Effect<Fact, CallError> => {
  const { name } = contract
  const base = `call:${name}:${fingerprint(canonical(input))}`
  const key = `${base}:${execution.ordinal(base)}`
  const { host } = execution.server
  if (!execution.childIds.has(key) && execution.childIds.size >= maxChildren) {
    return refused(contract, `the task has ${maxChildren} children already`)
  }
  const worker = host.workers.find(name)
  if (worker === undefined) {
    return Effect.catch(host.workers.get(name), (error) =>
      Effect.fail(new CallError({ agent: name, reason: { _tag: "Unknown", detail: error.message } }))) as never
  }
  const deadline = options?.deadline === undefined ? null : execution.now() + options.deadline
  let isWanted = true
  const begin = () =>
    worker.whenRoom(() => {
      if (!isWanted || execution.phase === "ended") return
      const child = host.tasks.submitChild({
        parent: execution.entry,
        key,
        input: host.codec.request(name, input),
        worker,
        deadline,
        onParentExit: options?.onParentExit ?? "stop"
      })
      execution.childIds.set(key, child.state.id)
      execution.openChildren.add(key)
    })
  return execution.operation<Fact, never>({
    key,
    begin,
    interpret: Effect.succeed,
    withdraw: () => {
      isWanted = false
      const child = execution.childIds.get(key)
      return child === undefined ? Effect.void : cancelChild(execution, key, child)
    }
  })
}

/** Cancels the child and waits until it has settled; that it settled reaches the code in the order of the log. */
const cancelChild = (execution: Execution, key: string, child: TaskId): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { fork, log, tasks } = execution.server.host
    const entry = log.resident(child)
    if (entry !== undefined) tasks.cancelNow(entry, "parent", "The caller no longer waits")
    else fork(tasks.cancel({ id: child, by: "parent", reason: "The caller no longer waits" }))
    return execution.awaitFact(key)
  })

const interpret = (
  execution: Execution,
  contract: Contract,
  codecs: Codecs,
  fact: Fact
): Effect.Effect<any, any> => {
  if (fact._tag !== "Child") return Effect.die(new Error(`A call was answered by a ${fact._tag}`))
  const { ending, id } = fact
  const fail = (reason: CallError["reason"]) => Effect.fail(new CallError({ agent: contract.name, reason }))
  const decoded = (exit: Exit.Exit<any, any>, then: (value: any) => Effect.Effect<any, any>) =>
    Exit.isSuccess(exit)
      ? then(exit.value)
      : fail({ _tag: "Malformed", task: id, detail: problemOf(exit.cause as Cause.Cause<unknown>).message })
  const { codec } = execution.server.host
  switch (ending._tag) {
    case "Completed":
      return decoded(codecs.decodeOutput(codec.response(contract.name, false, ending.result)), Effect.succeed)
    case "Failed":
      if (ending.reason === "agent_error") {
        return decoded(codecs.decodeError(codec.response(contract.name, true, ending.error)), Effect.fail)
      }
      return fail({ _tag: "Failed", task: id, reason: ending.reason, detail: ending.message })
    default:
      return fail({
        _tag: "Cancelled",
        task: id,
        detail: (ending._tag === "Cancelled" ? ending.reason : null) ?? "it was cancelled"
      })
  }
}
