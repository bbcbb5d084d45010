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
import type { Json } from "effect/Schema"
import { AmbiguousStep, NotRecordable } from "../AgentError.ts"
import { CurrentStep } from "../CurrentStep.ts"
import { inBody, TaskContext } from "../TaskContext.ts"
import { fingerprint } from "./digest.ts"
import type { Execution } from "./Execution.ts"
import type { Fact } from "./Journal.ts"

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

const keyOf = (execution: Execution, step: Step): string | undefined => {
  const base = step.input === undefined
    ? `${step.kind}:${step.name}`
    : `${step.kind}:${step.name}:${fingerprint(canonical(step.input))}`
  const ordinal = execution.ordinal(base)
  if (step.input !== undefined) return `${base}:${ordinal}`
  return ordinal === 0 ? base : undefined
}

export const runStep = (execution: Execution, step: Step): Effect.Effect<any, any> =>
  Effect.withFiber((fiber) => {
    const key = keyOf(execution, step)
    if (key === undefined) return Effect.die(new AmbiguousStep({ step: step.name }))
    const context = outside(execution, step, key, fiber.context)
    if (execution.isUnwinding) return unrecorded(execution, step, context)
    const running = new Running(execution, step, key, context)
    return execution.operation({
      key,
      begin: () => running.begin(),
      interpret: (fact) => interpret(step, fact),
      withdraw: () => running.withdraw()
    })
  })

/** A finalizer of an ended task still does its work, but there is no log left to record it in. */
const unrecorded = (execution: Execution, step: Step, context: Context.Context<never>): Effect.Effect<any, any> =>
  execution.phase === "stopping" ? Effect.provideContext(step.body, context) : Effect.interrupt

/** The body runs in the world's time and order, not in the task's. */
const outside = (execution: Execution, step: Step, key: string, context: Context.Context<never>): Context.Context<never> =>
  Context.mergeAll(
    context,
    execution.server.host.outside,
    Context.make(TaskContext, inBody(execution, step.kind === "call")),
    Context.make(CurrentStep, {
      idempotencyKey: `${execution.id}/${key}`,
      attempt: execution.attempt
    })
  ) as Context.Context<never>

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
class Running {
  private readonly execution: Execution
  private readonly step: Step
  private readonly key: string
  private readonly context: Context.Context<never>
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private state: "waiting" | "running" | "recorded" | "withdrawn" = "waiting"
  private startedAt = 0

  constructor(execution: Execution, step: Step, key: string, context: Context.Context<never>) {
    this.execution = execution
    this.step = step
    this.key = key
    this.context = context
  }

  begin(): void {
    this.execution.bodies++
    // a body is visible outside: everything it may depend on has to be durable first
    this.execution.server.host.log.afterCommit((error) => {
      if (this.state !== "waiting" || error !== undefined || this.execution.isUnwinding) return
      this.run()
    })
  }

  private run(): void {
    this.state = "running"
    this.startedAt = this.execution.server.host.log.now()
    this.fiber = Effect.runForkWith(this.context)(this.step.body)
    this.fiber.addObserver((exit) => this.ended(exit))
  }

  private ended(exit: Exit.Exit<unknown, unknown>): void {
    if (this.state !== "running") return
    const recorded = this.record(exit)
    if (recorded === undefined) return
    this.state = "recorded"
    this.execution.server.host.log.dispatch(this.execution.entry, {
      _tag: "RecordStep",
      attempt: this.execution.attempt,
      key: this.key,
      name: this.step.name,
      exit: recorded,
      startedAt: this.startedAt
    })
  }

  /** The exit as the log keeps it; `undefined` when the attempt has to end because of it. */
  private record(exit: Exit.Exit<unknown, unknown>): RecordedExit | undefined {
    try {
      const failed = Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason) : undefined
      const crashed = Exit.isFailure(exit) && (failed === undefined || Cause.hasDies(exit.cause))
      if (crashed) return this.crash(exit.cause)
      const recorded: RecordedExit = Exit.isSuccess(exit)
        ? { _tag: "Success", value: this.step.encode(exit.value) }
        : { _tag: "Failure", error: this.step.encodeError(failed!.error) }
      const payload = recorded._tag === "Success" ? recorded.value : recorded.error
      const tooLarge = check(`The result of step "${this.step.name}"`, payload)
      return tooLarge === undefined ? recorded : this.crash(Cause.die(tooLarge))
    } catch (error) {
      return this.crash(Cause.die(new NotRecordable({ step: this.step.name, detail: messageOf(error) })))
    }
  }

  private crash(cause: Cause.Cause<unknown>): undefined {
    this.execution.crash(cause)
    return undefined
  }

  /** Stops the body and waits for its finalizers; nothing else reaches the code until then. */
  withdraw(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { fiber, state } = this
      if (state === "recorded") return Effect.void
      this.state = "withdrawn"
      this.execution.bodies--
      if (fiber === undefined) return Effect.void
      return this.execution.hold(Effect.callback<void>((resume) => {
        fiber.addObserver(() => resume(Effect.void))
        fiber.interruptUnsafe()
      }))
    })
  }
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
