/**
 * Runs the executions of a process, and decides which of them are in memory.
 *
 * ```text
 *  worker.start ─► queue ─► place ─► turn ─► turn ─► … ─► ended ─► recorded ─► settled
 *                    ▲                  │
 *                    └── fact committed ◄── waits (no place) ──► evicted ──► woken by a fact
 * ```
 *
 * Turns run one after the other and are cut after a few milliseconds, so that commits, timers and sockets get their
 * time. A run whose executions all wait for the log is evicted after `idleAfter`, earlier when more than `maxIdle`
 * executions wait: waiting costs a row, not a fiber.
 */
import { softKey } from "@coppice/task/Budget"
import { isOutcomeKey } from "@coppice/task/Doubt"
import { Predecessor } from "@coppice/task/Predecessor"
import type { Settler } from "@coppice/task/Settler"
import { isTerminal, type TaskId } from "@coppice/task/Task"
import type { Envelope, TaskEvent } from "@coppice/task/TaskEvent"
import { type Entry, type TaskLog } from "@coppice/task/TaskLog"
import type { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { type Worker, Workers } from "@coppice/task/Worker"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import type * as Scope from "effect/Scope"
import { AgentServer, type AgentStats, type Definition } from "./internal/AgentServer.ts"
import { type Block, Blocks } from "./internal/Blocks.ts"
import { Callers } from "./internal/Callers.ts"
import type { Defect } from "./internal/Defect.ts"
import { Execution } from "./internal/Execution.ts"
import { ExecutorOptions } from "./internal/ExecutorOptions.ts"
import type { Host, HostServices } from "./internal/Host.ts"
import { hostServices } from "./internal/hostServices.ts"
import { endingOf, type Fact, read, toldKey } from "./internal/Journal.ts"
import { monotonic } from "./internal/monotonic.ts"
import type { Phase } from "./internal/Phase.ts"
import { Probation } from "./internal/Probation.ts"
import { ReadyList } from "./internal/ReadyList.ts"
import { isDefect, misfitOf, report } from "./internal/report.ts"
import { Residency } from "./internal/Residency.ts"
import { restOf } from "./internal/restOf.ts"
import { Rests } from "./internal/Rests.ts"
import { type Sign, Stalls } from "./internal/Stalls.ts"
import { Undoing } from "./internal/Undoing.ts"
import { Upgrades } from "./internal/Upgrades.ts"

export { type AgentStats, type Defect, ExecutorOptions }

export class Executor extends Context.Service<Executor, {
  /** Serves an agent until the scope closes; then its executions leave memory and stay resumable. */
  readonly serve: (
    definition: Definition,
    onDefect?: (now: number, defect: Defect) => void
  ) => Effect.Effect<AgentServer, never, Scope.Scope>
  readonly stats: () => ReadonlyArray<AgentStats>
  /** What a task's code waits for, when it is in memory. */
  readonly waitingFor: (id: TaskId) => ReadonlyArray<string> | undefined
  /** When a task's code last kept the event loop busy for 200 ms and more, as far as this process remembers. */
  readonly blocked: (id: TaskId) => Block | undefined
  /** What is heard of a task's code while it runs here. */
  readonly sign: (id: TaskId) => Sign | undefined
  /** Puts every waiting run out of memory now; for tests, benchmarks and memory pressure. */
  readonly evictIdle: Effect.Effect<number>
  readonly residentCount: () => number
}>()("@coppice/agent/Executor") {}

interface Served {
  readonly server: AgentServer
  readonly onDefect: (now: number, defect: Defect) => void
}

class ExecutorImpl {
  readonly host: Host
  readonly blocks = new Blocks()
  readonly stalls: Stalls
  private readonly store: TaskStore["Service"]
  private readonly options: ExecutorOptions
  private readonly ready: ReadyList
  private readonly residency: Residency
  private readonly upgrades: Upgrades
  private readonly undoing: Undoing
  private readonly executions = new Map<TaskId, Execution>()
  private readonly servers = new Map<string, Served>()
  private readonly callers: Callers
  /** Tasks whose journal is being read, and what is told them meanwhile. */
  private readonly loading = new Map<TaskId, Array<(execution: Execution) => void>>()
  private readonly rests: Rests
  private readonly probation: Probation
  /** Executions that were told to stop, and until when they may take. */
  private readonly leavers = new Map<Execution, number>()
  private isRelieving = false
  private readonly shutdown: number

  constructor(
    host: HostServices,
    store: TaskStore["Service"],
    services: { readonly workers: Workers["Service"]; readonly predecessor: Predecessor["Service"] },
    options: ExecutorOptions
  ) {
    this.host = {
      ...host,
      local: (agent) => this.servers.get(agent)?.server.definition,
      whenRoom: (agent, callback) => this.callers.whenRoom(agent, callback),
      ready: (execution) => this.ready.add(execution),
      watch: (execution, run) => this.blocks.watch(execution, run),
      leaving: (execution) => this.leaving(execution),
      ended: (execution, phase, exit) => this.ended(execution, phase, exit)
    }
    this.stalls = new Stalls(host, this.executions)
    this.store = store
    this.callers = new Callers(services.workers)
    this.probation = new Probation(this.host, services.predecessor, options.trial)
    this.rests = new Rests(host.fork, (entry) => this.bringBack(entry, true))
    this.options = options
    this.shutdown = Duration.toMillis(options.shutdown)
    this.ready = new ReadyList((execution, deadline) => this.turn(execution, deadline), options.slice)
    this.residency = new Residency(host.log, host.clock, options.maxIdle)
    this.undoing = new Undoing(
      { host: this.host, store, probation: this.probation },
      options.quarantine,
      (execution) => {
        this.add(execution)
        this.ready.add(execution)
      }
    )
    this.upgrades = new Upgrades(this.host, (entry) => this.letGo(entry), (entry) => this.bringBack(entry, false))
  }

  private now(): number {
    return monotonic(this.host.clock)
  }

  private turn(execution: Execution, deadline: number): void {
    if (execution.hasEnded) return
    const { server } = execution
    if (!execution.hasBegun && !this.probation.admits(execution)) return
    if (!execution.isUnwinding && !server.enter(execution)) return
    this.residency.busy(execution)
    if (execution.isNext && execution.attempt === 0) return this.probation.claim(execution)
    const left = this.blocks.watch(execution, () => execution.turn(deadline))
    if (left === "again") return this.ready.add(execution)
    if (left === "idle") {
      server.leave(execution)
      this.residency.idle(execution)
      this.probation.idle(execution)
    }
  }

  // ---------------------------------------------------------------- beginning

  private add(execution: Execution): void {
    execution.entry.held = true
    this.host.pools.hold(execution.entry)
    this.executions.set(execution.id, execution)
    execution.server.executions.add(execution)
    this.residency.add(execution)
  }

  private remove(execution: Execution): void {
    this.residency.remove(execution)
    this.executions.delete(execution.id)
    this.leavers.delete(execution)
    this.probation.pass(execution)
    execution.server.remove(execution)
    this.host.pools.drop(execution.id)
  }

  private start(server: AgentServer, entry: Entry, input: Json): void {
    // it was asked for before it went: whoever serves the agent now has the task, or finds it in the log later
    if (server.isRetired) return this.bringBack(entry, false)
    const execution = new Execution(server, entry, input)
    this.add(execution)
    if (server.enter(execution)) this.ready.add(execution)
  }

  /** Brings a stored task back. `isRestart`: an earlier process had it, so this is a new attempt. */
  private resume(server: AgentServer, entry: Entry, isRestart: boolean): void {
    const { id } = entry.state
    if (this.executions.has(id) || this.loading.has(id)) return this.host.log.release(entry)
    const news: Array<(execution: Execution) => void> = []
    this.loading.set(id, news)
    entry.held = true
    this.host.fork(this.host.pools.with(entry, this.store.journal(id))).addObserver((exit) => {
      this.loading.delete(id)
      const journal = Exit.isSuccess(exit) ? exit.value : undefined
      if (journal === undefined || isTerminal(entry.state.status)) return this.letGo(entry)
      if (server.isRetired) return this.bringBack(entry, isRestart)
      const past = read(journal, isRestart)
      if (this.upgrades.comesFirst({ server, entry, journal, past })) return
      const wait = past.losses.retryAt - this.host.log.now()
      // a wait that was recorded survives who recorded it
      if (past.isNext && wait > 0) return this.rests.until(entry, Effect.sleep(wait))
      const execution = new Execution(server, entry, past.input, past)
      this.host.log.setParked(entry, false)
      const deaths = this.probation.deathsOf(id, past.silentSince)
      if (deaths >= this.options.quarantine) return this.probation.quarantine(entry, deaths)
      this.add(execution)
      for (const tell of news) tell(execution)
      if (deaths > 0) this.probation.suspect(execution, deaths)
      else this.ready.add(execution)
    })
  }

  /** Brings a task back to whoever serves its agent now. */
  private bringBack(entry: Entry, isRestart: boolean): void {
    const served = this.servers.get(entry.state.agent)
    if (served === undefined || isTerminal(entry.state.status)) this.letGo(entry)
    else this.resume(served.server, entry, isRestart)
  }

  /** Nobody here runs the task any more. */
  private letGo(entry: Entry): void {
    entry.held = false
    this.host.pools.drop(entry.state.id)
    if (isTerminal(entry.state.status) && entry.state.settlement === null) this.host.settler.settle(entry, "stopped")
    else this.host.log.release(entry)
  }

  /** A fact reached a task that is not in memory. */
  private wake(id: TaskId): void {
    const known = this.host.log.resident(id)
    if (known !== undefined) {
      // of a cancelled tree every child tells its parent, which has ended as well
      if (!known.held && !isTerminal(known.state.status)) this.bringBack(this.host.log.adopt(known), false)
      return
    }
    this.host.fork(this.host.log.acquire(id)).addObserver((exit) => {
      if (Exit.isFailure(exit) || exit.value === undefined) return
      if (exit.value.held || isTerminal(exit.value.state.status)) this.host.log.release(exit.value)
      else this.bringBack(exit.value, false)
    })
  }

  // ---------------------------------------------------------------- facts

  /** Hands committed facts to the executions they concern. */
  readonly committed = (events: ReadonlyArray<Envelope>): void => {
    this.probation.committed(events)
    this.stalls.committed(events)
    for (const envelope of events) this.route(envelope)
    this.host.pools.committed(events)
    this.ready.run()
    this.relieve()
  }

  private route({ at, event, seq, task }: Envelope): void {
    const tell = (key: string, fact: Fact): void =>
      this.tell(task, (execution) => execution.push({ key, seq, at, fact }))
    switch (event._tag) {
      case "StepRecorded":
        return this.executions.get(task)?.push({ key: event.key, seq, at, fact: { _tag: "Step", exit: event.exit } })
      case "TimerFired":
        return tell(event.key, { _tag: "Timer" })
      case "Steered":
        if (event.priority !== undefined) this.rank(task)
        return event.message === undefined
          ? undefined
          : tell(toldKey, { _tag: "Told", by: event.by, message: event.message })
      case "InputReceived":
        if (event.key === softKey) return
        if (isOutcomeKey(event.key)) {
          return this.tell(task, (execution) => execution.resolve(event.key, event.response))
        }
        return tell(event.key, { _tag: "Input", response: event.response })
      case "Failed":
      case "Cancelled":
        this.stop(task)
        return this.childEnded(task, event, seq, at)
      case "Completed":
        return this.childEnded(task, event, seq, at)
      case "Settled":
        return this.childEnded(task, undefined, seq, at)
    }
  }

  /** Its priority may have changed. */
  private rank(task: TaskId): void {
    const execution = this.executions.get(task)
    if (execution?.hasPlace === false) execution.server.rank(execution)
  }

  private tell(task: TaskId, tell: (execution: Execution) => void): void {
    const execution = this.executions.get(task)
    const news = this.loading.get(task)
    if (execution !== undefined) tell(execution)
    else if (news !== undefined) news.push(tell)
    else this.wake(task)
  }

  /** The parent hears of a child when it has settled, which may be later than its end. */
  private childEnded(id: TaskId, event: TaskEvent | undefined, seq: number, at: number): void {
    const child = this.host.log.resident(id)
    if (child === undefined || child.state.parent === null || child.state.key === null) return
    const { key, parent, status } = child.state
    if (child.settledSeq === seq) {
      this.tell(parent, (execution) => {
        const ending = event ?? execution.childEnding(id) ?? endingOf(child.state)
        execution.push({
          key: execution.past.childKeys.get(id) ?? key,
          seq,
          at,
          fact: { _tag: "Child", id, status, ending }
        })
      })
    } else if (event !== undefined && (this.executions.has(parent) || this.loading.has(parent))) {
      this.tell(parent, (execution) => execution.childEnds(id, event))
    }
  }

  /** The task ended from outside. */
  private stop(task: TaskId): void {
    this.rests.end(task)
    this.executions.get(task)?.stop()
  }

  // ---------------------------------------------------------------- ending

  private leaving(execution: Execution): void {
    this.leavers.set(execution, this.now() + this.shutdown)
  }

  private ended(execution: Execution, phase: Phase, exit: Exit.Exit<unknown, unknown>): void {
    const { entry, id } = execution
    if (isTerminal(entry.state.status)) return this.rest(execution)
    if (phase === "suspending") return this.leaveMemory(execution)
    const misfit = misfitOf(execution, exit)
    if (misfit !== undefined) {
      this.remove(execution)
      return this.upgrades.ask(execution, misfit)
    }
    report(this.host, execution, exit, {
      done: () => this.rest(execution),
      again: (wait) => this.again(execution, wait),
      isGone: () => this.executions.get(id) !== execution
    })
    if (isDefect(exit)) this.defect(execution, exit.cause)
  }

  /** Nothing of the ended task runs any more. */
  private rest(execution: Execution): void {
    const { entry } = execution
    this.remove(execution)
    entry.held = false
    if (entry.state.settlement === null) this.host.settler.settle(entry, restOf(execution))
    else this.host.log.release(entry)
  }

  private leaveMemory(execution: Execution): void {
    const { entry, server } = execution
    this.remove(execution)
    if (execution.hasNews && !server.isRetired) this.resume(server, entry, false)
    else this.letGo(entry)
  }

  private defect(execution: Execution, cause: Cause.Cause<unknown>): void {
    const { agent } = execution.entry.state
    const { server } = execution
    server.restarts++
    server.lastDefect = Cause.pretty(cause).split("\n")[0] ?? "defect"
    const defect = { agent, task: execution.id, attempt: execution.attempt, cause }
    this.servers.get(agent)?.onDefect(this.now(), defect)
  }

  /** The next attempt of a task whose last one died. */
  private again(execution: Execution, wait: number): void {
    this.remove(execution)
    this.rests.until(execution.entry, Effect.andThen(this.host.log.barrier, Effect.sleep(wait)))
  }

  // ---------------------------------------------------------------- residency

  evictIdle(before: number): number {
    return this.residency.evictIdle(before)
  }

  /** What has to be looked at now and then: handlers that do not stop or are silent, runs that have waited long enough. */
  tick(): void {
    const now = this.now()
    for (const [execution, until] of this.leavers) if (until <= now) execution.abandon()
    this.stalls.look([...this.servers.values()].map(({ server }) => server))
    this.evictIdle(now - Duration.toMillis(this.options.idleAfter))
  }

  /** Makes space once the commit under way is over: what is not committed cannot be put out. */
  private relieve(): void {
    if (this.isRelieving || !this.residency.isCrowded) return
    this.isRelieving = true
    setImmediate(() => {
      this.isRelieving = false
      this.residency.makeSpace()
    })
  }

  // ---------------------------------------------------------------- serving

  serve(definition: Definition, onDefect: (now: number, defect: Defect) => void): AgentServer {
    const server = new AgentServer(definition, this.host)
    this.servers.set(definition.contract.name, { server, onDefect })
    return server
  }

  /** The server is registered: it takes tasks. */
  arrived(server: AgentServer): void {
    this.callers.arrived(server.contract.name)
  }

  worker(server: AgentServer): Worker {
    const { contract } = server
    return {
      contract,
      accept: (input) => server.accept(input),
      waiting: () => server.waiting,
      waitingOf: (principal) => server.waitingOf(principal),
      placeOf: (task) => server.placeOf(task),
      hasPlace: () => server.hasPlace,
      whenRoom: (callback) => server.whenRoom(callback),
      start: (entry, input) => this.start(server, entry, input),
      resume: (entry) => this.resume(server, entry, true),
      undo: (entry) => this.undoing.bringBack(server, entry)
    }
  }

  /** Puts a server's executions out of memory and waits until they are, no longer than the shutdown limit. */
  retire(server: AgentServer): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { name } = server.contract
      if (this.servers.get(name)?.server === server) this.servers.delete(name)
      server.retire()
      for (const execution of [...server.executions]) this.putOut(execution)
      if (server.executions.size === 0) return Effect.void
      const empty = Effect.callback<void>((resume) => {
        server.onEmpty = () => resume(Effect.void)
      })
      return Effect.asVoid(Effect.timeoutOption(empty, this.options.shutdown))
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        for (const execution of [...server.executions]) execution.abandon()
      }))
    )
  }

  /** One that waits for its children to settle will report when the task is replayed. */
  private putOut(execution: Execution): void {
    if (execution.hasEnded) this.leaveMemory(execution)
    else execution.suspend()
  }

  stats(): ReadonlyArray<AgentStats> {
    return [...this.servers.values()].map(({ server }) => server.stats)
  }

  waitingFor(id: TaskId): ReadonlyArray<string> | undefined {
    return this.executions.get(id)?.waitingFor
  }

  get residentCount(): number {
    return this.executions.size
  }
}

const make = Effect.gen(function*() {
  const host = yield* hostServices
  const workers = yield* Workers
  const store = yield* TaskStore
  const services = { workers, predecessor: yield* Predecessor }
  const executor = new ExecutorImpl(host, store, services, yield* ExecutorOptions)
  const stop = host.log.onCommit(executor.committed)
  yield* Effect.addFinalizer(() => Effect.sync(stop))
  yield* Effect.sleep("1 second").pipe(
    Effect.andThen(Effect.sync(() => executor.tick())),
    Effect.forever,
    Effect.forkScoped
  )
  const serve: Executor["Service"]["serve"] = Effect.fnUntraced(function*(definition, onDefect) {
    const server = executor.serve(definition, onDefect ?? (() => {}))
    yield* Effect.addFinalizer(() => executor.retire(server))
    yield* workers.register(executor.worker(server))
    executor.arrived(server)
    return server
  })
  return {
    serve,
    stats: () => executor.stats(),
    waitingFor: (id: TaskId) => executor.waitingFor(id),
    blocked: (id: TaskId) => executor.blocks.get(id),
    sign: (id: TaskId) => executor.stalls.signOf(id),
    evictIdle: Effect.sync(() => executor.evictIdle(Infinity)),
    residentCount: () => executor.residentCount
  }
})

type Needs = TaskLog | Tasks | TaskStore | Workers | Settler | Predecessor

export const layer: Layer.Layer<Executor, never, Needs> = Layer.effect(Executor, make)
