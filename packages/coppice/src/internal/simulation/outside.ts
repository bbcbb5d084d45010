/**
 * Services outside of the runtime, such as a bank, a mailer or a model: what they were asked and what they did is part of
 * the history.
 */
import { CurrentStep } from "@coppice/agent/CurrentStep"
import { TaskContext } from "@coppice/agent/TaskContext"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Json } from "effect/Schema"
import type { Dice } from "./dice.ts"
import { dice } from "./dice.ts"
import type { Acted, History } from "./history.ts"
import type { Injector } from "./injector.ts"
import type { Process, World } from "./world.ts"

/** An outside service gave no reply to use. */
export class ServiceError extends Data.TaggedError("ServiceError")<{
  readonly service: string
  /** `refused`: nothing happened. `lost`: it may have happened. `busy`: too many requests, try again later. */
  readonly reason: "refused" | "lost" | "busy"
  /** Milliseconds to wait, where the service said so. */
  readonly retryAfter: number | undefined
}> {
  override get message(): string {
    return `Service "${this.service}" ${
      this.reason === "refused" ? "refused" : this.reason === "lost" ? "did not reply" : "has too many requests"
    }`
  }
}

export interface ServiceOptions {
  /** Milliseconds a call takes, at least and at most. [1 to 20] */
  readonly takes?: readonly [number, number] | undefined
  /** It knows idempotency keys: a second call with a key changes nothing and gets the first one's reply. [false] */
  readonly honoursKeys?: boolean | undefined
  /** What it replies. [null] */
  readonly reply?: ((request: Json) => Json) | undefined
}

export interface Service {
  readonly name: string
  /**
   * Calls the service. Within a step its idempotency key goes along.
   *
   * Fails with `ServiceError`; a process that dies meanwhile never hears of it.
   */
  readonly call: (request: Json) => Effect.Effect<Json, ServiceError>
  /**
   * Looks whether it has done what it was asked under an idempotency key, and what it replied then: for the `verify` of a
   * step. Fails with `ServiceError`.
   */
  readonly look: (key: string) => Effect.Effect<Option.Option<Json>, ServiceError>
}

/** Which node and life a process belongs to. */
export type Residence = (process: Process) => { readonly node: string; readonly life: number }

type Phase = Acted["phase"]

/** Milliseconds a call takes. */
const usual = [1, 20] as const

export class Outside {
  private calls = 0
  /** Every run of a body has a `CurrentStep` of its own. */
  private readonly bodies = new Map<object, number>()
  private readonly world: World
  private readonly history: History
  private readonly injector: Injector
  private readonly residence: Residence
  private readonly process: Process
  private readonly dice: Dice

  constructor(world: World, history: History, injector: Injector, residence: Residence) {
    this.world = world
    this.history = history
    this.injector = injector
    this.residence = residence
    this.process = world.process("outside")
    this.dice = dice(world.seed, "outside")
  }

  service(name: string, options: ServiceOptions): Service {
    const known = new Map<string, Json>()
    return {
      name,
      call: (request) => this.call(name, options, known, request),
      look: (key) => this.look(name, options, known, key)
    }
  }

  private look(
    service: string,
    { takes = usual }: ServiceOptions,
    known: Map<string, Json>,
    key: string
  ): Effect.Effect<Option.Option<Json>, ServiceError> {
    const { history, injector, world } = this
    return Effect.callback((resume) => {
      const process = world.current
      if (!process.isAlive) return
      const who = { ...this.residence(process), task: null, attempt: 0, body: 0 }
      const nth = this.calls++
      world.after(this.process, takes[0] + this.dice.next() * (takes[1] - takes[0]), () => {
        const failed = injector.nth("outside-error", nth) !== undefined
        const phase = failed ? "fails" : known.has(key) ? "confirms" : "denies"
        history.add({ _tag: "Acted", at: world.elapsed, service, request: "look", key, ...who, phase })
        const found = known.get(key)
        world.after(process, 0.1, () =>
          resume(
            failed
              ? Effect.fail(new ServiceError({ service, reason: "refused", retryAfter: undefined }))
              : Effect.succeed(found === undefined ? Option.none() : Option.some(found))
          ))
      })
    })
  }

  private bodyOf(step: object | undefined): number {
    if (step === undefined) return 0
    const body = this.bodies.get(step) ?? this.bodies.size + 1
    this.bodies.set(step, body)
    return body
  }

  private call(
    service: string,
    { honoursKeys, reply, takes = usual }: ServiceOptions,
    known: Map<string, Json>,
    request: Json
  ): Effect.Effect<Json, ServiceError> {
    const { injector, world } = this
    return Effect.withFiber((fiber) =>
      Effect.callback<Json, ServiceError>((resume) => {
        const process = world.current
        const step = Context.get(fiber.context, CurrentStep)
        const task = Context.getOrUndefined(fiber.context as Context.Context<TaskContext>, TaskContext)
        const key = step?.idempotencyKey ?? null
        const who = {
          ...this.residence(process),
          task: task?.id ?? null,
          attempt: step?.attempt ?? task?.attempt ?? 0,
          body: this.bodyOf(step)
        }
        const note = (phase: Phase) =>
          this.history.add({ _tag: "Acted", at: world.elapsed, service, request, key, ...who, phase })
        // what a dead process asks for goes nowhere
        if (!process.isAlive) return
        note("begins")
        const nth = this.calls++
        const back = (exit: Effect.Effect<Json, ServiceError>) => void world.after(process, 0.1, () => resume(exit))
        const failed = (reason: ServiceError["reason"], retryAfter?: number) => {
          note(reason === "lost" ? "happens" : "fails")
          back(Effect.fail(new ServiceError({ service, reason, retryAfter })))
        }
        const arrive = () => {
          if (injector.nth("outside-error", nth) !== undefined) return failed("refused")
          const busy = injector.nth("outside-429", nth)
          if (busy !== undefined) return failed("busy", busy.millis)
          const before = key === null || honoursKeys !== true ? undefined : known.get(key)
          if (before !== undefined) {
            note("repeats")
            return back(Effect.succeed(before))
          }
          const value = reply?.(request) ?? null
          if (key !== null) known.set(key, value)
          if (injector.nth("outside-lost-reply", nth) !== undefined) return failed("lost")
          note("happens")
          back(Effect.succeed(value))
        }
        const slow = injector.nth("outside-slow", nth)?.millis ?? 0
        world.after(this.process, takes[0] + this.dice.next() * (takes[1] - takes[0]) + slow, arrive)
      })
    )
  }
}
