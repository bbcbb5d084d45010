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
import * as Settler from "@coppice/task/Settler"
import { isTerminal, type TaskId } from "@coppice/task/Task"
import type { Envelope, TaskEvent } from "@coppice/task/TaskEvent"
import { type Entry, TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { InvalidInput, type Worker, Workers } from "@coppice/task/Worker"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import { Scheduler } from "effect/Scheduler"
import type { Json } from "effect/Schema"
import type * as Scope from "effect/Scope"
import { CallCodec } from "./CallCodec.ts"
import { AgentServer, type Definition } from "./internal/AgentServer.ts"
import { Execution, type Phase } from "./internal/Execution.ts"
import type { Host } from "./internal/Host.ts"
import { type Fact, read } from "./internal/Journal.ts"
import { report } from "./internal/report.ts"

/** Limits of the executor. */
export interface ExecutorOptions {
  /** How long a run waits before it leaves memory. */
  readonly idleAfter: Duration.Input
  /** Waiting executions kept in memory at most, before `idleAfter`. */
  readonly maxIdle: number
  /** How long a handler may take to stop before it is abandoned and reported as `refused`. */
  readonly shutdown: Duration.Input
  /** The longest uninterrupted stretch of turns, milliseconds. */
  readonly slice: number
}

export const ExecutorOptions = Context.Reference<ExecutorOptions>("@coppice/agent/ExecutorOptions", {
  defaultValue: () => ({ idleAfter: "10 seconds", maxIdle: 10_000, shutdown: "5 seconds", slice: 5 })
})

/** A defect of a task, as its server's supervisor hears of it. */
export interface Defect {
  readonly agent: string
  readonly task: TaskId
  readonly attempt: number
  readonly cause: Cause.Cause<unknown>
}

/** Live figures of one agent. */
export interface AgentStats {
  readonly agent: string
  readonly active: number
  readonly waiting: number
  readonly resident: number
  readonly restarts: number
  readonly lastDefect: string | undefined
}

export class Executor extends Context.Service<Executor, {
  /** Serves an agent until the scope closes; then its executions leave memory and stay resumable. */
  readonly serve: (
    definition: Definition,
    onDefect?: (now: number, defect: Defect) => void
  ) => Effect.Effect<AgentServer, never, Scope.Scope>
  readonly stats: () => ReadonlyArray<AgentStats>
  /** What a task's code waits for, when it is in memory. */
  readonly waitingFor: (id: TaskId) => ReadonlyArray<string> | undefined
  /** Puts every waiting run out of memory now; for tests, benchmarks and memory pressure. */
  readonly evictIdle: Effect.Effect<number>
  readonly residentCount: () => number
}>()("@coppice/agent/Executor") {}

interface Group {
  readonly members: Set<Execution>
  idle: number
  idleSince: number
}

class ExecutorImpl {
  readonly host: Host
  private readonly store: TaskStore["Service"]
  private readonly options: ExecutorOptions
  private readonly executions = new Map<TaskId, Execution>()
  private readonly groups = new Map<TaskId, Group>()
  private readonly idleGroups = new Map<TaskId, Group>()
  private idleExecutions = 0
  private readonly idleMembers = new WeakSet<Execution>()
  private readonly servers = new Map<string, { readonly server: AgentServer; readonly onDefect: (now: number, defect: Defect) => void }>()
  private readonly stopping = new Map<Execution, number>()
  private readonly waking = new Set<TaskId>()
  private queue: Array<Execution> = []
  private head = 0
  private running = false
  private scheduled = false

  constructor(host: Omit<Host, "ready" | "ended" | "local">, store: TaskStore["Service"], options: ExecutorOptions) {
    this.host = {
      ...host,
      local: (agent) => this.servers.get(agent)?.server.definition,
      ready: (execution) => this.ready(execution),
      ended: (execution, phase, exit) => this.ended(execution, phase, exit)
    }
    this.store = store
    this.options = options
  }

  // ---------------------------------------------------------------- turns

  private ready(execution: Execution): void {
    if (execution.isReady || execution.phase === "ended") return
    execution.isReady = true
    this.queue.push(execution)
    this.schedule()
  }

  private schedule(): void {
    if (this.running || this.scheduled) return
    this.scheduled = true
    setImmediate(this.runScheduled)
  }

  private readonly runScheduled = (): void => {
    this.scheduled = false
    this.run()
  }

  /** Gives every ready execution its turn, for one slice. */
  run(): void {
    if (this.running) return
    this.running = true
    const deadline = performance.now() + this.options.slice
    while (this.head < this.queue.length && performance.now() < deadline) {
      this.turn(this.queue[this.head++]!, deadline)
    }
    this.queue = this.head === this.queue.length ? [] : this.queue.slice(this.head)
    this.head = 0
    this.running = false
    if (this.queue.length > 0) this.schedule()
  }

  private turn(execution: Execution, deadline: number): void {
    execution.isReady = false
    if (execution.phase === "ended" || execution.phase === "loading") return
    const { server } = execution
    if (!execution.isUnwinding && !server.enter(execution)) return
    this.markBusy(execution)
    const left = execution.turn(deadline)
    if (left === "again") return this.ready(execution)
    if (left === "idle") {
      server.leave(execution)
      this.markIdle(execution)
    }
  }

  // ---------------------------------------------------------------- beginning

  private add(execution: Execution): void {
    execution.entry.held = true
    this.executions.set(execution.id, execution)
    execution.server.executions.add(execution)
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) this.groups.set(run, { members: new Set([execution]), idle: 0, idleSince: 0 })
    else {
      group.members.add(execution)
      this.idleGroups.delete(run)
    }
  }

  private remove(execution: Execution): void {
    this.markBusy(execution)
    this.executions.delete(execution.id)
    this.stopping.delete(execution)
    const { server } = execution
    server.executions.delete(execution)
    server.drop(execution)
    server.leave(execution)
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) return
    group.members.delete(execution)
    if (group.members.size === 0) {
      this.groups.delete(run)
      this.idleGroups.delete(run)
    } else if (group.idle === group.members.size) this.groupIdle(run, group)
  }

  private start(server: AgentServer, entry: Entry, input: Json): void {
    const execution = new Execution(server, entry, input)
    this.add(execution)
    if (server.enter(execution)) this.ready(execution)
  }

  /** Brings a stored task back. `restart`: an earlier process had it, so this is a new attempt. */
  private resume(server: AgentServer, entry: Entry, restart: boolean): void {
    const { id } = entry.state
    if (this.executions.has(id) || this.waking.has(id)) return this.host.log.release(entry)
    this.waking.add(id)
    entry.held = true
    this.host.fork(this.store.journal(id)).addObserver((exit) => {
      this.waking.delete(id)
      if (Exit.isFailure(exit) || exit.value === undefined || isTerminal(entry.state.status)) {
        entry.held = false
        if (isTerminal(entry.state.status) && entry.state.settlement === null) this.host.settler.settle(entry, "stopped")
        else this.host.log.release(entry)
        return
      }
      const first = exit.value.events[0]?.event
      const input = first?._tag === "Created" ? first.input : null
      const execution = new Execution(server, entry, input, read(exit.value))
      execution.isRestart = restart && entry.state.attempt > 0
      this.host.log.setParked(entry, false)
      this.add(execution)
      this.ready(execution)
    })
  }

  /** A fact reached a task that is not in memory. */
  private wake(id: TaskId): void {
    if (this.waking.has(id)) return
    this.host.fork(this.host.log.acquire(id)).addObserver((exit) => {
      if (Exit.isFailure(exit) || exit.value === undefined) return
      const entry = exit.value
      const served = this.servers.get(entry.state.agent)
      if (isTerminal(entry.state.status) || entry.held || served === undefined) return this.host.log.release(entry)
      this.resume(served.server, entry, false)
    })
  }

  // ---------------------------------------------------------------- facts

  /** Hands committed facts to the executions they concern. */
  readonly committed = (events: ReadonlyArray<Envelope>): void => {
    for (const envelope of events) this.route(envelope)
    this.run()
  }

  private route({ at, event, seq, task }: Envelope): void {
    switch (event._tag) {
      case "StepRecorded":
        return this.executions.get(task)?.push({ key: event.key, seq, at, fact: { _tag: "Step", exit: event.exit } })
      case "TimerFired":
        return this.tell(task, event.key, seq, at, { _tag: "Timer" })
      case "InputReceived":
        return this.tell(task, event.key, seq, at, { _tag: "Input", response: event.response })
      case "Completed":
      case "Failed":
      case "Cancelled":
        if (event._tag !== "Completed") this.stop(task)
        return this.childEnded(task, event, seq, at)
      case "Settled":
        return this.childEnded(task, undefined, seq, at)
    }
  }

  private tell(task: TaskId, key: string, seq: number, at: number, fact: Fact): void {
    const execution = this.executions.get(task)
    if (execution === undefined) this.wake(task)
    else execution.push({ key, seq, at, fact })
  }

  private childEnded(task: TaskId, event: TaskEvent | undefined, seq: number, at: number): void {
    const state = this.host.log.resident(task)?.state
    if (state === undefined || state.parent === null || state.key === null) return
    if (state.settlement === null) return
    const ending = event ?? endingOf(state)
    this.tell(state.parent, state.key, seq, at, { _tag: "Child", id: task, status: state.status, ending })
  }

  private stop(task: TaskId): void {
    const execution = this.executions.get(task)
    if (execution === undefined || execution.isUnwinding) return
    this.stopping.set(execution, this.host.clock.currentTimeMillisUnsafe() + Duration.toMillis(this.options.shutdown))
    execution.stop()
  }

  // ---------------------------------------------------------------- ending

  private ended(execution: Execution, phase: Phase, exit: Exit.Exit<unknown, unknown>): void {
    const { entry } = execution
    if (phase === "suspending" && !isTerminal(entry.state.status)) return this.leaveMemory(execution)
    if (isTerminal(entry.state.status)) return this.rest(execution)
    report(this.host, execution, exit, {
      done: () => this.rest(execution),
      again: (cause, delay) => this.again(execution, cause, delay)
    })
    if (Exit.isFailure(exit) && Cause.hasDies(exit.cause)) this.defect(execution, exit.cause)
  }

  /** Nothing of the task runs any more. */
  private rest(execution: Execution): void {
    const { entry } = execution
    this.remove(execution)
    entry.held = false
    if (entry.state.settlement === null) this.host.settler.settle(entry, execution.settlement)
    else this.host.log.release(entry)
  }

  private leaveMemory(execution: Execution): void {
    const { entry } = execution
    this.remove(execution)
    entry.held = false
    this.host.log.release(entry)
  }

  private defect(execution: Execution, cause: Cause.Cause<unknown>): void {
    const { agent } = execution.entry.state
    const { server } = execution
    server.restarts++
    server.lastDefect = Cause.pretty(cause).split("\n")[0] ?? "defect"
    const defect = { agent, task: execution.id, attempt: execution.attempt, cause }
    this.servers.get(agent)?.onDefect(this.host.clock.currentTimeMillisUnsafe(), defect)
  }

  /** The next attempt of a task whose last one died. */
  private again(execution: Execution, _cause: Cause.Cause<unknown>, delay: Duration.Duration): void {
    const { entry, server } = execution
    this.remove(execution)
    this.host.fork(Effect.andThen(this.host.log.barrier, Effect.sleep(delay))).addObserver(() => {
      entry.held = false
      if (isTerminal(entry.state.status)) {
        if (entry.state.settlement === null) this.host.settler.settle(entry, "stopped")
        else this.host.log.release(entry)
      } else if (this.servers.get(entry.state.agent)?.server === server) this.resume(server, entry, true)
      else this.host.log.release(entry)
    })
  }

  // ---------------------------------------------------------------- residency

  private markIdle(execution: Execution): void {
    if (this.idleMembers.has(execution)) return
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    if (group === undefined) return
    this.idleMembers.add(execution)
    this.idleExecutions++
    group.idle++
    if (group.idle === group.members.size) this.groupIdle(run, group)
  }

  private groupIdle(run: TaskId, group: Group): void {
    group.idleSince = this.host.clock.currentTimeMillisUnsafe()
    this.idleGroups.set(run, group)
    if (this.idleExecutions > this.options.maxIdle) this.makeSpace()
  }

  private markBusy(execution: Execution): void {
    if (!this.idleMembers.delete(execution)) return
    const { run } = execution.entry.state
    const group = this.groups.get(run)
    this.idleExecutions--
    if (group === undefined) return
    group.idle--
    this.idleGroups.delete(run)
  }

  private makeSpace(): void {
    for (const [run, group] of this.idleGroups) {
      if (this.idleExecutions <= this.options.maxIdle) return
      this.evict(run, group)
    }
  }

  /** Parks a run when every execution of it can be parked and no fact for it is on its way. */
  private evict(run: TaskId, group: Group): boolean {
    for (const execution of group.members) {
      if (!execution.isParkable || !this.host.log.isQuiet(execution.entry)) return false
    }
    this.idleGroups.delete(run)
    for (const execution of [...group.members]) {
      this.host.log.setParked(execution.entry, true)
      execution.suspend()
    }
    return true
  }

  evictIdle(before: number): number {
    let count = 0
    for (const [run, group] of [...this.idleGroups]) {
      if (group.idleSince > before) break
      const { size } = group.members
      if (this.evict(run, group)) count += size
    }
    return count
  }

  /** What has to be looked at now and then: handlers that do not stop, runs that have waited long enough. */
  tick(): void {
    const now = this.host.clock.currentTimeMillisUnsafe()
    for (const [execution, until] of this.stopping) if (until <= now) execution.abandon()
    this.evictIdle(now - Duration.toMillis(this.options.idleAfter))
  }

  // ---------------------------------------------------------------- serving

  serve(definition: Definition, onDefect: (now: number, defect: Defect) => void): AgentServer {
    const server = new AgentServer(definition, this.host)
    this.servers.set(definition.contract.name, { server, onDefect })
    return server
  }

  worker(server: AgentServer): Worker {
    const { contract } = server
    return {
      contract,
      accept: (input) => {
        const accepted = server.definition.accept(input)
        if (Exit.isSuccess(accepted)) return Effect.succeed(accepted.value)
        return Effect.catch(accepted, (problem) => Effect.fail(new InvalidInput({ agent: contract.name, ...problem })))
      },
      waiting: () => server.waiting,
      hasPlace: () => server.hasPlace,
      whenRoom: (callback) => server.whenRoom(callback),
      start: (entry, input) => this.start(server, entry, input),
      resume: (entry) => this.resume(server, entry, true)
    }
  }

  /** Puts a server's executions out of memory and waits until they are, no longer than the shutdown limit. */
  retire(server: AgentServer): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { name } = server.contract
      if (this.servers.get(name)?.server === server) this.servers.delete(name)
      for (const execution of server.executions) execution.suspend()
      const gone = Effect.callback<void>((resume) => {
        const check = () => {
          if (server.executions.size === 0) resume(Effect.void)
          else setImmediate(check)
        }
        check()
      })
      return Effect.asVoid(Effect.timeoutOption(gone, this.options.shutdown))
    }).pipe(
      Effect.ensuring(Effect.sync(() => {
        for (const execution of [...server.executions]) execution.abandon()
      }))
    )
  }

  stats(): ReadonlyArray<AgentStats> {
    return [...this.servers.values()].map(({ server }) => ({
      agent: server.contract.name,
      active: server.active,
      waiting: server.waiting,
      resident: server.executions.size,
      restarts: server.restarts,
      lastDefect: server.lastDefect
    }))
  }

  waitingFor(id: TaskId): ReadonlyArray<string> | undefined {
    return this.executions.get(id)?.waitingFor
  }

  get residentCount(): number {
    return this.executions.size
  }
}

/** The ending of a task that was ended from outside, told from its state. */
const endingOf = (state: Entry["state"]): TaskEvent =>
  state.status === "cancelled"
    ? { _tag: "Cancelled", by: "", reason: state.statusMessage }
    : { _tag: "Failed", reason: state.reason ?? "defect", message: state.statusMessage ?? "", error: null }

export const layer: Layer.Layer<Executor, never, TaskLog | Tasks | TaskStore | Workers | Settler.Settler> = Layer.effect(
  Executor,
  Effect.gen(function*() {
    const log = yield* TaskLog
    const store = yield* TaskStore
    const workers = yield* Workers
    const options = yield* ExecutorOptions
    const clock = yield* Clock.Clock
    const outside = Context.mergeAll(
      Context.make(Clock.Clock, clock),
      Context.make(Random.Random, yield* Random.Random),
      Context.make(Scheduler, yield* Scheduler)
    )
    const executor = new ExecutorImpl(
      {
        log,
        tasks: yield* Tasks,
        workers,
        settler: yield* Settler.Settler,
        codec: yield* CallCodec,
        clock,
        outside,
        fork: Effect.runForkWith(yield* Effect.context<never>())
      },
      store,
      options
    )
    const stop = log.onCommit(executor.committed)
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    yield* Effect.sleep("1 second").pipe(
      Effect.andThen(Effect.sync(() => executor.tick())),
      Effect.forever,
      Effect.forkScoped
    )
    return {
      serve: (definition, onDefect) =>
        Effect.gen(function*() {
          const server = executor.serve(definition, onDefect ?? (() => {}))
          yield* Effect.addFinalizer(() => executor.retire(server))
          yield* workers.register(executor.worker(server))
          return server
        }),
      stats: () => executor.stats(),
      waitingFor: (id) => executor.waitingFor(id),
      evictIdle: Effect.sync(() => executor.evictIdle(Infinity)),
      residentCount: () => executor.residentCount
    }
  })
)
