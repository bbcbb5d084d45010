/**
 * Questions to a person, asked durably: the task waits in the log, for days if need be.
 */
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
import { canonical } from "@coppice/task/Payload"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { Pure } from "./Agent.ts"
import { NotAccepted } from "./AgentError.ts"
import { currentExecution } from "./internal/call.ts"
import { fingerprint } from "./internal/digest.ts"
import type { Execution } from "./internal/Execution.ts"
import type { TaskContext } from "./TaskContext.ts"

/** A question: what the person reads, and the form they fill in. */
export interface Ask<A extends Pure> {
  readonly message: string
  readonly form: A
}

const formOf = (schema: Pure): Schema.JsonObject => {
  const { definitions, schema: form } = Schema.toJsonSchemaDocument(schema)
  return (Object.keys(definitions).length === 0 ? form : { ...form, $defs: definitions }) as Schema.JsonObject
}

/**
 * Asks a person and waits for the answer.
 *
 * **Details**
 *
 * The task becomes `input_required` and the question stands in the inbox until someone answers through any door. An
 * answer is checked against the form before it is taken; the first valid one wins. Nothing before the question runs
 * again when the answer comes. Fails with `NotAccepted` when the person declines or dismisses it. Interrupting the wait,
 * for example by `Effect.timeout`, withdraws the question.
 */
export const ask = <A extends Pure>(question: Ask<A>): Effect.Effect<A["Type"], NotAccepted, TaskContext> => {
  const schema = formOf(question.form)
  const decode = SchemaParser.decodeUnknownExit(Schema.toCodecJson(question.form) as Schema.Codec<A["Type"]>)
  return Effect.flatMap(currentExecution, (execution) =>
    execution.isUnwinding
      ? Effect.interrupt
      : Effect.flatMap(wait(execution, question.message, schema), ({ action, by, content }) => {
        if (action !== "accept") return Effect.fail(new NotAccepted({ action, by }))
        const decoded = decode(content)
        return Exit.isSuccess(decoded)
          ? Effect.succeed(decoded.value)
          : Effect.die(new Error(`The answer does not fit the form: ${String(Cause.squash(decoded.cause))}`))
      }))
}

const wait = (execution: Execution, message: string, schema: Schema.JsonObject): Effect.Effect<InputResponse> => {
  const base = `ask:${fingerprint(canonical([message, schema]))}`
  const key = `${base}:${execution.ordinal(base)}`
  const { log } = execution.server.host
  const request: InputRequest = { key, mode: "form", message, schema, url: null, deadline: null }
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
      })
  })
}
