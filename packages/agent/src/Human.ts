/**
 * Questions to a person, asked durably: the task waits in the log, for days if need be.
 */
import { canonical, check } from "@coppice/task/Payload"
import type { Silence } from "@coppice/task/Policy"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { Pure } from "./Agent.ts"
import type { NotAccepted } from "./AgentError.ts"
import { accepted, plain } from "./internal/ask.ts"
import { check as checkRules, type Rules } from "./internal/policy.ts"
import type { TaskContext } from "./TaskContext.ts"

export { type Action, type Approval, type Approve, approve } from "./Approval.ts"
export { type BusinessHours, InvalidQuestion, type Names, type Rules } from "./internal/policy.ts"

/** A question: what the person reads, the form they fill in, and the rules it is asked by. */
export interface Ask<A extends Pure> extends Rules {
  readonly message: string
  readonly form: A
  /** What clients of MCP see as the question's key, 1–64 of `A–Z a–z 0–9 _ - .`; a second one of a name gets a number. */
  readonly name?: string | undefined
  /** What counts when nobody has answered `within`. [nobody's answer: `NotAccepted`, `expired` or `undelivered`] */
  readonly onSilence?: "decline" | { readonly accept: NoInfer<A["Type"]> } | undefined
}

/** What a schema says as a form: its JSON Schema, that schema's canonical text, and how an answer is read. */
interface Form {
  readonly schema: Schema.JsonObject
  readonly text: string
  readonly decode: (content: unknown) => Exit.Exit<any, unknown>
  readonly encode: (value: unknown) => Schema.Json
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
    decode: SchemaParser.decodeUnknownExit(Schema.toCodecJson(given)),
    encode: SchemaParser.encodeUnknownSync(Schema.toCodecJson(given) as never) as (value: unknown) => Schema.Json
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
  forms.set(form, {
    schema,
    text: canonical(schema),
    decode: SchemaParser.decodeUnknownExit(Schema.JsonObject),
    encode: (value) => value as Schema.Json
  })
  return form
}

const silenceOf = (onSilence: Ask<Pure>["onSilence"], form: Form): Silence | undefined =>
  onSilence === undefined
    ? undefined
    : onSilence === "decline"
    ? { action: "decline" }
    : { action: "accept", content: form.encode(onSilence.accept) }

/**
 * Asks a person and waits for the answer.
 *
 * **Details**
 *
 * The task becomes `input_required` and the question stands in the inbox until someone answers through any door. An
 * answer is checked against the form before it is taken; the first valid one wins. Nothing before the question runs
 * again when the answer comes. Fails with `NotAccepted` when the person declines or dismisses it, or when nobody answers
 * `within`. Interrupting the wait, for example by `Effect.timeout`, withdraws the question.
 *
 * Rules are data of the question: durations become times when it is asked, and hold whoever runs the service then. Rules
 * that make no sense, or that none of the configuration's people can follow, are the defect `InvalidQuestion`.
 */
export const ask = <A extends Pure>(question: Ask<A>): Effect.Effect<A["Type"], NotAccepted, TaskContext> =>
  Effect.suspend(() => {
    const form = formOf(question.form)
    const { form: _, message, name, onSilence, ...rules } = question
    const tooLarge = check("The question", [message, form.schema])
    if (tooLarge !== undefined) return Effect.die(tooLarge)
    const checked = checkRules(rules, silenceOf(onSilence, form))
    const asked = accepted({ ...plain, message, name, schema: form.schema, text: form.text, rules: checked })
    return Effect.flatMap(asked, (content) => {
      const decoded = form.decode(content)
      return Exit.isSuccess(decoded)
        ? Effect.succeed(decoded.value)
        : Effect.die(new Error(`The answer does not fit the form: ${String(Cause.squash(decoded.cause))}`))
    })
  })

/** One of several things to choose. `value` is what the code gets, `title` what the person reads. */
export interface Option<Value extends string> {
  readonly value: Value
  readonly title: string
  readonly description?: string | undefined
}

/** A choice of one of several. */
export interface Choose<Value extends string> extends Rules {
  readonly message: string
  readonly options: ReadonlyArray<Option<Value>>
  readonly name?: string | undefined
  readonly onSilence?: "decline" | { readonly accept: NoInfer<Value> } | undefined
}

const choiceOf = ({ description, title, value }: Option<string>): Schema.JsonObject => ({
  const: value,
  title,
  ...description === undefined ? {} : { description }
})

/** Asks a person to choose one of the options. See `ask`; where a quorum is needed, they have to choose the same one. */
export const choose = <const Value extends string>(
  { onSilence, options, ...question }: Choose<Value>
): Effect.Effect<Value, NotAccepted, TaskContext> => {
  const choice = { type: "string", title: "Choice", oneOf: options.map(choiceOf) }
  const form = rawForm({ type: "object", properties: { choice }, required: ["choice"] })
  const silence = onSilence === undefined || onSilence === "decline"
    ? onSilence
    : { accept: { choice: onSilence.accept } }
  return Effect.map(ask({ ...question, form, onSilence: silence }), (answer) => answer["choice"] as Value)
}

/** A page a person is sent to. */
export interface OpenUrl extends Rules {
  readonly message: string
  readonly url: string
  readonly name?: string | undefined
  readonly onSilence?: "decline" | undefined
}

/**
 * Sends a person to a web page, for what must not pass through an agent, its log or a model: credentials, payments.
 *
 * **Details**
 *
 * Succeeds when the person says that they went there; what they did there has to come back by another way. Fails with
 * `NotAccepted` when they refuse. MCP hosts get it as an elicitation in URL mode.
 */
export const openUrl = (page: OpenUrl): Effect.Effect<void, NotAccepted, TaskContext> =>
  Effect.suspend(() => {
    const { message, name, onSilence, url, ...rules } = page
    const checked = checkRules(rules, onSilence === undefined ? undefined : { action: onSilence })
    return Effect.asVoid(accepted({ ...plain, message, name, url, mode: "url", text: canonical(url), rules: checked }))
  })
