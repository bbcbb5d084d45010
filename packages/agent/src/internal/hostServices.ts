import { CodeVersion } from "@coppice/task/CodeVersion"
import { CallLimits, findCycle, makeLineage } from "@coppice/task/Lineage"
import { People } from "@coppice/task/People"
import { Settler } from "@coppice/task/Settler"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import { Scheduler } from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { CallCodec } from "../CallCodec.ts"
import { ExecutorOptions } from "./ExecutorOptions.ts"
import type { HostServices } from "./Host.ts"
import { PoolKeeper } from "./PoolKeeper.ts"

type Needed = TaskLog | Tasks | TaskStore | Settler | Scope.Scope

/** What executions need of the process, but for the executor itself. */
export const hostServices: Effect.Effect<HostServices, never, Needed> = Effect.gen(function*() {
  const log = yield* TaskLog
  const store = yield* TaskStore
  const lineage = makeLineage(store)
  const clock = yield* Clock.Clock
  const outside = Context.mergeAll(
    Context.make(Clock.Clock, clock),
    Context.make(Random.Random, yield* Random.Random),
    Context.make(Scheduler, yield* Scheduler)
  )
  return {
    log,
    pools: new PoolKeeper(log, store),
    tasks: yield* Tasks,
    settler: yield* Settler,
    codec: yield* CallCodec,
    limits: yield* CallLimits,
    circle: (caller, agent, input) => Effect.flatMap(lineage(caller), (chain) => findCycle(store, chain, agent, input)),
    people: yield* People,
    clock,
    code: yield* CodeVersion,
    grace: Duration.fromInputUnsafe((yield* ExecutorOptions).grace ?? "10 seconds"),
    outside,
    fork: yield* FiberSet.makeRuntime()
  }
})
