/**
 * Questions to a person, asked durably: the task waits in the log, for days if need be.
 */
import { canonical, check } from "@coppice/task/Payload"
import type { InputRequest, InputResponse } from "@coppice/task/TaskEvent"
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

/** What a schema says as a form: its JSON Schema, that schema's canonical text, and how an answer is read. */
interface Form {
  readonly schema: Schema.JsonObject
  readonly text: string
  readonly decode: (content: unknown) => Exit.Exit<any, unknown>
}

const forms = new WeakMap<Pure, Form>()

/** A form is built once per schema: every replay asks the same questions again. */
const formOf = (given: Pure): Form => {
  const known = forms.get(given)
  if (known !== undefined) return known
  const { definitions, schema: own } = Schema.toJsonSchemaDocument(given)
  const schema = (Object.keys(definitions).length === 0 ? own : { ...own, $defs: definitions }) as Schema.JsonObject
  const form: Form = {
    schema,
    text: canonical(schema),
    decode: SchemaParser.decodeUnknownExit(Schema.toCodecJson(given))
  }
  forms.set(given, form)
  return form
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
  const form = formOf(question.form)
  const tooLarge = check("The question", [question.message, form.schema])
  if (tooLarge !== undefined) return Effect.die(tooLarge)
  return Effect.flatMap(currentExecution, (execution) =>
    execution.isUnwinding
      ? Effect.interrupt
      : Effect.flatMap(wait(execution, question.message, form), ({ action, by, content }) => {
        if (action !== "accept") return Effect.fail(new NotAccepted({ action, by }))
        const decoded = form.decode(content)
        return Exit.isSuccess(decoded)
          ? Effect.succeed(decoded.value)
          : Effect.die(new Error(`The answer does not fit the form: ${String(Cause.squash(decoded.cause))}`))
      }))
}

const wait = (execution: Execution, message: string, { schema, text }: Form): Effect.Effect<InputResponse> => {
  const base = `ask:${fingerprint(`[${canonical(message)},${text}]`)}`
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
      }),
    halt: () => Effect.void,
    orphaned: () => execution.answer(key, Exit.interrupt())
  })
}
