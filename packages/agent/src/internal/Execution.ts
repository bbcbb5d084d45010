/**
 * One attempt of a task: the handler's fibers, what they wait for, and the order in which the log answers them. While it replays nothing new is begun: what the code asks for and the log does not know is put aside until the last
 * recorded fact has been delivered. Facts reach the code one at a time, each only when the code is quiescent. It ends when
 * the handler has returned and nothing it left behind waits for the log any more.
 */
import { isTerminal, type TaskId } from "@coppice/task/Task"
import type { InputResponse, TaskEvent } from "@coppice/task/TaskEvent"
import type { Entry } from "@coppice/task/TaskLog"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Json } from "effect/Schema"
import { isOutgrown, ReplayMismatch } from "../AgentError.ts"
import type { AgentServer } from "./AgentServer.ts"
import { Bodies } from "./Bodies.ts"
import { Doubts } from "./Doubts.ts"
import { handlerContext } from "./handlerContext.ts"
import { Holds } from "./Holds.ts"
import { type Delivery, type Fact, isCancelledByParent, nothing, type Recorded } from "./Journal.ts"
import { LazyMap, LazySet } from "./lazy.ts"
import { Mailbox } from "./Mailbox.ts"
import { Messages } from "./Messages.ts"
import type { Phase, Turn } from "./Phase.ts"
import { Prefix } from "./Prefix.ts"
import { Pulse } from "./Pulse.ts"
import { Surroundings } from "./surroundings.ts"
import { TaskScheduler } from "./TaskScheduler.ts"
import { type Beginning, type Operation, Waits } from "./Waits.ts"

export class Execution {
  readonly id: TaskId
  readonly entry: Entry
  readonly server: AgentServer
  readonly input: Json
  phase: Phase
  /** The execution's place in its server's concurrency limit. */
  hasPlace = false
  /** Set while it stands in the executor's ready list. */
  isReady = false
  /** Set while it only waits for the log. */
  isIdle = false
  /** Step bodies that run, or whose results are not delivered yet. */
  bodies = 0
  /** Calls that have not become tasks because the agent has no room or is not there. */
  readonly heldBack = new LazySet<string>()
  lastDelivered = 0
  private lastKey: string | undefined
  /** Children by the key of their call. */
  readonly childIds = new LazyMap<string, TaskId>()
  /** Keys of calls whose child has not been seen to settle. */
  readonly openChildren = new LazySet<string>()
  /** The attempt's number, once it began. */
  attempt = 0
  /** How its code came to its end: whether it had to be abandoned, and how many steps its finalizers ran. */
  readonly end = { isAbandoned: false, cleanups: 0 }
  /** What earlier executions left, of a task that is brought back. */
  readonly past: typeof nothing
  /** A fact came after it had begun to leave memory. */
  hasNews = false
  /** Steps whose outcome nobody knows. */
  readonly doubts: Doubts
  /** Of its steps' bodies. */
  readonly surroundings = new Surroundings(this)
  readonly running = new Bodies(this)
  readonly pulse: Pulse

  private told: Messages | undefined
  private readonly scheduler: TaskScheduler
  private readonly mailbox: Mailbox
  private readonly waits = new Waits()
  private readonly prefix: Prefix
  /** Grows with every new wait and change of mind: the end need not look at all waits each time. */
  private changes = 0
  private unwound = 0
  private toldAt = -1
  private readonly deferred = new LazyMap<string, Beginning>()
  private readonly holds = new Holds(() => this.server.host.ready(this))
  private readonly ordinals = new LazyMap<string, number>()
  private readonly begun: LazySet<string>
  /** When timers of an earlier attempt are due. */
  private readonly lapsed: ReadonlyMap<string, number>
  /** How children ended that have not settled. */
  private readonly endings = new LazyMap<TaskId, TaskEvent>()
  /** Whether it counts as another attempt. */
  readonly isNext: boolean
  hasBegun = false
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private exit: Exit.Exit<unknown, unknown> | undefined
  /** Why the attempt failed, when a step's body died or the code no longer fits. */
  private failure: Cause.Cause<unknown> | undefined
  private taskTime: number
  private grace: { readonly key: string } | undefined

  constructor(server: AgentServer, entry: Entry, input: Json, past?: Recorded) {
    this.past = past ?? nothing
    const { begun, children, deliveries, doubts, isNext, lapsed, lastSeq } = this.past
    this.server = server
    this.entry = entry
    this.id = entry.state.id
    this.input = input
    this.isNext = isNext
    this.begun = new LazySet(begun)
    this.lapsed = lapsed
    this.doubts = new Doubts(doubts)
    this.prefix = new Prefix(this.past.prefix)
    this.mailbox = new Mailbox(deliveries, lastSeq)
    this.phase = past === undefined ? "live" : "replaying"
    this.taskTime = past?.startedAt ?? entry.state.createdAt
    this.scheduler = new TaskScheduler(() => this.server.host.ready(this))
    this.pulse = new Pulse(server.host.clock)
    for (const [key, { ending, id, settledSeq }] of children) {
      this.childIds.set(key, id)
      this.openChildren.add(key)
      if (settledSeq === null && ending !== null) this.endings.set(id, ending)
    }
  }

  /** True when no fiber can move without the log, and something of the log will move it. */
  get isParkable(): boolean {
    return this.phase === "live" && this.hasBegun && this.exit === undefined && this.waits.size > 0 &&
      this.bodies === 0 && this.heldBack.size === 0 && this.holds.isEmpty && this.mailbox.isEmpty &&
      !this.doubts.hasNews && this.scheduler.isQuiescent
  }

  /** True while its code moves, or waits for something that is neither of the log nor a place nor a thread. */
  get isAtWork(): boolean {
    if (!this.hasBegun || this.isUnwinding || this.exit !== undefined) return false
    if (this.bodies > this.pulse.queued || !this.holds.isEmpty) return true
    return this.scheduler.isQuiescent ? this.waits.size === 0 : this.hasPlace
  }

  get isReplaying(): boolean {
    return this.phase === "replaying"
  }

  /** What the code waits for, for people who ask why. */
  get waitingFor(): ReadonlyArray<string> {
    return this.waits.keys()
  }

  /** True while the code only cleans up: nothing it does is recorded any more. */
  get isUnwinding(): boolean {
    return this.phase === "stopping" || this.phase === "suspending" || this.phase === "crashing" || this.hasEnded
  }

  get hasEnded(): boolean {
    return this.phase === "ended"
  }

  /** True before it has run any code. */
  get isNew(): boolean {
    return this.entry.state.attempt === 0
  }

  /** What it was told, and who waits to hear it. */
  get messages(): Messages {
    return this.told ??= new Messages(this)
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

  // ---------------------------------------------------------------- waiting

  /** Waits for a fact under a key. */
  operation<A, E>(operation: Operation<A, E>): Effect.Effect<A, E> {
    return Effect.callback<A, E>((resume) => {
      if (this.hasEnded) return
      const { key } = operation
      const value = this.past.answers.get(key)
      if (value !== undefined) return resume(operation.interpret({ _tag: "Step", exit: { _tag: "Success", value } }))
      this.waits.begin(operation, resume)
      this.changes++
      if (this.prefix.has(key)) this.server.host.ready(this)
      else if (!this.begun.delete(key) || this.lapsed.has(key)) this.begin(operation)
      // code that had waited for something outside the log runs on without a turn; what it asks for may be recorded
      if (!this.scheduler.isInside) this.server.host.ready(this)
      return Effect.suspend(() => this.withdraw(operation))
    })
  }

  private begin(operation: Beginning): void {
    if (this.phase === "replaying") this.deferred.set(operation.key, operation)
    else this.launch(operation)
  }

  private withdraw<A, E>(operation: Operation<A, E>): Effect.Effect<void> {
    const { key } = operation
    if (!this.waits.delete(key)) return Effect.void
    this.heldBack.delete(key)
    if (this.deferred.delete(key) || this.phase === "suspending" || this.phase === "crashing") return operation.halt()
    return operation.withdraw()
  }

  /** Waits, without having begun anything, for a fact that is on its way. For what must be seen to rest. */
  awaitFact(key: string): Effect.Effect<void> {
    return Effect.callback((resume) => {
      if (!this.hasEnded) this.waits.await(key, () => resume(Effect.void))
    })
  }

  /** Continues once `wait` has called back and the code is quiescent; until then no fact reaches it. */
  hold(wait: (over: () => void) => void): Effect.Effect<void> {
    return this.holds.hold(wait)
  }

  /** Continues when the code is quiescent. What takes time when it was begun takes as long when it was not. */
  rest(): Effect.Effect<void> {
    return this.hold((over) => over())
  }

  /** A fact under this key is recorded already. */
  isAnswered(key: string): boolean {
    return this.mailbox.has(key)
  }

  /** Answers a wait from here instead of from the log. */
  answer(key: string, exit: Exit.Exit<Fact>): void {
    const wait = this.waits.get(key)
    if (wait === undefined) return
    this.waits.delete(key)
    this.scheduler.inside(() => Exit.isSuccess(exit) ? wait.resume(exit.value) : wait.fail(exit.cause))
    this.server.host.ready(this)
  }

  /** Whether the log has an answer under this key, or will have. */
  willBeAnswered(key: string): boolean {
    return this.openChildren.has(key) || this.mailbox.has(key)
  }

  // ---------------------------------------------------------------- facts

  /** A fact for the code, after its commit. */
  push(delivery: Delivery): void {
    if (!this.mailbox.push(delivery)) return
    if (this.phase === "suspending") this.hasNews = true
    this.server.host.ready(this)
  }

  /** A person said what became of a step; no fact for the code, which only ever sees the step's record. */
  resolve(key: string, response: InputResponse): void {
    this.doubts.add(key, response)
    if (this.phase === "suspending") this.hasNews = true
    this.server.host.ready(this)
  }

  /** A child has ended, but something of it still runs. */
  childEnds(child: TaskId, ending: TaskEvent): void {
    this.endings.set(child, ending)
  }

  childEnding(child: TaskId): TaskEvent | undefined {
    return this.endings.get(child)
  }

  // ---------------------------------------------------------------- turns

  /** Begins the handler, then runs until nothing moves, or until `deadline` of `performance.now()`. */
  turn(deadline: number): Turn {
    if (this.hasEnded) return "ended"
    if (!this.hasBegun) this.start()
    while (true) {
      if (!this.scheduler.drain(deadline)) return "again"
      const left = this.unwind() ?? this.settleDown() ?? this.release() ?? this.next()
      if (left !== "on") return left
      if (performance.now() > deadline) return "again"
    }
  }

  /**
   * Answers fibers that cannot be interrupted. If the task goes on they do it again, else they get what they would have got.
   */
  private unwind(): Turn | "on" | undefined {
    if (!this.isUnwinding || this.unwound === this.changes) return undefined
    this.unwound = this.changes
    let wasAnswered = false
    for (const [key, wait] of [...this.waits]) {
      if (this.phase !== "stopping") {
        wasAnswered = true
        this.answer(key, Exit.interrupt())
      } else if (!wait.isOrphaned) {
        wasAnswered = wait.isOrphaned = true
        wait.operation?.orphaned()
      }
    }
    return wasAnswered ? "on" : undefined
  }

  /** Once the handler has returned: stops what it left behind, and ends when that waits for nothing any more. */
  private settleDown(): Turn | "on" | undefined {
    if (this.exit === undefined) return undefined
    let wasTold = false
    for (const wait of this.toldAt === this.changes ? [] : this.waits.values()) {
      if (wait.isTold) continue
      if (!wasTold) this.server.host.leaving(this)
      wasTold = wait.isTold = true
      this.scheduler.inside(() => wait.fiber?.interruptUnsafe())
    }
    if (wasTold) return "on"
    this.toldAt = this.changes
    if (this.waits.size > 0 || !this.holds.isEmpty) return undefined
    this.finish()
    return "ended"
  }

  private release(): Turn | "on" | undefined {
    if (this.holds.isEmpty) return undefined
    const resume = this.holds.next()
    if (resume === undefined) return "blocked"
    this.scheduler.inside(resume)
    return "on"
  }

  private next(): Turn | "on" {
    if (this.doubts.tell()) return "on"
    const early = this.prefix.take((key) => this.waits.get(key) !== undefined)
    if (early !== undefined) return this.hand(early)
    const delivery = this.mailbox.first
    if (delivery !== undefined) return this.deliver(delivery)
    if (this.phase !== "replaying") return this.bodies > 0 ? "blocked" : "idle"
    if (this.begun.size > 0 && this.waits.size > 0 && this.past.losses.all === 0) return this.mismatch()
    this.goLive()
    return "on"
  }

  private deliver(delivery: Delivery): Turn | "on" {
    // nobody has asked for it yet
    if (this.phase === "replaying" && this.begun.has(delivery.key)) return this.mismatch()
    this.mailbox.shift()
    // code that was busy outside of the log when it went live has yet to ask
    return this.begun.delete(delivery.key) ? this.prefix.add(delivery) : this.hand(delivery)
  }

  private hand({ at, fact, key, seq }: Delivery): "on" {
    const asked = fact._tag === "Told" ? this.messages.take(fact) : key
    const wait = this.waits.get(asked)
    this.grace = undefined
    if (fact._tag === "Child") {
      this.openChildren.delete(key)
      this.endings.delete(fact.id)
    }
    // whoever still waits for a child its parent cancelled calls again: an attempt that is no more has unwound
    const isUnwound = fact._tag === "Child" && isCancelledByParent(fact.ending)
    if (wait?.operation !== undefined && isUnwound && !this.isUnwinding) {
      // that child is gone: whoever withdraws the call before the next one is there has nobody to cancel
      this.childIds.delete(key)
      this.begin(wait.operation)
      return "on"
    }
    this.lastDelivered = seq
    this.lastKey = key
    this.taskTime = Math.max(this.taskTime, at)
    if (wait !== undefined) {
      this.waits.delete(asked)
      this.deferred.delete(asked)
      this.scheduler.inside(() => wait.resume(fact))
    }
    return "on"
  }

  /**
   * The log has something nobody asked for. Code that only waits for something outside the log may still come back and
   * ask for it; code that waits for something else of the log, and goes on doing so, has changed.
   */
  private mismatch(): Turn {
    const key = this.unasked
    if (this.waits.size === 0 || this.grace?.key === key) return "idle"
    const grace = this.grace = { key }
    this.server.host.fork(Effect.sleep(this.server.host.grace)).addObserver((exit) => {
      if (Exit.isFailure(exit) || this.grace !== grace || this.phase !== "replaying") return
      this.crash(Cause.die(this.misfit(key)))
    })
    return "idle"
  }

  /** The next thing the log has that the code has not asked for. */
  private get unasked(): string {
    return this.mailbox.find((key) => this.begun.has(key)) ?? this.begun[Symbol.iterator]().next().value!
  }

  private misfit(recorded: string): ReplayMismatch {
    const { agent } = this.entry.state
    return new ReplayMismatch({ task: this.id, agent, after: this.lastKey, recorded, waiting: this.waitingFor })
  }

  private goLive(): void {
    this.phase = "live"
    if (isTerminal(this.entry.state.status)) return this.stop()
    const operations = this.deferred.values()
    this.deferred.clear()
    this.scheduler.inside(() => {
      for (const operation of operations) this.launch(operation)
    })
  }

  private launch(operation: Beginning): void {
    const { beyond } = this.server.host
    if (beyond === undefined) operation.begin()
    else beyond(this, operation.key)
  }

  // ---------------------------------------------------------------- beginning and ending

  private start(): void {
    this.hasBegun = true
    this.pulse.beat()
    const { entry, isNew } = this
    this.server.claim(this)
    if (isNew) this.taskTime = entry.state.updatedAt
    const context = handlerContext(this, this.scheduler)
    this.scheduler.inside(() => {
      this.fiber = Effect.runForkWith(context)(this.server.definition.handle(this.input))
    })
    this.fiber!.addObserver((exit) => {
      this.exit = exit
      this.server.host.ready(this)
    })
    // its first step may have ended the attempt
    if (this.isUnwinding) this.scheduler.inside(() => this.fiber!.interruptUnsafe())
  }

  /** When a new timer is due: `millis` from now, or as an earlier attempt had set it. */
  due(key: string, millis: number): number {
    return this.lapsed.get(key) ?? this.later(millis)
  }

  /** The wall clock's time in `millis`, never before the task's own time. */
  later(millis: number): number {
    return Math.max(this.taskTime, this.server.host.log.now()) + millis
  }

  /** The task ended from outside: interrupts the code, whose finalizers run. */
  stop(): void {
    if (this.hasEnded || this.phase === "stopping") return
    // only the end of the replay tells what its sagas have to undo
    if (this.isReplaying && this.entry.state.undoable !== undefined) return this.server.host.leaving(this)
    this.interrupt("stopping")
  }

  /** Leaves memory without ending the task; children and steps in the log are untouched. */
  suspend(): void {
    if (!this.isUnwinding) this.interrupt("suspending")
  }

  /** Ends this attempt because of a defect outside the handler's own fibers. */
  crash(cause: Cause.Cause<unknown>): void {
    if (this.isUnwinding) return
    this.failure = cause
    this.interrupt("crashing")
  }

  private interrupt(phase: "stopping" | "suspending" | "crashing"): void {
    this.phase = phase
    this.changes++
    this.deferred.clear()
    this.heldBack.clear()
    if (!this.hasBegun) {
      this.exit = Exit.interrupt()
      return this.finish()
    }
    this.server.host.leaving(this)
    this.scheduler.inside(() => this.fiber?.interruptUnsafe())
    this.server.host.ready(this)
  }

  /** Gives up on code that does not stop: its fibers stay where they are and write nothing. */
  abandon(): void {
    if (this.hasEnded) return
    this.end.isAbandoned = true
    this.finish()
  }

  private finish(): void {
    const { phase, server } = this
    this.phase = "ended"
    this.scheduler.close()
    this.waits.clear()
    this.running.stop()
    server.host.ended(this, phase, this.outcome(phase))
  }

  private outcome(phase: Phase): Exit.Exit<unknown, unknown> {
    if (this.failure !== undefined) return Exit.failCause(this.failure)
    const isWhole = this.exit !== undefined && (phase === "live" || phase === "replaying")
    if (!isWhole || this.begun.size === 0 || this.past.losses.all > 0 || isOutgrown(this.exit)) {
      return this.exit ?? Exit.interrupt()
    }
    return Exit.die(this.misfit(this.unasked))
  }
}
