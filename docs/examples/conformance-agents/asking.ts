/**
 * Agents that ask: a person, by a form, or the calling client, for its model and its folders.
 */
import { Agent, Caller, Content, Human } from "coppice"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { contentAgent, nothing } from "./content.ts"

const said = (text: string) => Content.result(Content.text(text))

const Name = Schema.Struct({ name: Schema.String })
const Ok = Schema.Struct({ ok: Schema.Boolean })

const askName = (message: string, name: string) => Human.ask({ message, form: Name, name })

const question = (text: string, name: string, maxTokens = 100) =>
  Caller.sample({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens, name })

const textOf = ({ content }: Caller.Sampled): string => {
  const block = (Array.isArray(content) ? content[0] : content) as { readonly text?: string } | undefined
  return block?.text ?? JSON.stringify(content)
}

const Sampling = Agent.make("test_sampling", {
  description: "Asks the client's model",
  input: Schema.Struct({ prompt: Schema.String }),
  output: Content.Result
}).toLayer(({ prompt }) =>
  Effect.map(question(prompt, "answer"), (sampled) => said(`LLM response: ${textOf(sampled)}`))
)

const Elicitation = Agent.make("test_elicitation", {
  description: "Asks the client's user",
  input: Schema.Struct({ message: Schema.String }),
  output: Content.Result
}).toLayer(({ message }) =>
  Human.ask({
    message,
    form: Schema.Struct({
      username: Schema.String.annotate({ description: "User's response" }),
      email: Schema.String.annotate({ description: "User's email address" })
    })
  }).pipe(
    Effect.map((content) => said(`User response: action=accept, content=${JSON.stringify(content)}`)),
    Effect.catchTag("NotAccepted", ({ action }) => Effect.succeed(said(`User response: action=${action}, content={}`)))
  )
)

/** Asks by a form that only JSON Schema can describe. */
const asksByForm = (name: string, message: string, schema: Schema.JsonObject) =>
  contentAgent(name, message).toLayer(() =>
    Human.ask({ message, form: Human.rawForm(schema) }).pipe(
      Effect.map((content) => said(`Elicitation completed: action=accept, content=${JSON.stringify(content)}`)),
      Effect.catchTag(
        "NotAccepted",
        ({ action }) => Effect.succeed(said(`Elicitation completed: action=${action}, content={}`))
      )
    )
  )

const Defaults = asksByForm("test_elicitation_sep1034_defaults", "Please review the fields with defaults", {
  type: "object",
  properties: {
    name: { type: "string", description: "User name", default: "John Doe" },
    age: { type: "integer", description: "User age", default: 30 },
    score: { type: "number", description: "User score", default: 95.5 },
    status: {
      type: "string",
      description: "User status",
      enum: ["active", "inactive", "pending"],
      default: "active"
    },
    verified: { type: "boolean", description: "Verification status", default: true }
  },
  required: []
})

const titled = (...titles: ReadonlyArray<string>) => titles.map((title, i) => ({ const: `value${i + 1}`, title }))

const Enums = asksByForm("test_elicitation_sep1330_enums", "Please select options", {
  type: "object",
  properties: {
    untitledSingle: { type: "string", description: "Select one option", enum: ["option1", "option2", "option3"] },
    titledSingle: { type: "string", oneOf: titled("First Option", "Second Option", "Third Option") },
    legacyEnum: {
      type: "string",
      enum: ["opt1", "opt2", "opt3"],
      enumNames: ["Option One", "Option Two", "Option Three"]
    },
    untitledMulti: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: { type: "string", enum: ["option1", "option2", "option3"] }
    },
    titledMulti: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: { anyOf: titled("First Choice", "Second Choice", "Third Choice") }
    }
  },
  required: []
})

/** An agent that asks and says what it heard. */
const asks = (name: string, ask: Effect.Effect<string, unknown, any>) =>
  Agent.make(name, { description: "Asks before it answers", input: nothing, output: Content.Result }).toLayer(
    () => Effect.map(Effect.orDie(ask), said)
  )

const rootsText = Effect.map(
  Caller.roots({ name: "client_roots" }),
  (roots) => `Client exposed ${roots.length} root(s): ${roots.map(({ uri }) => uri).join(", ")}`
)

const sampled = (text: string, name: string) => Effect.map(question(text, name), textOf)

const confirmed = Human.ask({ message: "Please confirm", form: Ok, name: "confirm" })

const multipleInputs = Effect.map(
  Effect.all([
    askName("What is your name?", "user_name"),
    sampled("Generate a greeting", "greeting"),
    Caller.roots({ name: "client_roots" })
  ], { concurrency: "unbounded" }),
  ([{ name }, greeting, roots]) => `${greeting} ${name} — ${roots.length} root(s) visible`
)

const rounds = Effect.gen(function*() {
  const { name } = yield* askName("Step 1: What is your name?", "step1")
  const { color } = yield* Human.ask({
    message: "Step 2: What is your favorite color?",
    form: Schema.Struct({ color: Schema.String }),
    name: "step2"
  })
  return `Multi-round complete: ${name} likes ${color}`
})

/** The first that is answered is enough: a client is only asked what it can answer. */
const whicheverIsAnswered = Effect.raceFirst(
  Effect.asVoid(askName("What is your name?", "user_name")),
  Effect.raceFirst(Effect.asVoid(sampled("Generate a short greeting", "greeting")), Effect.asVoid(rootsText))
)

/** Writes a prompt from what a person said. */
const PromptWriter = Agent.make("conformance_prompt", {
  description: "Asks for the context of a prompt and writes it",
  input: nothing,
  output: Schema.Json,
  listed: false
}).toLayer(() =>
  Effect.map(
    Effect.orDie(Human.ask({
      message: "What context should the prompt use?",
      form: Schema.Struct({ context: Schema.String }),
      name: "user_context"
    })),
    ({ context }) => ({
      messages: [{ role: "user", content: { type: "text", text: `Use the following context: ${context}` } }]
    })
  )
)

export const asking = [
  Sampling,
  Elicitation,
  Defaults,
  Enums,
  asks("test_missing_capability", Effect.as(question("Reply with the single word: pong", "llm_answer", 16), "asked")),
  asks(
    "test_input_required_result_elicitation",
    Effect.map(askName("What is your name?", "user_name"), ({ name }) => `Hello, ${name}!`)
  ),
  asks(
    "test_input_required_result_sampling",
    Effect.map(sampled("What is the capital of France?", "capital_question"), (text) => `Sampling response: ${text}`)
  ),
  asks("test_input_required_result_list_roots", rootsText),
  asks(
    "test_input_required_result_request_state",
    Effect.as(confirmed, "state-ok: requestState verified and confirmation received")
  ),
  asks("test_input_required_result_multiple_inputs", multipleInputs),
  asks("test_input_required_result_multi_round", rounds),
  asks("test_input_required_result_tampered_state", Effect.as(confirmed, "integrity-ok: requestState verified")),
  asks("test_input_required_result_capabilities", Effect.as(whicheverIsAnswered, "fulfilled")),
  PromptWriter
]
