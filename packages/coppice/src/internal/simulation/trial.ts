/**
 * One seed: builds a world from a scenario, lets it run with its faults, then without, and checks what was promised.
 *
 * ```text
 *   safety mode: faults strike ──► liveness mode: no more faults, everything has to come to rest ──► the promises
 * ```
 */
import { Executor } from "@coppice/agent/Executor"
import type { TaskId } from "@coppice/task/Task"
import { isTerminal } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import type { TaskRow } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import type { Orchestrator } from "../../Orchestrator.ts"
import { Client } from "./clients.ts"
import { type Dice, dice } from "./dice.ts"
import { Disk } from "./disk.ts"
import { type Fault, type FaultKind, planFaults } from "./faults.ts"
import { Foreign } from "./foreign.ts"
import { foreigners } from "./foreigners.ts"
import { History } from "./history.ts"
import { Injector } from "./injector.ts"
import type { End, Invariant, NodeEnd, Verdict } from "./invariant.ts"
import { Machine } from "./machine.ts"
import { Network } from "./network.ts"
import { Outside, type Service, type ServiceOptions } from "./outside.ts"
import { anybody, type Human, Person } from "./person.ts"
import { promises } from "./promises.ts"
import { Stranger } from "./stranger.ts"
import { fetchOf, type Host } from "./wires.ts"
import type { ForeignServer } from "./workshop.ts"
import { inWorld, World } from "./world.ts"

/** A run some client wants. Times in milliseconds after the beginning. */
export interface Job {
  readonly agent: string
  readonly input: Json
  /** [the first node] */
  readonly node?: string | undefined
  /** Whose task it is. ["local"] */
  readonly principal?: string | undefined
  /** [0] */
  readonly at?: number | undefined
  /** Cancels a task of the run this long after it was begun: the root, or some task below it that has not ended. */
  readonly cancelAfter?: number | undefined
  readonly cancels?: "root" | "any" | undefined
  /** Tells a task of the run something, or changes its limits, this long after it was begun. */
  readonly steers?: JobSteering | undefined
  /** Runs it again once it has ended: what it did is reused, done anew, or done anew from some place of its log on. */
  readonly again?: "retry" | "fresh" | "fork" | undefined
  /** Smaller jobs that may show the same failure. */
  readonly simpler?: (() => ReadonlyArray<Job>) | undefined
}

/** What a run is told while it runs. `deadline` in milliseconds from then. */
export interface JobSteering {
  readonly after: number
  readonly whom: "root" | "any"
  readonly message?: string | undefined
  readonly priority?: number | undefined
  readonly deadline?: number | undefined
  readonly tokens?: number | undefined
  readonly subtree?: boolean | undefined
}

/** What is simulated. Made anew for every seed. */
export interface Scenario {
  /** Orchestrators by name. They find each other at `http://<name>/mcp`. */
  readonly nodes: Readonly<Record<string, Orchestrator>>
  /** MCP servers of somebody else's by name; they are no Coppices. Nodes find them at `http://<name>/mcp`. [none] */
  readonly foreign?: Readonly<Record<string, ForeignServer>> | undefined
  readonly jobs: ReadonlyArray<Job>
  /** Nodes whose endpoint speaks MCP 2025-11-25 alone. [none] */
  readonly legacy?: ReadonlyArray<string> | undefined
  /** [accepts with something that fits the form, now and then declines] */
  readonly human?: Human | undefined
  /** How often the principal `stranger` tries to reach tasks that are not its own, over MCP. [0] */
  readonly prying?: number | undefined
  /** What has to hold besides the promises of the runtime. */
  readonly invariants?: ReadonlyArray<Invariant> | undefined
}

/** What a scenario is made with. */
export interface Stage {
  readonly seed: number
  /** Chance of the scenario's own. */
  readonly chance: Dice
  /** A service outside of the runtime, such as a bank or a model. */
  readonly service: (name: string, options?: ServiceOptions) => Service
}

export interface TrialOptions {
  readonly scenario: (stage: Stage) => Scenario
  readonly kinds: ReadonlyArray<FaultKind>
  /** Faults to take instead of those of the seed. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /** Jobs to take instead of the scenario's. */
  readonly jobs?: ReadonlyArray<Job> | undefined
  /** Milliseconds within which faults strike. */
  readonly span: number
  /** Milliseconds within which everything has to come to rest after that. */
  readonly bound: number
}

export interface Outcome {
  readonly seed: number
  readonly history: History
  readonly faults: ReadonlyArray<Fault>
  readonly jobs: ReadonlyArray<Job>
  readonly verdicts: ReadonlyArray<Verdict>
  readonly elapsed: number
  readonly turns: number
  readonly messages: number
}

export const isBroken = ({ verdicts }: Outcome): boolean => verdicts.some(({ broken }) => broken.length > 0)

/** Who does something for a job, and where. */
interface Errand {
  readonly client: Client
  readonly machine: Machine
}

/** How long after the last rest whatever is idle has to have left memory. */
const afterglow = 45_000

/** A person has answered every question after so many rounds, each of which takes no longer than this, milliseconds. */
const mostAnswers = 1_000
const longestThought = 7 * 24 * 3_600_000

class Trial {
  private readonly world: World
  private readonly options: TrialOptions
  private readonly history = new History()
  private readonly machines = new Map<string, Machine>()
  private readonly foreign = new Map<string, Foreign>()
  private readonly injector: Injector
  private readonly network: Network
  private readonly scenario: Scenario
  private readonly jobs: ReadonlyArray<Job>
  private readonly person: Person
  private underWay = 0

  constructor(world: World, options: TrialOptions) {
    this.world = world
    this.options = options
    const { history } = this
    const chance = dice(world.seed, "scenario")
    let outside: Outside | undefined
    const stage: Stage = {
      seed: world.seed,
      chance,
      service: (name, given) => ({
        name,
        call: (request) => Effect.suspend(() => services(name, given ?? {}).call(request)),
        look: (key) => Effect.suspend(() => services(name, given ?? {}).look(key))
      })
    }
    const made = new Map<string, Service>()
    const services = (name: string, given: ServiceOptions): Service => {
      const known = made.get(name) ?? outside!.service(name, given)
      made.set(name, known)
      return known
    }
    this.scenario = options.scenario(stage)
    this.jobs = options.jobs ?? this.scenario.jobs
    const { foreign = {} } = this.scenario
    const nodes = [...Object.keys(this.scenario.nodes), ...Object.keys(foreign)]
    const faults = options.faults ??
      planFaults(dice(world.seed, "faults"), { kinds: options.kinds, nodes, span: options.span })
    this.injector = new Injector(world, history, faults)
    this.network = new Network(world, this.injector)
    const residence = (process: unknown) => {
      const machine = [...this.machines.values()].find((machine) => machine.process === process)
      return { node: machine?.name ?? "", life: machine?.number ?? 0 }
    }
    outside = new Outside(world, history, this.injector, residence)
    const parts = { world, history, network: this.network, machines: this.machines }
    const hosts = new Map<string, Host>()
    const wires = { ...parts, hosts, legacy: new Set(this.scenario.legacy), sessions: new Map<string, string>() }
    const fetch = fetchOf(wires)
    for (const [name, orchestrator] of Object.entries(this.scenario.nodes)) {
      const disk = new Disk(name, world, history, this.injector)
      this.machines.set(name, new Machine(name, orchestrator, { world, history, disk, fetch }))
    }
    for (const [name, server] of Object.entries(foreign)) {
      this.foreign.set(name, new Foreign(name, server, { world, history, injector: this.injector }))
    }
    for (const [name, host] of [...this.machines, ...this.foreign]) hosts.set(name, host)
    const places = { machines: this.machines, foreign: this.foreign }
    this.person = new Person(parts, this.injector, places, this.scenario.human ?? anybody)
    const stranger = new Stranger({ ...wires, fetch }, this.scenario.prying ?? 0)
    history.onFact = (fact) => {
      this.person.hear(fact)
      stranger.hear(fact)
    }
  }

  /** A clock that was set back makes whoever sleeps sleep longer. */
  private get bound(): number {
    const back = this.history.of("Struck").filter(({ fault }) => fault.kind === "clock-back")
    return back.reduce((sum, { fault }) => sum + fault.millis, this.options.bound)
  }

  run(): Outcome {
    const { span } = this.options
    for (const host of [...this.foreign.values(), ...this.machines.values()]) host.start()
    this.schedule()
    this.jobs.forEach((job, index) => this.begin(job, index))
    this.world.run(() => this.isQuiet(), span)
    this.injector.isOver = true
    this.network.heal()
    for (const machine of this.machines.values()) {
      machine.disk.heal()
      machine.heal()
    }
    for (const foreign of this.foreign.values()) foreign.heal()
    const atRest = this.comesToRest()
    if (atRest) this.world.run(() => false, afterglow)
    return this.outcome(atRest)
  }

  /** The wait begins anew with every answer of the person. */
  private comesToRest(): boolean {
    for (let answers = 0; answers < mostAnswers; answers++) {
      this.world.run(() => this.person.pending === 0, longestThought)
      const isOver = this.sometimes(() => this.person.pending > 0 || this.isAtRest())
      if (!this.world.run(isOver, this.bound)) return false
      if (this.person.pending === 0) return true
    }
    return false
  }

  private outcome(atRest: boolean): Outcome {
    const { history, injector, network, world } = this
    const nodes = new Map([...this.machines].map(([name, machine]) => [name, this.nodeEnd(machine)]))
    const end: End = { atRest, bound: this.bound, nodes }
    const { foreign, invariants: own = [] } = this.scenario
    const invariants = [...promises, ...foreign === undefined ? [] : foreigners(foreign), ...own]
    return {
      seed: world.seed,
      history,
      faults: injector.faults,
      jobs: this.jobs,
      verdicts: invariants.map(({ check, name }) => ({ name, ...check(history, end) })),
      elapsed: world.elapsed,
      turns: world.turns,
      messages: network.sent
    }
  }

  private nodeEnd(machine: Machine): NodeEnd {
    return {
      rows: machine.disk.rows,
      waits: this.waiting(machine),
      timers: machine.disk.timers(),
      residents: machine.service(TaskLog)?.residentCount ?? 0,
      executions: machine.service(Executor)?.residentCount() ?? 0
    }
  }

  // ---------------------------------------------------------------- faults that have a time

  private schedule(): void {
    const nemesis = this.world.process("nemesis")
    for (const fault of this.injector.timed) {
      this.world.after(nemesis, fault.at, () => {
        if (this.injector.isOver) return
        this.injector.strike(fault)
        this.strike(fault)
      })
    }
  }

  private strike({ kind, millis, node, to }: Fault): void {
    const foreign = this.foreign.get(node)
    if (foreign !== undefined && (kind === "crash" || kind === "stop")) return foreign[kind]()
    if (foreign !== undefined && kind === "pause") return foreign.pause(millis)
    if (kind === "partition") return this.network.cut(node, to === node ? "clients" : to, millis)
    const machine = this.machines.get(node)
    if (machine === undefined) return
    const { disk } = machine
    switch (kind) {
      case "crash":
        return machine.crash("crash")
      case "stop":
        return machine.stop()
      case "pause":
        return machine.pause(millis)
      case "clock-forward":
        return machine.setClock(millis)
      case "clock-back":
        return machine.setClock(-millis)
      case "disk-full":
        disk.fullUntil = this.world.elapsed + millis
        return
      case "disk-slow":
        disk.slowUntil = this.world.elapsed + 20_000
        disk.slowBy = millis
    }
  }

  // ---------------------------------------------------------------- clients

  private begin(job: Job, index: number): void {
    const machine = this.machines.get(job.node ?? [...this.machines.keys()][0]!)
    if (machine === undefined) {
      throw new Error(`Job ${index} names node "${job.node}", which the scenario does not have`)
    }
    const client = new Client(`client-${index}`, { world: this.world, history: this.history, network: this.network })
    this.underWay++
    this.world.after(client.process, job.at ?? 0, () => {
      Effect.runFork(this.work(client, machine, job, index)).addObserver(() => this.underWay--)
    })
  }

  private work(client: Client, machine: Machine, job: Job, index: number): Effect.Effect<unknown> {
    return Effect.gen({ self: this }, function*() {
      const { agent, input, principal = "local" } = job
      // the keys of others are no obstacle
      const key = `job-${principal === "local" ? index : 0}`
      const wish = { verb: "submit", agent, input, principal, key } as const
      const reply = yield* client.tell(machine, wish)
      if (reply._tag !== "Task") return
      const { task } = reply
      yield* client.tell(machine, { verb: "get", task })
      if (job.cancelAfter !== undefined) yield* Effect.forkChild(this.cancel(client, machine, job, task))
      if (job.steers !== undefined) yield* Effect.forkChild(this.steer({ client, machine }, job.steers, task))
      yield* client.tell(machine, { verb: "result", task })
      if (job.again !== undefined) yield* this.again({ client, machine }, job.again, task)
    })
  }

  /** Asked once: whether it was heard does not show. */
  private steer({ client, machine }: Errand, steering: JobSteering, root: TaskId): Effect.Effect<unknown> {
    const { after, deadline, tokens, whom, ...rest } = steering
    return Effect.gen({ self: this }, function*() {
      yield* Effect.sleep(after)
      const task = whom === "any" ? this.somebodyBelow(machine, root) : root
      const wall = this.world.wall + (machine.process?.skew ?? 0)
      const budget = { wallClock: null, calls: null, tokens: tokens ?? null, money: null }
      const limits = {
        ...deadline === undefined ? {} : { deadline: Math.round(wall + deadline) },
        ...tokens === undefined ? {} : { budget }
      }
      yield* client.ask(machine, { verb: "steer", task, steering: { ...rest, ...limits } })
    })
  }

  private again({ client, machine }: Errand, how: "retry" | "fresh" | "fork", task: TaskId): Effect.Effect<unknown> {
    return Effect.gen({ self: this }, function*() {
      const facts = this.history.facts(machine.name).filter(({ envelope }) => envelope.task === task)
      const place = String(this.world.chance.pick(facts).envelope.seq)
      const wish = how === "fork" ? { verb: how, task, place } as const : {
        verb: "retry",
        task,
        fresh: how === "fresh"
      } as const
      const reply = yield* client.ask(machine, wish)
      if (reply._tag === "Task") yield* client.tell(machine, { verb: "result", task: reply.task })
    })
  }

  /** Some task below that has not settled, or the root. */
  private somebodyBelow(machine: Machine, root: TaskId): TaskId {
    const below = [...machine.disk.unsettled].filter((id) =>
      id !== root && machine.disk.rows.get(id)?.state.run === root
    )
    return below.length > 0 ? this.world.chance.pick(below) : root
  }

  private cancel(
    client: Client,
    machine: Machine,
    { cancelAfter, cancels }: Job,
    root: TaskId
  ): Effect.Effect<unknown> {
    return Effect.gen({ self: this }, function*() {
      yield* Effect.sleep(cancelAfter!)
      const task = cancels === "any" ? this.somebodyBelow(machine, root) : root
      yield* client.tell(machine, { verb: "cancel", task })
    })
  }

  // ---------------------------------------------------------------- rest

  /** Looks now and then: looking costs more than a turn. */
  private sometimes(look: () => boolean): () => boolean {
    let count = 0
    return () => ++count % 50 === 0 && look()
  }

  /** Every fault has struck that will, and no client waits for anything but a person. */
  private isQuiet(): boolean {
    return this.underWay === 0 && this.person.pending === 0 &&
      this.injector.timed.every(({ at }) => at < this.world.elapsed) && this.world.turns % 50 === 0 && this.isAtRest()
  }

  private isAtRest(): boolean {
    if (this.person.pending > 0) return false
    for (const machine of this.machines.values()) {
      if (!machine.isServing) return false
      if (machine.disk.unsettled.size > this.waiting(machine).size) return false
    }
    return this.underWay <= this.openRuns()
  }

  /** Runs of clients that have not come to rest: their clients still wait. */
  private openRuns(): number {
    let count = 0
    for (const { disk } of this.machines.values()) {
      for (const id of disk.unsettled) {
        const row = disk.rows.get(id)!
        const key = row.state.spec.idempotencyKey
        // calls of other nodes have the caller's id as their key; what is retried or forked has none
        if (row.state.parent === null && (key === null || key.startsWith("job-"))) count++
      }
    }
    return count
  }

  /** Unsettled tasks that wait for a person, by themselves or through a task below. */
  private waiting({ disk }: Machine): ReadonlySet<TaskId> {
    const waits = new Set<TaskId>()
    for (const id of disk.unsettled) {
      const row = disk.rows.get(id)!
      if (isTerminal(row.state.status) || row.state.inputs.length === 0) continue
      for (let up: TaskRow | undefined = row; up !== undefined && !waits.has(up.state.id);) {
        waits.add(up.state.id)
        up = up.state.parent === null ? undefined : disk.rows.get(up.state.parent)
      }
    }
    return waits
  }
}

/** Runs one seed. Must not be called within a microtask. */
export const tryOnce = (seed: number, options: TrialOptions): Outcome => {
  const world = new World(seed)
  return inWorld(world, () => new Trial(world, options).run())
}
