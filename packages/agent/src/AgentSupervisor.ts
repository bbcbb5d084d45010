/**
 * The supervision tree of a process: one supervisor, whose children are the agent servers.
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

/** Strategy and intensity of the tree. */
export const SupervisionOptions = Context.Reference<Supervisor.SupervisorOptions>(
  "@coppice/agent/SupervisionOptions",
  { defaultValue: () => ({ strategy: "one_for_one", intensity: 5, period: "30 seconds" }) }
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

/** One agent in the tree. */
export type AgentNode = Supervisor.ChildStatus & Omit<AgentStats, "agent" | "restarts"> & {
  /** Attempts its tasks lost to defects. */
  readonly defects: number
}

export class AgentSupervisor extends Context.Service<AgentSupervisor, {
  /** Puts an agent under supervision; succeeds when it takes tasks. */
  readonly add: (definition: Definition, options: ChildOptions) => Effect.Effect<void>
  readonly options: Supervisor.SupervisorOptions
  readonly tree: () => ReadonlyArray<AgentNode>
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
  const period = Duration.toMillis(options.period ?? "30 seconds")
  const recent: Array<number> = []
  const storm = Deferred.makeUnsafe<never, TooManyDefects>()
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

export const layer: Layer.Layer<AgentSupervisor, never, Executor | Rescuer> = Layer.effect(
  AgentSupervisor,
  Effect.gen(function*() {
    const executor = yield* Executor
    const rescuer = yield* Rescuer
    const options = yield* SupervisionOptions
    const supervisor = yield* Supervisor.make(options)
    const losses = new Map<string, Losses>()

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
      // a restarted server finds its tasks again in the log
      if (before !== undefined) yield* Effect.ignore(rescuer.sweep)
      return Deferred.await(storm)
    })

    const add = (definition: Definition, childOptions: ChildOptions) =>
      Effect.orDie(supervisor.add({
        id: definition.contract.name,
        restart: childOptions.restart ?? "permanent",
        shutdown: childOptions.shutdown ?? "10 seconds",
        start: start(definition, childOptions)
      }))

    const tree = (): ReadonlyArray<AgentNode> => {
      const stats = new Map(executor.stats().map((stat) => [stat.agent, stat]))
      return supervisor.status().map((child) => {
        const stat = stats.get(child.id)
        return {
          ...child,
          active: stat?.active ?? 0,
          waiting: stat?.waiting ?? 0,
          resident: stat?.resident ?? 0,
          lastDefect: losses.get(child.id)?.lastDefect,
          defects: losses.get(child.id)?.defects ?? 0
        }
      })
    }
    return { add, options, tree, escalation: supervisor.escalation }
  })
)
