/**
 * One attempt of a task: the handler's fibers, what they wait for, and the order in which the log answers them.
 *
 * ```text
 *   replaying ──(every recorded fact delivered)──► live ──► ended
 *       │                                            │
 *       └──────────── suspending · stopping · crashing ──► ended
 * ```
 *
 * While it replays nothing new is begun: what the code asks for and the log does not know is put aside until the last
 * recorded fact has been delivered. Facts reach the code one at a time, each only when the code is quiescent.
 */
import type { Settlement, TaskId } from "@coppice/task/Task"
import { isTerminal } from "@coppice/task/Task"
import type { Entry } from "@coppice/task/TaskLog"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { Scheduler } from "effect/Scheduler"
import type { Json } from "effect/Schema"
import { ReplayMismatch } from "../AgentError.ts"
import { contextOf } from "../TaskContext.ts"
import type { AgentServer } from "./AgentServer.ts"
import type { Delivery, Fact, Recorded } from "./Journal.ts"
import * as TaskRandom from "./TaskRandom.ts"
import { TaskScheduler } from "./TaskScheduler.ts"

export type Phase = "loading" | "replaying" | "live" | "stopping" | "suspending" | "crashing" | "ended"

/** What a turn left the execution in. */
export type Turn = "again" | "blocked" | "idle" | "ended"

/** Something the code waits for under a key of the log. */
export interface Operation<A, E> {
  readonly key: string
  /** Begins it: only called when the log does not know the key, and never while replaying. */
  readonly begin: () => void
  readonly interpret: (fact: Fact) => Effect.Effect<A, E>
  /** Takes it back because the waiting fiber was interrupted. */
  readonly withdraw: () => Effect.Effect<void>
}

/** How long a replay waits for code that has to come back from outside the log before it calls it changed. */
const mismatchGrace = Duration.seconds(1)

const nothing: Recorded = { deliveries: [], begun: new Set(), children: new Map(), lastSeq: 0 }

export class Execution {
  readonly id: TaskId
  readonly entry: Entry
  readonly server: AgentServer
  readonly input: Json
  phase: Phase
  /** The execution's place in its server's concurrency limit. */
  hasPlace = false
  /** True when an earlier process or attempt had begun the task, so that this one counts as a new attempt. */
  isRestart = false
  /** Set while it stands in the executor's ready list. */
  isReady = false
  /** Steps whose bodies run or whose results are not delivered yet. */
  bodies = 0
  /** Interruptions under way: nothing is delivered until they end. */
  holds = 0
  lastDelivered = 0
  readonly childIds: Map<string, TaskId>
  /** Keys of calls whose child has not been seen to settle. */
  readonly openChildren: Set<string>
  /** The attempt's number, once it began. */
  attempt = 0
  /** Why the attempt failed, when a step's body died or the code no longer fits. */
  failure: Cause.Cause<unknown> | undefined
  settlement: Settlement = "stopped"

  private readonly scheduler: TaskScheduler
  private readonly waits = new Map<string, (fact: Fact) => void>()
  private readonly deferred = new Map<string, () => void>()
  private readonly withdrawn = new Set<string>()
  private readonly ordinals = new Map<string, number>()
  private begun: Set<string>
  private mailbox: Array<Delivery>
  private next = 0
  private readonly lastSeq: number
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private taskTime: number
  private graceOver = false
  private graceRunning = false

  constructor(server: AgentServer, entry: Entry, input: Json, recorded: Recorded = nothing) {
    this.server = server
    this.entry = entry
    this.id = entry.state.id
    this.input = input
    this.begun = new Set(recorded.begun)
    this.childIds = new Map(recorded.children)
    this.openChildren = new Set(recorded.children.keys())
    this.mailbox = [...recorded.deliveries]
    this.lastSeq = recorded.lastSeq
    this.phase = recorded.begun.size > 0 ? "replaying" : "live"
    this.taskTime = entry.state.createdAt
    this.scheduler = new TaskScheduler(() => this.server.host.ready(this))
  }

  /** True when no fiber can move without the log, and something of the log will move it. */
  get isParkable(): boolean {
    return this.phase === "live" && this.waits.size > 0 && this.bodies === 0 && this.holds === 0 &&
      this.next === this.mailbox.length && this.scheduler.isQuiescent && this.fiber !== undefined
  }

  get isReplaying(): boolean {
    return this.phase === "replaying"
  }

  /** What the code waits for, for people who ask why. */
  get waitingFor(): ReadonlyArray<string> {
    return [...this.waits.keys()]
  }

  /** Unix milliseconds of the task's own clock: the time of the last fact its code has seen. */
  now(): number {
    return this.taskTime
  }

  /** How many times the text was asked for before. */
  ordinal(text: string): number {
    const n = this.ordinals.get(text) ?? 0
    this.ordinals.set(text, n + 1)
    return n
  }

  /** A fact for the code, after its commit. */
  push(delivery: Delivery): void {
    if (delivery.seq <= this.lastSeq) return
    this.mailbox.push(delivery)
    this.server.host.ready(this)
  }

  /** Waits for a fact under a key. */
  operation<A, E>(operation: Operation<A, E>): Effect.Effect<A, E> {
    return Effect.callback<A, E>((resume) => {
      const { key } = operation
      this.waits.set(key, (fact) => resume(operation.interpret(fact)))
      if (!this.begun.delete(key)) {
        if (this.phase === "replaying") this.deferred.set(key, operation.begin)
        else operation.begin()
      }
      return Effect.suspend(() => this.withdraw(operation))
    })
  }

  private withdraw<A, E>({ key, withdraw }: Operation<A, E>): Effect.Effect<void> {
    if (!this.waits.delete(key)) return Effect.void
    if (this.phase === "replaying") this.withdrawn.add(key)
    if (this.deferred.delete(key) || this.phase === "suspending" || this.phase === "crashing") return Effect.void
    return withdraw()
  }

  /** Waits, without having begun anything, for a fact that is on its way. For what must be seen to rest. */
  awaitFact(key: string): Effect.Effect<void> {
    return Effect.callback((resume) => {
      this.withdrawn.delete(key)
      this.waits.set(key, () => resume(Effect.void))
    })
  }

  /** Holds deliveries back until the effect ends. */
  hold(effect: Effect.Effect<unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.holds++
      return Effect.ensuring(
        Effect.asVoid(effect),
        Effect.sync(() => {
          this.holds--
          this.server.host.ready(this)
        })
      )
    })
  }

  /** Begins the handler, then runs until nothing moves, or until `deadline` of `performance.now()`. */
  turn(deadline: number): Turn {
    if (this.phase === "ended") return "ended"
    if (this.fiber === undefined) this.start()
    while (true) {
      if (!this.scheduler.drain(deadline)) return "again"
      if (this.hasEnded()) return "ended"
      if (this.holds > 0) return "blocked"
      const delivery = this.mailbox[this.next]
      if (delivery === undefined) {
        if (this.phase !== "replaying") return this.bodies > 0 ? "blocked" : "idle"
        this.goLive()
        continue
      }
      if (!this.deliver(delivery)) return "blocked"
      if (performance.now() > deadline) return "again"
    }
  }

  private hasEnded(): boolean {
    return this.phase === "ended"
  }

  private deliver(delivery: Delivery): boolean {
    const { at, fact, key, seq } = delivery
    const wait = this.waits.get(key)
    if (wait === undefined && this.phase === "replaying" && !this.withdrawn.has(key)) {
      if (!this.mismatch(key)) return false
    }
    this.advance()
    this.lastDelivered = seq
    if (at > this.taskTime) this.taskTime = at
    if (fact._tag === "Child") this.openChildren.delete(key)
    if (fact._tag === "Step" && this.bodies > 0 && seq > this.lastSeq) this.bodies--
    if (wait !== undefined) {
      this.waits.delete(key)
      wait(fact)
    }
    return true
  }

  private advance(): void {
    this.next++
    if (this.next === this.mailbox.length) {
      this.mailbox = []
      this.next = 0
    } else if (this.next > 1_024) {
      this.mailbox = this.mailbox.slice(this.next)
      this.next = 0
    }
  }

  /** Nobody asked for the next recorded fact. True when the execution has given up on it. */
  private mismatch(key: string): boolean {
    if (this.graceOver) {
      this.crash(Cause.die(
        new ReplayMismatch({ task: this.id, agent: this.entry.state.agent, recorded: key, waiting: this.waitingFor })
      ))
      return true
    }
    if (!this.graceRunning) {
      this.graceRunning = true
      this.server.host.fork(Effect.sleep(mismatchGrace)).addObserver(() => {
        this.graceOver = true
        this.server.host.ready(this)
      })
    }
    return false
  }

  private goLive(): void {
    this.phase = "live"
    this.withdrawn.clear()
    const begins = [...this.deferred.values()]
    this.deferred.clear()
    for (const begin of begins) begin()
  }

  private start(): void {
    this.attempt = this.server.claim(this)
    const { definition, host } = this.server
    const context = Context.mergeAll(
      definition.context,
      Context.make(Scheduler, this.scheduler),
      Context.make(Clock.Clock, this.clock()),
      Context.make(Random.Random, TaskRandom.make(this.id)),
      contextOf(this)
    )
    const fiber = Effect.runForkWith(context)(definition.handle(this.input))
    this.fiber = fiber
    fiber.addObserver((exit) => {
      const phase = this.phase
      this.phase = "ended"
      host.ended(this, phase, this.failure === undefined ? exit : Exit.failCause(this.failure))
    })
  }

  private clock(): Clock.Clock {
    return {
      currentTimeMillisUnsafe: () => this.taskTime,
      currentTimeMillis: Effect.sync(() => this.taskTime),
      currentTimeNanosUnsafe: () => BigInt(this.taskTime) * 1_000_000n,
      currentTimeNanos: Effect.sync(() => BigInt(this.taskTime) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => BigInt(this.taskTime) * 1_000_000n,
      monotonicTimeNanos: Effect.sync(() => BigInt(this.taskTime) * 1_000_000n),
      sleep: (duration) => this.sleep(duration)
    }
  }

  /** A durable timer: the wait of `Effect.sleep`, `timeout` and `Schedule` inside a handler. */
  private sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.suspend(() => {
      const millis = Math.ceil(Duration.toMillis(duration))
      if (millis <= 0) return Effect.yieldNow
      if (!Number.isFinite(millis)) return Effect.never
      if (this.isUnwinding) return Effect.provideService(Effect.sleep(duration), Clock.Clock, this.server.host.clock)
      const name = `timer:${millis}`
      const key = `${name}:${this.ordinal(name)}`
      const { log } = this.server.host
      return this.operation<void, never>({
        key,
        begin: () => {
          log.dispatch(this.entry, { _tag: "SetTimer", attempt: this.attempt, key, due: this.taskTime + millis })
        },
        interpret: () => Effect.void,
        withdraw: () => Effect.sync(() => log.clearTimer(this.id, key))
      })
    })
  }

  /** True while the code only cleans up: nothing it does is recorded any more. */
  get isUnwinding(): boolean {
    return this.phase === "stopping" || this.phase === "suspending" || this.phase === "crashing"
  }

  /** The task ended from outside: interrupts the code, whose finalizers run. */
  stop(): void {
    if (this.phase === "ended" || this.phase === "stopping") return
    this.interrupt("stopping")
  }

  /** Leaves memory without ending the task; children and steps in the log are untouched. */
  suspend(): void {
    if (this.phase === "ended" || this.isUnwinding) return
    this.interrupt("suspending")
  }

  /** Ends this attempt because of a defect outside the handler's own fibers. */
  crash(cause: Cause.Cause<unknown>): void {
    if (this.phase === "ended" || this.isUnwinding) return
    this.failure = cause
    this.interrupt("crashing")
  }

  private interrupt(phase: "stopping" | "suspending" | "crashing"): void {
    this.phase = phase
    this.deferred.clear()
    if (this.fiber === undefined) {
      this.phase = "ended"
      this.server.host.ended(this, phase, this.failure === undefined ? Exit.interrupt() : Exit.failCause(this.failure))
      return
    }
    this.fiber.interruptUnsafe()
    this.server.host.ready(this)
  }

  /** Gives up on a handler that does not stop: its fibers may run on, but write nothing. */
  abandon(): void {
    if (this.phase === "ended") return
    const phase = this.phase
    this.phase = "ended"
    this.settlement = "refused"
    this.server.host.ended(this, phase, Exit.interrupt())
  }

  get isTerminal(): boolean {
    return isTerminal(this.entry.state.status)
  }
}
