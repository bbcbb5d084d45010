/**
 * The agents and servers of a running orchestrator, exchanged while it runs: `coppice dev` is built on it.
 *
 * ```text
 *   next ─► build what is new ─► stop what goes, in reverse ─► start what comes, in order ─► resume
 *                  │
 *                  └─ cannot be built: everything stays as it was
 * ```
 *
 * An agent is the same as before when its layer is the same value. The tasks of one that is exchanged leave memory as at a
 * restart of their server, and go on with the new code by replay; where that no longer fits, they park and ask.
 */
import { AgentSupervisor, type Member, namedTwice } from "@coppice/agent/AgentSupervisor"
import { type Change, compare } from "@coppice/task/Compatibility"
import type { Contract } from "@coppice/task/Contract"
import { Rescuer } from "@coppice/task/Rescuer"
import type { Settler } from "@coppice/task/Settler"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { Tasks } from "@coppice/task/Tasks"
import type { TaskStore } from "@coppice/task/TaskStore"
import { Workers } from "@coppice/task/Worker"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { isDeepStrictEqual } from "node:util"
import type { AgentLayer, OrchestratorOptions } from "./Orchestrator.ts"
import * as Servers from "./Servers.ts"

/** How long what the agents need may take to be built. */
const patience = "30 seconds"

/** What is exchanged. */
export type Crew = Pick<OrchestratorOptions, "agents" | "servers">

/** What an exchange came to. Names of agents; of foreign servers `server:` and their name. */
export interface Difference {
  readonly added: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  /** Of agents that were there and are there. */
  readonly contracts: ReadonlyArray<Change>
}

/** What the agents need could not be built. Everything is as it was. */
export class NotBuilt extends Data.TaggedError("NotBuilt")<{ readonly reason: unknown }> {
  override get message(): string {
    return this.reason instanceof Error ? this.reason.message : String(this.reason)
  }
}

type Services = AgentSupervisor | Tasks | Workers | Rescuer | TaskLog | TaskStore | Settler

export class Roster extends Context.Service<Roster, {
  /**
   * Exchanges what has changed; succeeds when the new agents take tasks. Requests for an agent that is being exchanged wait.
   * Interrupted, it is either over or has not begun.
   */
  readonly replace: (next: Crew) => Effect.Effect<Difference, NotBuilt>
}>()("coppice/Roster") {}

/** An agent layer that was built. */
interface Built {
  readonly layer: AgentLayer
  readonly scope: Scope.Closeable
  readonly members: ReadonlyArray<Member>
}

/** A server that is connected when needed. */
interface Connected {
  readonly server: Servers.Server
  readonly scope: Scope.Closeable
}

const contractsIn = (member: Member): ReadonlyArray<Contract> =>
  member._tag === "Agent" ? [member.definition.contract] : member.members.flatMap(contractsIn)

const membersOf = (all: ReadonlyArray<Built>): ReadonlyArray<Member> => all.flatMap(({ members }) => members)
const contractsOf = (all: ReadonlyArray<Built>): ReadonlyArray<Contract> => membersOf(all).flatMap(contractsIn)

/** What of a server can be compared: its agents are data, but for schemas, which their contracts tell. */
const comparable = ({ agents, ...rest }: Servers.Server) => ({
  ...rest,
  agents: agents === "all" ? agents : agents.map(({ contract, remote }) => ({
    contract,
    remote: { ...remote, input: undefined, output: undefined }
  }))
})

/** Functions that look alike may differ in what they close over, so a server with one is never the same. */
const isSame = (a: Servers.Server, b: Servers.Server): boolean => isDeepStrictEqual(comparable(a), comparable(b))

const close = ({ scope }: { readonly scope: Scope.Closeable }) => Scope.close(scope, Exit.void)
const closeAll = (all: ReadonlyArray<{ readonly scope: Scope.Closeable }>) =>
  Effect.forEach(all.toReversed(), close, { discard: true })

/** Agents that are in both, told apart by whether their member is the same value. */
const differences = (before: ReadonlyArray<Built>, after: ReadonlyArray<Built>): Difference => {
  const names = (all: ReadonlyArray<Built>) => contractsOf(all).map(({ name }) => name)
  const kept = new Set(membersOf(before).filter((member) => membersOf(after).includes(member)))
  const same = new Set([...kept].flatMap(contractsIn).map(({ name }) => name))
  const [old, now] = [names(before), names(after)]
  const both = now.filter((name) => old.includes(name))
  return {
    added: now.filter((name) => !old.includes(name)),
    changed: both.filter((name) => !same.has(name)),
    removed: old.filter((name) => !now.includes(name)),
    contracts: compare(contractsOf(before), contractsOf(after)).filter(({ agent }) => both.includes(agent))
  }
}

const isLayer: (value: unknown) => boolean = Layer.isLayer

/** Builds layers: they say what they would put under supervision, and nothing is. */
const builder = Effect.gen(function*() {
  const context = yield* Effect.context<Services>()
  const supervisor = yield* AgentSupervisor
  const memo = yield* Layer.makeMemoMap
  return Effect.fnUntraced(function*(layer: AgentLayer): Effect.fn.Return<Built, NotBuilt> {
    if (!isLayer(layer)) return yield* new NotBuilt({ reason: "one of the agents is none: is it exported?" })
    const scope = yield* Scope.make()
    const members: Array<Member> = []
    const collector: AgentSupervisor["Service"] = {
      ...supervisor,
      add: (definition, options) => Effect.sync(() => void members.push({ _tag: "Agent", definition, options })),
      addGroup: (group) => Effect.sync(() => void members.push(group))
    }
    const built = yield* Layer.buildWithMemoMap(layer, memo, scope).pipe(
      Effect.provideService(AgentSupervisor, collector),
      Effect.provideContext(context),
      Effect.timeout(patience),
      Effect.exit
    )
    if (Exit.isSuccess(built)) return { layer, scope, members }
    yield* Scope.close(scope, built)
    return yield* new NotBuilt({ reason: Cause.squash(built.cause) })
  })
})

/** The servers that are connected, and how they are exchanged. */
const connections = Effect.gen(function*() {
  const context = yield* Effect.context<Services>()
  const workers = yield* Workers
  let servers: ReadonlyMap<string, Connected> = new Map()

  const connect = Effect.fnUntraced(function*(name: string, server: Servers.Server) {
    const scope = yield* Scope.make()
    yield* Effect.orDie(Servers.serve(name, server)).pipe(
      Effect.provideService(Scope.Scope, scope),
      Effect.provideContext(context)
    )
    return { server, scope }
  })

  /** Connects what is new before it lets go of what was there, so that no task of theirs is ever nobody's. */
  const exchangeServers = Effect.fnUntraced(function*(next: Servers.Servers) {
    const before = servers
    const after = new Map<string, Connected>()
    yield* Effect.forEach(Object.entries(next), ([name, server]) =>
      Effect.gen(function*() {
        const known = before.get(name)
        after.set(name, known !== undefined && isSame(known.server, server) ? known : yield* connect(name, server))
      }), { concurrency: "unbounded", discard: true })
    servers = after
    const gone = [...before].filter(([name, one]) => after.get(name) !== one)
    const left = workers.list().filter(({ server }) => gone.some(([name]) => name === server))
    yield* closeAll(gone.map(([, one]) => one))
    for (const { contract } of left) workers.forget(contract.name)
    const label = (names: Iterable<string>) => [...names].map((name) => `server:${name}`)
    return {
      added: label([...after.keys()].filter((name) => !before.has(name))),
      changed: label(gone.map(([name]) => name).filter((name) => after.has(name))),
      removed: label(gone.map(([name]) => name).filter((name) => !after.has(name)))
    }
  })

  return { exchange: exchangeServers, close: Effect.suspend(() => closeAll([...servers.values()])) }
})

const make = Effect.gen(function*() {
  const supervisor = yield* AgentSupervisor
  const workers = yield* Workers
  const { sweep } = yield* Rescuer
  const build = yield* builder
  const servers = yield* connections
  const turn = yield* Semaphore.make(1)
  let agents: ReadonlyArray<Built> = []

  /** Those that are new, and the rest as it stands; when one cannot be built, none is. */
  const buildAll = Effect.fnUntraced(function*(layers: ReadonlyArray<AgentLayer>) {
    const fresh: Array<Built> = []
    const all: Array<Built> = []
    const each = Effect.forEach(layers, (layer) =>
      Effect.gen(function*() {
        const standing = agents.find((one) => one.layer === layer)
        const one = standing ?? (yield* build(layer))
        if (standing === undefined) fresh.push(one)
        all.push(one)
      }), { discard: true })
    const named = Effect.suspend(() => {
      const twice = namedTwice(membersOf(all))
      return twice === undefined
        ? Effect.void
        : Effect.fail(new NotBuilt({ reason: `"${twice}" names two of the agents and groups` }))
    })
    yield* Effect.onError(Effect.andThen(each, named), () => closeAll(fresh))
    return all
  })

  const exchange = Effect.fnUntraced(function*(all: ReadonlyArray<Built>, next: Servers.Servers) {
    const ofServers = yield* servers.exchange(next)
    const before = agents
    const difference = differences(before, all)
    yield* supervisor.replace(membersOf(all))
    agents = all
    for (const name of difference.removed) workers.forget(name)
    yield* Effect.ignore(sweep)
    // what the old code needed: nothing of it runs any more
    yield* closeAll(before.filter((one) => !all.includes(one)))
    return {
      added: [...difference.added, ...ofServers.added],
      changed: [...difference.changed, ...ofServers.changed],
      removed: [...difference.removed, ...ofServers.removed],
      contracts: difference.contracts
    }
  })

  yield* Effect.addFinalizer(() =>
    Effect.gen(function*() {
      // what the code needs is there until it has stopped
      yield* Effect.exit(supervisor.replace([]))
      yield* closeAll(agents)
      yield* servers.close
    })
  )

  const replace: Roster["Service"]["replace"] = (next) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(buildAll(next.agents)), (all) => exchange(all, next.servers ?? {}))
    ).pipe(turn.withPermits(1))

  return { replace }
})

/** Nobody yet, over the services of an orchestrator's `runtime`. */
export const layer: Layer.Layer<Roster, never, Services> = Layer.effect(Roster, make)
