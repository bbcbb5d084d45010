/**
 * A question in the log: asked once, answered once, by whoever may.
 */
import { canonical } from "@coppice/task/Payload"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import { NotAccepted } from "../AgentError.ts"
import type { TaskContext } from "../TaskContext.ts"
import { currentExecution } from "./call.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import { upgradeKey } from "./Journal.ts"

/** What is asked. `text` tells it apart from other questions with the same message. */
export interface Asked extends Omit<InputRequest, "key"> {
  readonly name?: string | undefined
  readonly text: string
}

/** A question that says nothing yet. */
export const plain = { mode: "form", schema: null, url: null, deadline: null } as const

const isName = (name: string): boolean => /^[A-Za-z0-9_.-]{1,64}$/.test(name) && name !== upgradeKey

/** The question's key: its name, or what it says; and how many equal ones came before. */
const keyOf = (execution: Execution, { message, name, text }: Asked): string => {
  if (name === undefined) {
    const base = `ask:${fingerprint(`[${canonical(message)},${text}]`)}`
    return `${base}:${execution.ordinal(base)}`
  }
  if (!isName(name)) {
    throw new TypeError(
      `Question "${name}": a name has 1 to 64 characters of A–Z, a–z, 0–9, _ - . and is not "upgrade"`
    )
  }
  const ordinal = execution.ordinal(`ask:${name}`)
  return ordinal === 0 ? name : `${name}:${ordinal}`
}

/** Asks and waits for the answer. Interrupting it withdraws the question. */
const wait = (execution: Execution, asked: Asked): Effect.Effect<InputResponse> => {
  const key = keyOf(execution, asked)
  const { name: _, text: __, ...rest } = asked
  const { log } = execution.server.host
  const request: InputRequest = { key, ...rest }
  return execution.operation<InputResponse, never>({
    key,
    begin: () => {
      log.dispatch(execution.entry, { _tag: "RequestInput", attempt: execution.attempt, request })
    },
    interpret: (fact) =>
      fact._tag === "Input"
        ? Effect.succeed(fact.response)
        : Effect.die(new Error(`A question was answered by a ${fact._tag}`)),
    withdraw: () =>
      Effect.sync(() => {
        log.dispatch(execution.entry, { _tag: "WithdrawInput", attempt: execution.attempt, key })
      }),
    halt: () => Effect.void,
    orphaned: () => execution.answer(key, Exit.interrupt())
  })
}

/** Asks; succeeds with what was accepted, and fails when it was declined or dismissed. */
export const accepted = (asked: Asked): Effect.Effect<Json, NotAccepted, TaskContext> =>
  Effect.flatMap(currentExecution, (execution) =>
    execution.isUnwinding
      ? Effect.interrupt
      : Effect.flatMap(
        wait(execution, asked),
        ({ action, by, content }) =>
          action === "accept" ? Effect.succeed(content) : Effect.fail(new NotAccepted({ action, by }))
      ))
