/**
 * A question in the log: asked once, answered once, by whoever may.
 */
import { canonical } from "@coppice/task/Payload"
import type { ExactAction } from "@coppice/task/Policy"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Json } from "effect/Schema"
import { NotAccepted } from "../AgentError.ts"
import type { TaskContext } from "../TaskContext.ts"
import { actionDigest, actionText } from "./action.ts"
import { currentExecution } from "./call.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import { upgradeKey } from "./Journal.ts"
import { check, type Checked, toData } from "./policy.ts"

/** What is asked. `text` tells it apart from other questions with the same message. */
export interface Asked extends Omit<InputRequest, "key" | "deadline" | "policy" | "approval"> {
  readonly name?: string | undefined
  readonly text: string
  readonly rules: Checked
  /** The action that would be approved, and for how long, milliseconds. */
  readonly action?: Pick<ExactAction, "tool" | "arguments" | "policy"> & { readonly holds: number | undefined }
}

/** A question that says nothing yet. */
export const plain = { mode: "form", schema: null, url: null, rules: check({}, undefined) } as const

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

/** The question as it is asked now: its times are counted from here. */
const requestOf = (execution: Execution, key: string, asked: Asked): InputRequest => {
  const { action, message, name: _, rules, text: __, ...rest } = asked
  const now = execution.later(0)
  const { deadline, policy } = toData(rules, now, execution.server.host.people)
  const rulesOf = policy === undefined ? {} : { policy }
  if (action === undefined) return { key, ...rest, message, deadline, ...rulesOf }
  const { holds, ...exact } = action
  const bound = { ...exact, expires: holds === undefined ? null : now + holds }
  return {
    key,
    ...rest,
    message: `${message}\n\n${actionText(bound)}`,
    // an approval that comes when it holds no more helps nobody
    deadline: bound.expires === null ? deadline : Math.min(bound.expires, deadline ?? Infinity),
    ...rulesOf,
    approval: { ...bound, digest: actionDigest(bound) }
  }
}

/** What was said to a question, and under which key it was asked. */
export interface Answered {
  readonly key: string
  readonly response: InputResponse
}

/** Asks and waits for the answer. Interrupting it withdraws the question. */
const wait = (execution: Execution, asked: Asked): Effect.Effect<Answered> => {
  const key = keyOf(execution, asked)
  const { log } = execution.server.host
  return execution.operation<Answered, never>({
    key,
    begin: () => {
      try {
        const request = requestOf(execution, key, asked)
        log.dispatch(execution.entry, { _tag: "RequestInput", attempt: execution.attempt, request })
      } catch (problem) {
        execution.answer(key, Exit.die(problem))
      }
    },
    interpret: (fact) =>
      fact._tag === "Input"
        ? Effect.succeed({ key, response: fact.response })
        : Effect.die(new Error(`A question was answered by a ${fact._tag}`)),
    withdraw: () =>
      Effect.sync(() => {
        log.dispatch(execution.entry, { _tag: "WithdrawInput", attempt: execution.attempt, key })
      }),
    halt: () => Effect.void,
    orphaned: () => execution.answer(key, Exit.interrupt())
  })
}

/** Asks; succeeds with how it was accepted, and fails when it was declined, dismissed or not answered. */
export const answered = (asked: Asked): Effect.Effect<Answered, NotAccepted, TaskContext> =>
  Effect.flatMap(currentExecution, (execution) =>
    execution.isUnwinding
      ? Effect.interrupt
      : Effect.flatMap(wait(execution, asked), (answer) => {
        const { action, by } = answer.response
        return action === "accept" ? Effect.succeed(answer) : Effect.fail(new NotAccepted({ action, by }))
      }))

/** Asks; succeeds with what was accepted. */
export const accepted = (asked: Asked): Effect.Effect<Json, NotAccepted, TaskContext> =>
  Effect.map(answered(asked), ({ response }) => response.content)
