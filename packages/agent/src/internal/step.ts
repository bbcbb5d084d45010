/**
 * A recorded effect: run once, read from the log ever after.
 */
import { canonical, check } from "@coppice/task/Payload"
import type { RecordedExit } from "@coppice/task/TaskEvent"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { AmbiguousStep, NotRecordable } from "../AgentError.ts"
import { CurrentStep } from "../CurrentStep.ts"
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
  return execution.operation(new Running(execution, step, key, context))
}

/** A finalizer of an ended task still does its work, but there is no log left to record it in. */
const unrecorded = (execution: Execution, step: Step, context: Context.Context<never>): Effect.Effect<any, any> =>
  execution.phase === "stopping"
    ? Effect.tap(Effect.provideContext(step.body, context), () => Effect.sync(() => void execution.end.cleanups++))
    : Effect.interrupt

/** The body runs in the world's time and order, not in the task's. */
const outside = (
  execution: Execution,
  step: Step,
  key: string,
  context: Context.Context<never>
): Context.Context<never> =>
  Context.add(execution.surroundings.of(context, step.kind === "call"), CurrentStep, {
    idempotencyKey: `${execution.id}/${key}`,
    attempt: execution.attempt
  })

const interpret = (step: Step, fact: Fact): Effect.Effect<any, any> => {
  if (fact._tag !== "Step") return Effect.die(new Error(`A step was answered by a ${fact._tag}`))
  const { exit } = fact
  const decoded = exit._tag === "Success" ? step.decode(exit.value) : step.decodeError(exit.error)
  if (Exit.isFailure(decoded)) {
    return Effect.die(new NotRecordable({ step: step.name, detail: String(Cause.squash(decoded.cause)) }))
  }
  return exit._tag === "Success" ? Effect.succeed(decoded.value) : Effect.fail(decoded.value)
}

/** The live side of one step: waits until what came before is durable, runs the body, records how it ended. */
class Running implements Operation<any, any> {
  private readonly execution: Execution
  private readonly step: Step
  readonly key: string
  private readonly context: Context.Context<never>
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private state: "new" | "begun" | "over" = "new"
  private startedAt = 0
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
    const reused = this.execution.reused.get(this.key)
    // a result the step's schema has outgrown is made anew
    if (reused !== undefined && Exit.isSuccess(this.step.decode(reused))) {
      this.startedAt = this.execution.server.host.log.now()
      return this.record({ _tag: "Success", value: reused })
    }
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

  private run(): void {
    if (this.state !== "begun" || this.execution.isUnwinding && this.execution.phase !== "stopping") return
    this.startedAt = this.execution.server.host.log.now()
    this.fiber = this.execution.runBody(this.step.body, this.context)
    this.fiber.addObserver((exit) => this.ended(exit))
  }

  private ended(exit: Exit.Exit<unknown, unknown>): void {
    if (this.state !== "begun" || this.execution.hasEnded) return
    const recorded = recordedExit(this.step, exit)
    if (Exit.isFailure(recorded)) return this.died(recorded.cause)
    this.record(recorded.value)
  }

  private record(exit: RecordedExit): void {
    const decided = this.execution.server.host.log.dispatch(this.execution.entry, {
      _tag: "RecordStep",
      attempt: this.execution.attempt,
      key: this.key,
      name: this.step.name,
      exit,
      startedAt: this.startedAt
    })
    if (Result.isFailure(decided)) this.keep(Exit.succeed({ _tag: "Step", exit }))
  }

  /** A task that has ended records nothing; code that cannot be interrupted still gets what it waits for. */
  private keep(exit: Exit.Exit<Fact>): void {
    this.kept = exit
    if (this.execution.phase === "stopping") this.execution.answer(this.key, exit)
  }

  /** The attempt ends because of it, unless the task has. */
  private died(cause: Cause.Cause<never>): void {
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
