/**
 * Effects whose results are recorded, so that they happen once and are remembered.
 */
import { canonical, check } from "@coppice/task/Payload"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import { type Pure } from "./Agent.ts"
import type { OutcomeUnknown } from "./AgentError.ts"
import { CurrentStep } from "./CurrentStep.ts"
import { notInHandler } from "./internal/call.ts"
import { fingerprint } from "./internal/digest.ts"
import { toJson } from "./internal/json.ts"
import { runStep, type SagaPart, type Step } from "./internal/step.ts"
import { onThread } from "./internal/threads.ts"
import { executionOf, isEphemeral, pulseOf, TaskContext } from "./TaskContext.ts"

/** How a step's result and typed error are recorded; without schemas they must be JSON, and come back as JSON. */
export interface StepOptions<A extends Pure, E extends Pure> {
  readonly success?: A | undefined
  readonly error?: E | undefined
}

/**
 * What is done about a body that may have run without being recorded.
 *
 * - `verify` looks where the effect would show: `Option.some` is the result, `Option.none` says that it did not happen.
 *   Failing says that it cannot tell.
 * - `atMostOnce`: nothing can tell, so a person is asked at once.
 */
export type Care<A, R> =
  | { readonly verify: Effect.Effect<Option.Option<A>, unknown, R>; readonly atMostOnce?: boolean | undefined }
  | { readonly verify?: undefined; readonly atMostOnce: true }

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
  /**
   * Runs a body that must not run twice unseen: a payment, a mail, a deployment.
   *
   * **Details**
   *
   * That it is about to run is committed before it does (one commit more than other steps). When a later attempt finds
   * that and no record, because the process was killed or the body broke, `verify` runs before anything is repeated. If it
   * cannot tell, or there is none, the task waits for a person as `outcome_unknown`: the question stands in the inbox,
   * and says `did_happen` with the result, `did_not_happen`, or `give_up`, which fails the step with `OutcomeUnknown`.
   * A typed failure of the body is an outcome like any other: it is recorded, and nothing is looked into.
   *
   * **Gotchas**
   *
   * `verify` must see what the body did: a list that lags behind says "not done" of what was done. It has the step's
   * `Step.idempotencyKey`. A body that is interrupted, by a stop of the service or a lost race, has an unknown outcome too.
   */
  <A, E, R, R2 = never>(
    name: string,
    input: Schema.Json,
    body: Effect.Effect<A, E, R>,
    options: Care<NoInfer<A>, R2> & { readonly success?: undefined; readonly error?: undefined }
  ): Effect.Effect<A, E | OutcomeUnknown, R | R2 | TaskContext>
  <A extends Pure, E extends Pure, R, R2 = never>(
    name: string,
    input: Schema.Json,
    body: Effect.Effect<A["Type"], E["Type"], R>,
    options: StepOptions<A, E> & Care<A["Type"], R2>
  ): Effect.Effect<A["Type"], E["Type"] | OutcomeUnknown, R | R2 | TaskContext>
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

type Given = StepOptions<Pure, Pure> & Partial<Care<any, any>> & { readonly saga?: SagaPart | undefined }

const options = (given: Given | undefined): Omit<Step, "name" | "kind" | "input" | "body"> => {
  const success = codec(given?.success)
  const error = codec(given?.error)
  const care = given?.verify === undefined && given?.atMostOnce !== true ? undefined : { verify: given.verify as never }
  return {
    encode: success.encode,
    decode: success.decode,
    encodeError: error.encode,
    decodeError: error.decode,
    care,
    saga: given?.saga
  }
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
    if (isEphemeral(info)) return codecs.care === undefined ? inline(name, input, body) : careless(name)
    const execution = executionOf(info)
    return execution === undefined
      ? notInHandler
      : runStep(execution, { name, kind: "step", input, body, ...codecs }, context)
  }) as never
}

const careless = (step: string) =>
  Effect.die(new Error(`Step "${step}": an ephemeral agent has no log to write an intent to; make the agent a task`))

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

/** What a function on a worker thread gets beside its input. */
export interface Thread {
  /**
   * `Durable.heartbeat`, for the thread. Sent ten times a second at most, so it may stand in an inner loop.
   */
  readonly heartbeat: (mark?: string) => void
}

/** A function another module exports, for `worker`: what it takes and gives must be JSON. */
export type Exported<F> = {
  readonly [Name in keyof F & string]: F[Name] extends (input: any, thread: Thread) => any ? Name : never
}[keyof F & string]

/**
 * Runs a function of another module on a worker thread, for work that would keep the event loop busy. Recorded like any
 * step.
 *
 * **Details**
 *
 * `module` is a URL such as `new URL("./resize.ts", import.meta.url)`; its export `run`, or the one `export` names, gets the
 * input and a `Thread` to give signs of life by. Give the module's type for a typed input and result: `import type * as Resize`, then `Step.worker<typeof Resize>()`. There are as
 * many threads as cores less one, at least one; bodies beyond wait. Interrupting the step ends its thread.
 *
 * **Gotchas**
 *
 * The function sees a copy of the input, none of the handler's services, and no memory it shares with the program. If it
 * throws, or its thread dies, that is a defect: the attempt ends and the next one runs it again. Input and result are
 * limited like every payload (1 MiB of JSON).
 */
export const worker =
  <F = { readonly run: (input: any, thread: Thread) => any }>() =>
  <Name extends Exported<F> = "run" extends Exported<F> ? "run" : never>(
    name: string,
    input: F[Name] extends (input: infer I, thread: Thread) => unknown ? I
      : never,
    module: URL,
    options?: { readonly export?: Name | undefined }
  ): Effect.Effect<
    F[Name] extends (input: any, thread: Thread) => infer A ? Awaited<A>
      : never,
    never,
    TaskContext
  > => {
    const json = toJson(input)
    const tooLarge = check(`The input of step "${name}"`, json)
    if (tooLarge !== undefined) return Effect.die(tooLarge)
    const body = Effect.flatMap(
      TaskContext,
      (info) => onThread(module.href, options?.export ?? "run", json, pulseOf(info))
    )
    return run(name, json, body) as never
  }
