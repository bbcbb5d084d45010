/**
 * A recorded effect: run once, read from the log ever after.
 */
import { isAbout, type Outcome, outcomeKey, outcomeOf, question } from "@coppice/task/Doubt"
import { canonical, check } from "@coppice/task/Payload"
import type { InputResponse, RecordedExit } from "@coppice/task/TaskEvent"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { AmbiguousStep, NotRecordable, OutcomeUnknown } from "../AgentError.ts"
import { CurrentStep } from "../CurrentStep.ts"
import { problemOf } from "./codecs.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import type { Fact } from "./Journal.ts"
import type { Operation } from "./Waits.ts"

/** A step with its types erased: how its value and error become JSON and come back. */
export interface Step {
  readonly name: string
  readonly kind: "step" | "call"
  readonly input: Json | undefined
  readonly body: Effect.Effect<any, any>
  readonly encode: (value: unknown) => Json
  readonly decode: (json: Json) => Exit.Exit<any, any>
  readonly encodeError: (error: unknown) => Json
  readonly decodeError: (json: Json) => Exit.Exit<any, any>
  /** The body must not run twice unseen. */
  readonly care?: Care | undefined
  readonly saga?: SagaPart | undefined
}

/** What a step is in a saga: it can be undone, or it undoes the one under this key. A retry takes over neither. */
export type SagaPart = { readonly compensable: true } | { readonly compensates: string }

/** What is done about a body that may have run: `verify` can tell, or a person is asked. */
interface Care {
  readonly verify: Effect.Effect<Option.Option<any>, any> | undefined
}

const keyOf = (execution: Execution, { input, kind, name }: Step): string | undefined => {
  if (input !== undefined) {
    const base = `${kind}:${name}:${fingerprint(canonical(input))}`
    return `${base}:${execution.ordinal(base)}`
  }
  // a name that looks like one with input and number must not be taken for it
  const key = /:\d*$/.test(name) ? `${kind}:${name}:` : `${kind}:${name}`
  return execution.ordinal(key) === 0 ? key : undefined
}

/** `around` is the context of the fiber that asks. */
export const runStep = (
  execution: Execution,
  step: Step,
  around: Context.Context<never>
): Effect.Effect<any, any> => {
  const key = keyOf(execution, step)
  if (key === undefined) return Effect.die(new AmbiguousStep({ step: step.name }))
  const context = outside(execution, step, key, around)
  if (execution.isUnwinding) return unrecorded(execution, step, context)
  return execution.operation(
    step.care === undefined
      ? new Running(execution, step, key, context)
      : new Careful(execution, step, key, context)
  )
}

/** A finalizer of an ended task still does its work, but there is no log left to record it in. */
const unrecorded = (execution: Execution, step: Step, context: Context.Context<never>): Effect.Effect<any, any> =>
  execution.phase === "stopping"
    ? Effect.tap(Effect.provideContext(step.body, context), () => Effect.sync(() => void execution.end.cleanups++))
    : Effect.interrupt

/** A step that is looked into by a retry keeps the key it had. */
const idempotencyKeyOf = (execution: Execution, key: string): string =>
  `${execution.doubts.intents.get(key)?.from ?? execution.id}/${key}`

/** The body runs in the world's time and order, not in the task's. */
const outside = (
  execution: Execution,
  step: Step,
  key: string,
  context: Context.Context<never>
): Context.Context<never> =>
  Context.add(execution.surroundings.of(context, step.kind === "call"), CurrentStep, {
    idempotencyKey: idempotencyKeyOf(execution, key),
    attempt: execution.attempt
  })

const interpret = (step: Step, fact: Fact): Effect.Effect<any, any> => {
  if (fact._tag !== "Step") return Effect.die(new Error(`A step was answered by a ${fact._tag}`))
  const { exit } = fact
  if (exit._tag === "Failure" && exit.givenUpBy !== undefined) {
    return Effect.fail(new OutcomeUnknown({ step: step.name, by: exit.givenUpBy }))
  }
  const decoded = exit._tag === "Success" ? step.decode(exit.value) : step.decodeError(exit.error)
  if (Exit.isFailure(decoded)) {
    return Effect.die(new NotRecordable({ step: step.name, detail: String(Cause.squash(decoded.cause)) }))
  }
  return exit._tag === "Success" ? Effect.succeed(decoded.value) : Effect.fail(decoded.value)
}

/** The live side of one step: waits until what came before is durable, runs the body, records how it ended. */
class Running implements Operation<any, any> {
  protected readonly execution: Execution
  protected readonly step: Step
  readonly key: string
  protected readonly context: Context.Context<never>
  protected fiber: Fiber.Fiber<unknown, unknown> | undefined
  protected state: "new" | "begun" | "asking" | "over" = "new"
  protected startedAt = 0
  /** How the body ended after its task had. */
  private kept: Exit.Exit<Fact> | undefined

  constructor(execution: Execution, step: Step, key: string, context: Context.Context<never>) {
    this.execution = execution
    this.step = step
    this.key = key
    this.context = context
  }

  begin(): void {
    this.state = "begun"
    this.execution.bodies++
    const reused = this.execution.past.reused.get(this.key)
    // a result the step's schema has outgrown is made anew
    if (reused !== undefined && Exit.isSuccess(this.step.decode(reused))) {
      return this.take({ _tag: "Success", value: reused })
    }
    this.runWhenDurable()
  }

  /** Records what was not made here. */
  protected take(exit: RecordedExit): void {
    this.startedAt = this.execution.server.host.log.now()
    this.record(exit)
  }

  protected runWhenDurable(): void {
    // a body is visible outside: everything it may depend on has to be durable first. What other tasks do meanwhile it
    // cannot know, and does not wait for
    const { log } = this.execution.server.host
    if (log.isDurable(this.execution.entry)) return this.run()
    log.afterCommit((error) => {
      if (error === undefined) this.run()
    })
  }

  /** A task that has ended has no log to record it in, but the code waits for it and cannot be stopped. */
  orphaned(): void {
    if (this.kept !== undefined) this.execution.answer(this.key, this.kept)
    else if (this.state === "new" && !this.execution.willBeAnswered(this.key)) this.begin()
  }

  protected run(): void {
    if (this.state !== "begun" || this.execution.isUnwinding && this.execution.phase !== "stopping") return
    this.startedAt = this.execution.server.host.log.now()
    this.fiber = this.execution.running.run(this.step.body, this.context)
    this.fiber.addObserver((exit) => this.ended(exit))
  }

  protected ended(exit: Exit.Exit<unknown, unknown>): void {
    if (this.state !== "begun" || this.execution.hasEnded) return
    const recorded = recordedExit(this.step, exit)
    if (Exit.isFailure(recorded)) return this.died(recorded.cause)
    this.record(recorded.value)
  }

  protected record(exit: RecordedExit): void {
    const decided = this.execution.server.host.log.dispatch(this.execution.entry, {
      _tag: "RecordStep",
      attempt: this.execution.attempt,
      key: this.key,
      name: this.step.name,
      exit,
      startedAt: this.startedAt,
      ...this.step.saga
    })
    if (Result.isFailure(decided)) this.keep(Exit.succeed({ _tag: "Step", exit }))
  }

  /** A task that has ended records nothing; code that cannot be interrupted still gets what it waits for. */
  private keep(exit: Exit.Exit<Fact>): void {
    this.kept = exit
    if (this.execution.phase === "stopping") this.execution.answer(this.key, exit)
  }

  /** The attempt ends because of it, unless the task has. */
  protected died(cause: Cause.Cause<never>): void {
    if (this.execution.phase === "stopping") this.keep(Exit.failCause(cause))
    else this.execution.crash(cause)
  }

  interpret(fact: Fact): Effect.Effect<any, any> {
    this.delivered()
    return interpret(this.step, fact)
  }

  private delivered(): void {
    if (this.state === "begun") this.execution.bodies--
    this.state = "over"
  }

  withdraw(): Effect.Effect<void> {
    return this.halt()
  }

  /** Stops the body and waits for its finalizers; nothing else reaches the code until then. */
  halt(): Effect.Effect<void> {
    return this.execution.hold((over) => {
      this.delivered()
      if (this.fiber === undefined) return over()
      this.fiber.addObserver(over)
      this.fiber.interruptUnsafe()
    })
  }
}

/**
 * A step whose body must not run twice unseen.
 *
 * ```text
 *  begin ─► intent ─► body ─► record
 *             │ an intent without a record is found
 *             ▼
 *          verify ── done ─► record
 *             │  └── not done ─► intent ─► body
 *             ▼ cannot tell
 *          a person ── happened ─► record · did not ─► intent ─► body · gives up ─► record
 * ```
 */
class Careful extends Running {
  /** How often the body was about to run. */
  private runs: number
  /** Answers about the last run that did not fit. */
  private misfits = 0
  private asked: string | undefined

  constructor(execution: Execution, step: Step, key: string, context: Context.Context<never>) {
    super(execution, step, key, context)
    this.runs = execution.doubts.intents.get(key)?.runs ?? 0
  }

  protected override runWhenDurable(): void {
    if (this.runs === 0) this.intend()
    else this.resolve()
  }

  /** Without a log there is nothing that would stop a second run. */
  override orphaned(): void {
    if (!this.execution.willBeAnswered(this.key)) this.execution.answer(this.key, Exit.interrupt())
  }

  /** Nobody waits for the step any more; the question goes with it, unless the code only leaves memory. */
  override halt(): Effect.Effect<void> {
    const { doubts, phase } = this.execution
    if (this.asked !== undefined) doubts.forget(this.asked)
    if (phase !== "suspending" && phase !== "crashing") this.unask()
    return super.halt()
  }

  private intend(): void {
    const { attempt, entry, server: { host: { log } } } = this.execution
    const { key, step: { name } } = this
    if (Result.isFailure(log.dispatch(entry, { _tag: "IntendStep", attempt, key, name }))) return
    this.runs++
    this.misfits = 0
    log.afterCommit((error) => {
      if (error === undefined) this.run()
    })
  }

  private resolve(): void {
    if (this.answer !== undefined) return this.decide(this.answer)
    const verify = this.step.care?.verify
    if (verify === undefined) return this.ask("It was begun, and no end of it was recorded.")
    this.fiber = this.execution.running.run(verify, this.context)
    this.fiber.addObserver((exit) => this.verified(exit as Exit.Exit<Option.Option<unknown>, unknown>))
  }

  private verified(exit: Exit.Exit<Option.Option<unknown>, unknown>): void {
    if (this.state !== "begun" || this.execution.hasEnded) return
    // who was asked before this verification began has answered
    if (this.answer !== undefined) return this.decide(this.answer)
    if (Exit.isFailure(exit)) {
      const failed = exit.cause.reasons.find(Cause.isFailReason)
      if (failed === undefined || Cause.hasDies(exit.cause)) return this.died(exit.cause as Cause.Cause<never>)
      return this.ask(`Looking for its effect failed: ${shortOf(failed.error)}.`)
    }
    this.unask()
    if (Option.isNone(exit.value)) return this.intend()
    this.startedAt = this.execution.server.host.log.now()
    this.ended(Exit.succeed(exit.value.value))
  }

  // ---------------------------------------------------------------- asking

  private get question(): string {
    return outcomeKey(this.key, this.runs, this.misfits)
  }

  private get answer() {
    return this.execution.doubts.get(this.question)
  }

  private ask(doubt: string): void {
    const { execution, question: key, step: { name } } = this
    const { attempt, doubts, entry, server: { host } } = execution
    const message = `Did step "${name}" happen? ${doubt} Its idempotency key is ${
      idempotencyKeyOf(execution, this.key)
    }`
    const request = question(key, message)
    // refused: it stands in the inbox already
    host.log.dispatch(entry, { _tag: "RequestInput", attempt, request })
    this.asked = key
    // a task that waits for a person holds no place, and may leave memory
    this.state = "asking"
    execution.bodies--
    doubts.wait(key, () => {
      this.state = "begun"
      execution.bodies++
      this.decide(this.answer!)
    })
    host.ready(execution)
  }

  private unask(): void {
    const { attempt, entry, server: { host } } = this.execution
    for (const { key } of entry.state.inputs) {
      if (!isAbout(key, this.key, this.runs)) continue
      host.log.dispatch(entry, { _tag: "WithdrawInput", attempt, key })
    }
  }

  private decide(response: InputResponse): void {
    const outcome = outcomeOf(response)
    const problem = this.problemOf(outcome)
    if (problem !== undefined) {
      this.misfits++
      return this.answer === undefined
        ? this.ask(`The answer of ${response.by} cannot be taken: ${problem}.`)
        : this.resolve()
    }
    if (outcome._tag === "DidNotHappen") return this.intend()
    if (outcome._tag === "Happened") return this.take({ _tag: "Success", value: outcome.result })
    this.take({ _tag: "Failure", error: `outcome unknown, given up by ${response.by}`, givenUpBy: response.by })
  }

  private problemOf(outcome: Outcome): string | undefined {
    if (outcome._tag === "Unreadable") return outcome.problem
    if (outcome._tag !== "Happened") return undefined
    const tooLarge = check("the result", outcome.result)
    if (tooLarge !== undefined) return tooLarge.message
    const decoded = this.step.decode(outcome.result)
    return Exit.isSuccess(decoded) ? undefined : `the result does not fit: ${problemOf(decoded.cause).message}`
  }
}

const shortOf = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split("\n")[0]!.slice(0, 200)

/** The exit as the log keeps it; a failure when it cannot be kept and the attempt has to end because of it. */
const recordedExit = (step: Step, exit: Exit.Exit<unknown, unknown>): Exit.Exit<RecordedExit> => {
  try {
    const failed = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason) : undefined
    if (Exit.isFailure(exit) && (failed === undefined || Cause.hasDies(exit.cause))) {
      return Exit.failCause(exit.cause as Cause.Cause<never>)
    }
    const recorded: RecordedExit = Exit.isSuccess(exit)
      ? { _tag: "Success", value: step.encode(exit.value) }
      : { _tag: "Failure", error: step.encodeError(failed!.error) }
    const tooLarge = check(
      `The result of step "${step.name}"`,
      recorded._tag === "Success" ? recorded.value : recorded.error
    )
    return tooLarge === undefined ? Exit.succeed(recorded) : Exit.die(tooLarge)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return Exit.die(new NotRecordable({ step: step.name, detail }))
  }
}
