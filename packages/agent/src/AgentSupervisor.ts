/**
 * The supervision tree of a process: one supervisor, whose children are the agent servers, alone or in groups that have a
 * supervisor of their own. To its parent a group is one child; when it gives up, that is this child's death.
 *
 * A defect in a handler costs its task an attempt and its server a restart count; it does not touch the server's other
 * tasks. A server itself dies, and is restarted by the supervisor, when its defects come faster than `intensity` allows.
 * While a server is down its tasks are out of memory, and they go on when it is back.
 */
import { Rescuer } from "@coppice/task/Rescuer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AgentStats, type Defect, Executor } from "./Executor.ts"
import type { Definition } from "./internal/AgentServer.ts"
import * as Supervisor from "./Supervisor.ts"

/** How an agent server is supervised. */
export interface ChildOptions {
  /** ["permanent"] */
  readonly restart?: Supervisor.Restart | undefined
  /** How long the server's handlers may take to leave memory. ["10 seconds"] */
  readonly shutdown?: Duration.Input | undefined
  /** Defects within `period` that the server survives; without it, any number. */
  readonly intensity?: number | undefined
  /** ["30 seconds"] */
  readonly period?: Duration.Input | undefined
}

/** How a group is supervised, by its parent and within. */
export interface GroupOptions extends Partial<Supervisor.SupervisorOptions> {
  /** What its parent does when it has given up. ["permanent"] */
  readonly restart?: Supervisor.Restart | undefined
}

/** What stands below a supervisor, in the order it is started in. */
export type Member =
  | { readonly _tag: "Agent"; readonly definition: Definition; readonly options: ChildOptions }
  | {
    readonly _tag: "Group"
    readonly name: string
    readonly options: GroupOptions
    readonly members: ReadonlyArray<Member>
  }

const defaults = { restart: "permanent", shutdown: "10 seconds", period: "30 seconds" } as const

/** Of the tree and of groups. */
const calm: Supervisor.SupervisorOptions = { strategy: "one_for_one", intensity: 5, period: "30 seconds" }

/** Strategy and intensity of the tree. */
export const SupervisionOptions = Context.Reference<Supervisor.SupervisorOptions>(
  "@coppice/agent/SupervisionOptions",
  { defaultValue: () => calm }
)

/** An agent's handlers died faster than its server allows. */
export class TooManyDefects extends Data.TaggedError("TooManyDefects")<{
  readonly agent: string
  readonly last: Defect
}> {
  override get message(): string {
    return `the handlers of "${this.agent}" died too often, last in task ${this.last.task}`
  }
}

/** Somebody wanted to see what becomes of it. */
export class KilledOnPurpose extends Data.TaggedError("KilledOnPurpose")<{ readonly agent: string }> {
  override get message(): string {
    return `"${this.agent}" was killed on purpose`
  }
}

/** One agent in the tree. */
export type AgentNode = Supervisor.ChildStatus & Omit<AgentStats, "agent" | "restarts"> & {
  /** Attempts its tasks lost to defects. */
  readonly defects: number
  /** The group it belongs to. */
  readonly group: string | undefined
  /** How it is supervised, defaults included. Milliseconds. */
  readonly shutdown: number
  readonly intensity: number | undefined
  readonly period: number
}

/** One group in the tree. */
export type GroupNode = Supervisor.ChildStatus & {
  readonly group: string | undefined
  readonly options: Supervisor.SupervisorOptions
}

export class AgentSupervisor extends Context.Service<AgentSupervisor, {
  /** Puts an agent under supervision; succeeds when it takes tasks. */
  readonly add: (definition: Definition, options: ChildOptions) => Effect.Effect<void>
  /** Puts a group under supervision; succeeds when all its agents take tasks. */
  readonly addGroup: (group: Member & { readonly _tag: "Group" }) => Effect.Effect<void>
  /**
   * From now on these are the agents and groups, in this order. Those that are the same value as before go on untouched;
   * the others are stopped, last started first, and then the new ones start. Tasks of a stopped agent leave memory as at a
   * restart and go on with whoever serves it next.
   */
  readonly replace: (members: ReadonlyArray<Member>) => Effect.Effect<void>
  /** The agent's server dies, as if its handlers had died too often. False when there is no such server now. */
  readonly kill: (agent: string) => Effect.Effect<boolean>
  readonly options: Supervisor.SupervisorOptions
  readonly tree: () => ReadonlyArray<AgentNode>
  readonly groups: () => ReadonlyArray<GroupNode>
  /** Never succeeds; fails when the tree gives up, which is the end of the service. */
  readonly escalation: Effect.Effect<never, Supervisor.TooManyRestarts>
}>()("@coppice/agent/AgentSupervisor") {}

/** What an agent's servers lost to defects, those before a restart included. */
interface Losses {
  defects: number
  lastDefect: string | undefined
}

/** Counts defects; fails the server when too many fall into one period. */
const gauge = (definition: Definition, options: ChildOptions) => {
  const { name } = definition.contract
  const period = Duration.toMillis(options.period ?? defaults.period)
  const recent: Array<number> = []
  const storm = Deferred.makeUnsafe<never, TooManyDefects | KilledOnPurpose>()
  const onDefect = (now: number, defect: Defect): void => {
    if (options.intensity === undefined) return
    recent.push(now)
    while (recent[0]! < now - period) recent.shift()
    if (recent.length > options.intensity) {
      Deferred.doneUnsafe(storm, Effect.fail(new TooManyDefects({ agent: name, last: defect })))
    }
  }
  return { storm, onDefect }
}

const nameOf = (member: Member): string => member._tag === "Agent" ? member.definition.contract.name : member.name

const namesIn = (member: Member): ReadonlyArray<string> =>
  member._tag === "Agent" ? [nameOf(member)] : [member.name, ...member.members.flatMap(namesIn)]

/** Agents and groups share one namespace. */
export const namedTwice = (members: ReadonlyArray<Member>): string | undefined =>
  members.flatMap(namesIn).find((name, index, names) => names.indexOf(name) < index)

const optionsOf = ({ backoff, intensity, period, strategy }: GroupOptions): Supervisor.SupervisorOptions => ({
  strategy: strategy ?? calm.strategy,
  intensity: intensity ?? calm.intensity,
  period: period ?? calm.period,
  backoff
})

/** A group has as long as its members have one after the other, and a second for itself. */
const shutdownOf = (member: Member): number =>
  member._tag === "Agent"
    ? Duration.toMillis(member.options.shutdown ?? defaults.shutdown)
    : member.members.reduce((sum, one) => sum + shutdownOf(one), 1_000)

interface Place {
  readonly members: ReadonlyArray<Member>
  readonly supervisor: Supervisor.Supervisor | undefined
  readonly group: string | undefined
}

interface Node {
  readonly member: Member
  readonly status: Supervisor.ChildStatus
  readonly group: string | undefined
}

/** Everything below a supervisor as it is now, in the order it starts in. */
const walk = (
  { group, members, supervisor }: Place,
  inner: ReadonlyMap<string, Supervisor.Supervisor>
): ReadonlyArray<Node> => {
  const known = new Map(supervisor?.status().map((status) => [status.id, status]))
  return members.flatMap((member) => {
    const status = known.get(nameOf(member)) ?? notStarted(member)
    const node = { member, status, group }
    if (member._tag === "Agent") return [node]
    const below = { members: member.members, supervisor: inner.get(member.name), group: member.name }
    return [node, ...walk(below, inner)]
  })
}

const supervisedAs = ({ intensity, period, shutdown }: ChildOptions) => ({
  shutdown: Duration.toMillis(shutdown ?? defaults.shutdown),
  intensity,
  period: Duration.toMillis(period ?? defaults.period)
})

const figures = (stat: AgentStats | undefined, loss: Losses | undefined) => ({
  active: stat?.active ?? 0,
  waiting: stat?.waiting ?? 0,
  resident: stat?.resident ?? 0,
  lastDefect: loss?.lastDefect,
  lastBlock: stat?.lastBlock,
  defects: loss?.defects ?? 0
})

/** A group that is being restarted has not come to this one yet. */
const notStarted = (member: Member): Supervisor.ChildStatus => ({
  id: nameOf(member),
  restart: member.options.restart ?? defaults.restart,
  state: "stopped",
  restarts: 0,
  reason: undefined,
  since: 0,
  until: undefined
})

const treeOf = (
  nodes: ReadonlyArray<Node>,
  stats: ReadonlyArray<AgentStats>,
  losses: ReadonlyMap<string, Losses>
): ReadonlyArray<AgentNode> => {
  const known = new Map(stats.map((stat) => [stat.agent, stat]))
  return nodes.flatMap(({ group, member, status }) => {
    if (member._tag === "Group") return []
    const { id } = status
    return [{ ...status, group, ...supervisedAs(member.options), ...figures(known.get(id), losses.get(id)) }]
  })
}

const groupsOf = (nodes: ReadonlyArray<Node>): ReadonlyArray<GroupNode> =>
  nodes.flatMap(({ group, member, status }) =>
    member._tag === "Agent" ? [] : [{ ...status, group, options: optionsOf(member.options) }]
  )

/** How servers begin, and what they leave behind. */
const serving = Effect.gen(function*() {
  const executor = yield* Executor
  const rescuer = yield* Rescuer
  const losses = new Map<string, Losses>()
  /** What ends the servers that stand. */
  const ends = new Map<string, Deferred.Deferred<never, TooManyDefects | KilledOnPurpose>>()

  const start = Effect.fnUntraced(function*(definition: Definition, childOptions: ChildOptions) {
    const { name } = definition.contract
    const { onDefect, storm } = gauge(definition, childOptions)
    const before = losses.get(name)
    const lost = before ?? { defects: 0, lastDefect: undefined }
    losses.set(name, lost)
    yield* executor.serve(definition, (now, defect) => {
      lost.defects++
      lost.lastDefect = Cause.pretty(defect.cause).split("\n")[0]
      onDefect(now, defect)
    })
    ends.set(name, storm)
    // a restarted server finds its tasks again in the log
    if (before !== undefined) yield* Effect.ignore(rescuer.sweep)
    return Deferred.await(storm)
  })
  return { ends, losses, start }
})

export const layer: Layer.Layer<AgentSupervisor, never, Executor | Rescuer> = Layer.effect(
  AgentSupervisor,
  Effect.gen(function*() {
    const executor = yield* Executor
    const options = yield* SupervisionOptions
    const supervisor = yield* Supervisor.make(options)
    const { ends, losses, start } = yield* serving
    const roots: Array<Member> = []
    /** The supervisors of the groups that stand, or stood last. */
    const inner = new Map<string, Supervisor.Supervisor>()

    const specs = new WeakMap<Member, Supervisor.ChildSpec>()

    const specOf = (member: Member): Supervisor.ChildSpec => {
      const spec = specs.get(member) ?? makeSpec(member)
      specs.set(member, spec)
      return spec
    }

    const makeSpec = (member: Member): Supervisor.ChildSpec => {
      const restart = member.options.restart ?? defaults.restart
      const shutdown = shutdownOf(member)
      if (member._tag === "Agent") {
        return { id: nameOf(member), restart, shutdown, start: start(member.definition, member.options) }
      }
      return Supervisor.childSpec(member.name, { ...optionsOf(member.options), restart, shutdown }, (below) => {
        inner.set(member.name, below)
        return Effect.forEach(member.members, (one) => below.add(specOf(one)), { discard: true })
      })
    }

    const put = (member: Member): Effect.Effect<void> =>
      Effect.suspend(() => {
        const twice = namedTwice([...roots, member])
        if (twice !== undefined) return Effect.die(new Error(`"${twice}" names two of the agents and groups`))
        return Effect.andThen(Effect.orDie(supervisor.add(specOf(member))), Effect.sync(() => roots.push(member)))
      })

    const replace = (members: ReadonlyArray<Member>): Effect.Effect<void> =>
      Effect.suspend(() => {
        const twice = namedTwice(members)
        if (twice !== undefined) return Effect.die(new Error(`"${twice}" names two of the agents and groups`))
        roots.splice(0, roots.length, ...members)
        return Effect.orDie(supervisor.replace(members.map(specOf)))
      })

    const kill = (agent: string): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        const end = ends.get(agent)
        return end === undefined ? Effect.succeed(false) : Deferred.fail(end, new KilledOnPurpose({ agent }))
      })

    const nodes = () => walk({ members: roots, supervisor, group: undefined }, inner)

    return {
      add: (definition, childOptions) => put({ _tag: "Agent", definition, options: childOptions }),
      addGroup: put,
      replace,
      kill,
      options,
      tree: () => treeOf(nodes(), executor.stats(), losses),
      groups: () => groupsOf(nodes()),
      escalation: supervisor.escalation
    }
  })
)
