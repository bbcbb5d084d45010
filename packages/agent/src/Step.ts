/**
 * Effects whose results are recorded, so that they happen once and are remembered.
 */
import { canonical } from "@coppice/task/Payload"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { type Pure } from "./Agent.ts"
import { CurrentStep } from "./CurrentStep.ts"
import { notInHandler } from "./internal/call.ts"
import { fingerprint } from "./internal/digest.ts"
import { toJson } from "./internal/json.ts"
import { runStep, type Step } from "./internal/step.ts"
import { executionOf, isEphemeral, TaskContext } from "./TaskContext.ts"

/** How a step's result and typed error are recorded; without schemas they must be JSON, and come back as JSON. */
export interface StepOptions<A extends Pure, E extends Pure> {
  readonly success?: A | undefined
  readonly error?: E | undefined
}

type Run = {
  /**
   * Runs the body once and records its result under the name, which is all of its key.
   *
   * **Gotchas**
   *
   * May occur once per task: a second use dies with `AmbiguousStep`, and the task fails without another attempt. What is
   * repeated, by a loop or by `Effect.retry`, needs an input that tells its turns apart.
   */
  <A, E, R>(name: string, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | TaskContext>
  /**
   * Runs the body once per input: the key is the name, the input and how many times that input came before.
   *
   * **Details**
   *
   * The body runs when everything before it is durable, in the world's own time and order. What it returns, or the typed
   * error it fails with, is committed before the handler sees it; a replay returns it without running the body. Without
   * schemas the value is what JSON makes of it, live and replayed alike. Ends the attempt when the body dies or
   * its result cannot be recorded.
   *
   * **Gotchas**
   *
   * At least once: a kill between the effect and its record runs the body again, with the same
   * `Step.idempotencyKey`. Two steps with equal names and inputs are told apart only by their order.
   */
  <A, E, R>(name: string, input: Schema.Json, body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | TaskContext>
  <A extends Pure, E extends Pure, R>(
    name: string,
    input: Schema.Json,
    body: Effect.Effect<A["Type"], E["Type"], R>,
    options: StepOptions<A, E>
  ): Effect.Effect<A["Type"], E["Type"], R | TaskContext>
}

/** The handler gets a copy: what it does to it is not done to the record. */
const plain = { encode: toJson, decode: (json: Schema.Json): Exit.Exit<any> => Exit.succeed(toJson(json)) } as const

const codec = (schema: Pure | undefined) => {
  if (schema === undefined) return plain
  const json = Schema.toCodecJson(schema)
  const encode = SchemaParser.encodeUnknownSync(json as never) as (value: unknown) => Schema.Json
  const decode = SchemaParser.decodeUnknownExit(json as never) as (json: Schema.Json) => Exit.Exit<any, any>
  return { encode, decode }
}

const options = (given: StepOptions<Pure, Pure> | undefined): Omit<Step, "name" | "kind" | "input" | "body"> => {
  const success = codec(given?.success)
  const error = codec(given?.error)
  return { encode: success.encode, decode: success.decode, encodeError: error.encode, decodeError: error.decode }
}

const untyped = options(undefined)

export const run: Run = (...args: ReadonlyArray<any>) => {
  const [name] = args as readonly [string]
  const input = args.length === 2 ? undefined : toJson(args[1])
  const body = args.length === 2 ? args[1] : args[2]
  const codecs = args[3] === undefined ? untyped : options(args[3])
  // one look at the fiber instead of three effects: there are tens of thousands of steps a second
  return Effect.withFiber(({ context }) => {
    const info = Context.get(context as Context.Context<TaskContext>, TaskContext)
    if (isEphemeral(info)) return inline(name, input, body)
    const execution = executionOf(info)
    return execution === undefined
      ? notInHandler
      : runStep(execution, { name, kind: "step", input, body, ...codecs }, context)
  }) as never
}

/** Inside an ephemeral agent a step is only a name for the key it hands on. */
const inline = (name: string, input: Schema.Json | undefined, body: Effect.Effect<any, any>) =>
  Effect.flatMap(CurrentStep, (outer) => {
    const inner = input === undefined ? name : `${name}:${fingerprint(canonical(input))}`
    const idempotencyKey = `${outer?.idempotencyKey ?? ""}/${inner}`
    return Effect.provideService(body, CurrentStep, { idempotencyKey, attempt: outer?.attempt ?? 1 })
  })

/**
 * The idempotency key of the step whose body is running. Dies outside the body of a step.
 */
export const idempotencyKey: Effect.Effect<string> = Effect.flatMap(CurrentStep, (step) =>
  step === undefined
    ? Effect.die(new Error("Step.idempotencyKey can only be used in the body of a step"))
    : Effect.succeed(step.idempotencyKey))
