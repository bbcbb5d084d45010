/**
 * Questions to a person, asked durably: the task waits in the log, for days if need be.
 */
import { canonical, check } from "@coppice/task/Payload"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { Pure } from "./Agent.ts"
import type { NotAccepted } from "./AgentError.ts"
import { accepted, plain } from "./internal/ask.ts"
import type { TaskContext } from "./TaskContext.ts"

/** A question: what the person reads, and the form they fill in. */
export interface Ask<A extends Pure> {
  readonly message: string
  readonly form: A
  /** What clients of MCP see as the question's key, 1–64 of `A–Z a–z 0–9 _ - .`; a second one of a name gets a number. */
  readonly name?: string | undefined
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
 * A form given by its JSON Schema, for what a schema of Effect cannot say, such as titles of choices. The answer is a JSON
 * object, checked against it.
 */
export const rawForm = (schema: Schema.JsonObject): Schema.Codec<Schema.JsonObject> => {
  const form = Schema.JsonObject.annotate({})
  forms.set(form, { schema, text: canonical(schema), decode: SchemaParser.decodeUnknownExit(Schema.JsonObject) })
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
  const { message, name } = question
  return Effect.flatMap(accepted({ ...plain, message, name, schema: form.schema, text: form.text }), (content) => {
    const decoded = form.decode(content)
    return Exit.isSuccess(decoded)
      ? Effect.succeed(decoded.value)
      : Effect.die(new Error(`The answer does not fit the form: ${String(Cause.squash(decoded.cause))}`))
  })
}

/**
 * Sends a person to a web page, for what must not pass through an agent, its log or a model: credentials, payments.
 *
 * **Details**
 *
 * Succeeds when the person says that they went there; what they did there has to come back by another way. Fails with
 * `NotAccepted` when they refuse. MCP hosts get it as an elicitation in URL mode.
 */
export const openUrl = (
  page: { readonly message: string; readonly url: string; readonly name?: string | undefined }
): Effect.Effect<void, NotAccepted, TaskContext> =>
  Effect.asVoid(accepted({ ...plain, ...page, mode: "url", text: canonical(page.url) }))
