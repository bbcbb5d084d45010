/**
 * One node: an orchestrator with its MCP endpoint, in one life after another over the same disk.
 */
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import * as Executor from "@coppice/agent/Executor"
import { HttpFetch } from "@coppice/mcp/HttpFetch"
import * as McpClient from "@coppice/mcp/McpClient"
import * as McpHttp from "@coppice/mcp/McpHttp"
import * as McpServer from "@coppice/mcp/McpServer"
import * as Seal from "@coppice/mcp/Seal"
import { TaskLog } from "@coppice/task/TaskLog"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as References from "effect/References"
import type { Orchestrator, Services } from "../../Orchestrator.ts"
import { dice } from "./dice.ts"
import type { Disk } from "./disk.ts"
import type { History, Lived } from "./history.ts"
import type { Sender } from "./wires.ts"
import type { Process, World } from "./world.ts"

type Running = Services | McpHttp.McpHttp

/** One life of a node. */
interface Life {
  readonly number: number
  readonly process: Process
  fiber: Fiber.Fiber<unknown, unknown> | undefined
  context: Context.Context<Running> | undefined
}

export interface Parts {
  readonly world: World
  readonly history: History
  readonly disk: Disk
  /** How its requests reach other nodes. */
  readonly fetch: (machine: Machine) => typeof globalThis.fetch
}

/** What hears of the death of a node: connections to it break. */
export type Mourner = () => void

const randomOf = (seed: number, purpose: string): typeof Random.Random.Service => {
  const { next } = dice(seed, purpose)
  return {
    nextDoubleUnsafe: next,
    nextIntUnsafe: () => Math.floor(next() * 2 ** 21) * 2 ** 32 + Math.floor(next() * 2 ** 32)
  }
}

export class Machine {
  readonly name: string
  /** Who it is to other nodes. */
  readonly principal = "local"
  readonly orchestrator: Orchestrator
  readonly disk: Disk
  private readonly parts: Parts
  private lives = 0
  private life: Life | undefined
  readonly mourners = new Set<Mourner>()
  private readonly hands: Process

  constructor(name: string, orchestrator: Orchestrator, parts: Parts) {
    this.name = name
    this.orchestrator = orchestrator
    this.disk = parts.disk
    this.parts = parts
    this.hands = parts.world.process(`${name}'s operator`)
  }

  get number(): number {
    return this.lives
  }

  /** The process of the present life. */
  get process(): Process | undefined {
    return this.life?.process
  }

  get isServing(): boolean {
    return this.life?.context !== undefined
  }

  service<I, S>(key: Context.Key<I, S>): S | undefined {
    const context = this.life?.context
    return context === undefined ? undefined : Context.get(context as unknown as Context.Context<I>, key)
  }

  /** Runs an effect in the present life, as one of its own. */
  run<A, E>(effect: Effect.Effect<A, E, Running>): Fiber.Fiber<A, E> | undefined {
    const { life } = this
    if (life?.context === undefined) return undefined
    const { context } = life
    return this.parts.world.as(life.process, () => Effect.runForkWith(context)(effect))
  }

  /** Answers a request over MCP. */
  answer(request: Request, body: unknown, { principal }: Sender): Promise<Response> | undefined {
    const by = principal === "local" ? "mcp" : principal
    return this.service(McpHttp.McpHttp)?.handle(request, body, { principal, isIdentified: true, by })
  }

  // ---------------------------------------------------------------- coming and going

  start(): void {
    if (this.life !== undefined) return
    const { world } = this.parts
    const number = ++this.lives
    const life: Life = {
      number,
      process: world.process(`${this.name}#${number}`),
      fiber: undefined,
      context: undefined
    }
    this.life = life
    this.note("starts", "")
    world.as(life.process, () => {
      life.fiber = Effect.runFork(this.program(life))
      life.fiber.addObserver((exit) => {
        if (this.life === life) this.end(life, "fails", Exit.isFailure(exit) ? brief(exit.cause) : "it ended")
      })
    })
  }

  /** It dies where it is: nothing more of it is written, sent or done. */
  crash(why: string): void {
    if (this.life !== undefined) this.end(this.life, "crashes", why)
  }

  /** It is told to stop, and killed when it has not within ten seconds. */
  stop(): void {
    const { life } = this
    if (life?.fiber === undefined || life.context === undefined) return this.crash("stopped while it started")
    life.context = undefined
    const { world } = this.parts
    const done = (): void => {
      if (this.life === life) this.end(life, "stops", "")
    }
    world.as(life.process, () => {
      life.fiber!.addObserver(done)
      life.fiber!.interruptUnsafe()
    })
    world.after(this.hands, 10_000, done)
  }

  pause(millis: number): void {
    const process = this.life?.process
    if (process === undefined) return
    process.isPaused = true
    this.parts.world.after(this.hands, millis, () => {
      process.isPaused = false
    })
  }

  /** Its wall clock is set, now and for all later lives. */
  setClock(by: number): void {
    this.skew += by
    if (this.life !== undefined) this.life.process.skew = this.skew
  }

  private skew = 0

  /** Nothing is wrong any more. */
  heal(): void {
    if (this.life !== undefined) this.life.process.isPaused = false
    this.start()
  }

  private end(life: Life, what: Lived["what"], why: string): void {
    const { world } = this.parts
    this.note(what, why)
    this.life = undefined
    world.kill(life.process)
    for (const mourn of [...this.mourners]) mourn()
    this.mourners.clear()
    // a supervisor of processes starts it again
    const pause = 50 + dice(world.seed, `restart ${this.name} ${life.number}`).next() ** 3 * 5_000
    world.after(this.hands, pause, () => this.start())
  }

  private note(what: Lived["what"], why: string): void {
    const { history, world } = this.parts
    history.add({ _tag: "Lived", at: world.elapsed, node: this.name, life: this.lives, what, why })
  }

  // ---------------------------------------------------------------- what runs in a life

  private layer(life: Life) {
    const { world } = this.parts
    const { mcp, executor } = this.orchestrator.options
    const store = this.disk.layer({
      process: life.process,
      life: life.number,
      crash: (why) => {
        if (this.life === life) this.crash(why)
      }
    })
    life.process.skew = this.skew
    const environment = Context.mergeAll(
      Context.make(Random.Random, randomOf(world.seed, `${this.name}#${life.number}`)),
      Context.make(HttpFetch, this.parts.fetch(this)),
      McpClient.freshEras(),
      Context.make(References.MinimumLogLevel, "None" as const)
    )
    const offer = { trusted: ["local"], ...mcp }
    const runtime = McpHttp.layer.pipe(
      Layer.provideMerge(McpServer.layer({ offer, version: "simulated", why: (task) => Effect.succeed({ task }) })),
      Layer.provideMerge(Seal.layer),
      Layer.provideMerge(this.orchestrator.layer),
      Layer.provide(store)
    )
    // of real time, which does not pass within a turn
    const slice = Layer.succeed(Executor.ExecutorOptions, {
      idleAfter: "10 seconds",
      maxIdle: 10_000,
      shutdown: "5 seconds",
      slice: 60_000,
      // here it is the world that kills, and no task
      quarantine: Infinity,
      trial: "5 seconds",
      ...executor
    })
    return { runtime: Layer.provide(runtime, slice), environment }
  }

  private program(life: Life): Effect.Effect<unknown, unknown> {
    const { environment, runtime } = this.layer(life)
    const whole = Effect.gen({ self: this }, function*() {
      const context = yield* Layer.build(runtime)
      life.context = context
      this.note("serves", "")
      const stopped = Effect.callback<never, unknown>((resume) => {
        const off = Context.get(context, TaskLog).onStop((error) => resume(Effect.fail(error)))
        return Effect.sync(off)
      })
      return yield* Effect.raceFirst(stopped, Context.get(context, AgentSupervisor).escalation)
    })
    return Effect.provideContext(Effect.scoped(whole) as Effect.Effect<unknown, unknown>, environment)
  }
}

const brief = (cause: Cause.Cause<unknown>): string => Cause.pretty(cause).split("\n")[0] ?? ""
