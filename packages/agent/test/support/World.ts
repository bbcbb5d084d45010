/**
 * A whole engine in virtual time: tasks, agents and a store, and nothing else moving.
 *
 * Time moves on by itself, but only when nothing moves without it: a body that sleeps an hour takes no time, and a test
 * that sleeps a millisecond sees everything done that did not need that millisecond.
 */
import { CallLimits } from "@coppice/task/Lineage"
import { layerMemory } from "@coppice/task/MemoryTaskStore"
import { People, type Person } from "@coppice/task/People"
import { Rescuer } from "@coppice/task/Rescuer"
import type { TaskId } from "@coppice/task/Task"
import * as TaskEngine from "@coppice/task/TaskEngine"
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { type Submit, Tasks } from "@coppice/task/Tasks"
import type { StoreError } from "@coppice/task/TaskStore"
import { TaskStore } from "@coppice/task/TaskStore"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type { Json } from "effect/Schema"
import * as AgentSupervisor from "../../src/AgentSupervisor.ts"
import { CallCodec } from "../../src/CallCodec.ts"
import * as Executor from "../../src/Executor.ts"
import type * as Supervisor from "../../src/Supervisor.ts"
import { dice } from "./Seed.ts"
import { VirtualClock } from "./VirtualClock.ts"

type AgentLayer = Layer.Layer<never, never, AgentSupervisor.AgentSupervisor>

export type Services =
  | TaskEngine.TaskEngine
  | TaskStore
  | Executor.Executor
  | AgentSupervisor.AgentSupervisor

export interface Options {
  readonly agents: ReadonlyArray<AgentLayer>
  readonly store?: Layer.Layer<TaskStore, StoreError> | undefined
  readonly clock?: VirtualClock | undefined
  readonly executor?: Partial<Executor.ExecutorOptions> | undefined
  readonly supervision?: Supervisor.SupervisorOptions | undefined
  readonly codec?: CallCodec | undefined
  readonly seed?: string | undefined
  readonly limits?: CallLimits | undefined
  readonly people?: ReadonlyMap<string, Person> | undefined
  /** The longest virtual time a test may take. [1 hour] */
  readonly patience?: number | undefined
}

/** What tells whether anything moves. */
class Activity {
  probe: () => number = () => 0
}

const defaults: Executor.ExecutorOptions = {
  idleAfter: "10 seconds",
  maxIdle: 10_000,
  shutdown: "5 seconds",
  // of real time: a busy machine would cut the turns elsewhere, and the facts of different tasks in another order
  slice: 60_000,
  quarantine: 3,
  trial: "5 seconds"
}

const engine = (options: Options, activity: Activity): Layer.Layer<Services, StoreError> => {
  const settings = Layer.mergeAll(
    Layer.succeed(Executor.ExecutorOptions, Object.assign({}, defaults, options.executor)),
    options.codec === undefined ? Layer.empty : Layer.succeed(CallCodec, options.codec),
    options.people === undefined ? Layer.empty : Layer.succeed(People, options.people),
    options.limits === undefined ? Layer.empty : Layer.succeed(CallLimits, options.limits),
    options.supervision === undefined
      ? Layer.empty
      : Layer.succeed(AgentSupervisor.SupervisionOptions, options.supervision)
  )
  const watch = Layer.effectDiscard(Effect.gen(function*() {
    const log = yield* TaskLog
    const executor = yield* Executor.Executor
    activity.probe = () => log.head + log.written.commits + executor.residentCount()
  }))
  const runtime = watch.pipe(
    Layer.provideMerge(AgentSupervisor.layer),
    Layer.provideMerge(Executor.layer),
    Layer.provideMerge(TaskEngine.layer),
    Layer.provide(settings)
  )
  const agents = options.agents.reduceRight<AgentLayer>((rest, agent) => Layer.provideMerge(rest, agent), Layer.empty)
  const resume = Layer.effectDiscard(Effect.flatMap(Rescuer, (rescuer) => rescuer.sweep))
  return resume.pipe(
    Layer.provideMerge(agents),
    Layer.provideMerge(runtime),
    Layer.provideMerge(options.store ?? layerMemory)
  )
}

const hop = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const quietHops = 5

/** Lets everything run that needs no time. */
const settle = Effect.fnUntraced(function*(clock: VirtualClock, activity: Activity) {
  let before = -1
  for (let quiet = 0; quiet < quietHops; quiet++) {
    yield* hop
    const now = clock.activity + activity.probe()
    if (now !== before) quiet = 0
    before = now
  }
})

class Stuck extends Error {}

const drive = Effect.fnUntraced(function*<A, E>(
  fiber: Fiber.Fiber<A, E>,
  { activity, clock, patience }: {
    readonly clock: VirtualClock
    readonly activity: Activity
    readonly patience: number
  }
) {
  const end = clock.currentTimeMillisUnsafe() + patience
  while (fiber.pollUnsafe() === undefined) {
    yield* settle(clock, activity)
    if (fiber.pollUnsafe() !== undefined) break
    if ((clock.next ?? Infinity) > end) return yield* Effect.die(new Stuck("the test did not come to its end"))
    clock.step()
  }
  return yield* Fiber.join(fiber)
})

/** Runs the body in an engine of its own, which is stopped at the end. */
export const inWorld = <A, E>(
  options: Options,
  body: Effect.Effect<A, E, Services>
): Effect.Effect<A, E | StoreError> =>
  Effect.suspend(() => {
    const clock = options.clock ?? new VirtualClock()
    const activity = new Activity()
    const context = Context.mergeAll(
      Context.make(Clock.Clock, clock),
      Context.make(Random.Random, randomOf(options.seed ?? "world"))
    )
    const whole = Effect.provideContext(Effect.provide(body, engine(options, activity)), context)
    return Effect.flatMap(Effect.forkChild(whole), (fiber) =>
      drive(fiber, { clock, activity, patience: options.patience ?? 3_600_000 }))
  })

const randomOf = (seed: string): typeof Random.Random.Service => {
  const { next } = dice(seed)
  return {
    nextDoubleUnsafe: next,
    nextIntUnsafe: () => Math.floor(next() * 2 ** 21) * 2 ** 32 + Math.floor(next() * 2 ** 32)
  }
}

// ---------------------------------------------------------------- verbs

export const submit = (agent: string, input: Json, more?: Omit<Submit, "agent" | "input">) =>
  Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.submit({ agent, input, ...more }), ({ id }) => id))

export const result = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.result(id))

/** Submits and waits; how the task ended. */
export const run = (agent: string, input: Json, more?: Omit<Submit, "agent" | "input">) =>
  Effect.map(Effect.flatMap(submit(agent, input, more), result), ({ ending }) => ending)

/** The failure a task ends with. */
export const failureIn = <E, R>(ending: Effect.Effect<TaskEvent, E, R>) =>
  Effect.map(ending, (event) => {
    assert(event._tag === "Failed", JSON.stringify(event))
    return event
  })

/** Everything else that can happen now has happened. */
export const pause = Effect.sleep(1)

/** Every fact of a task, or of everything. */
export const eventsOf = (task?: TaskId) =>
  Effect.flatMap(TaskStore, (store) => store.events({ task, since: 0, limit: 100_000 }))

export const tagsOf = (task: TaskId) => Effect.map(eventsOf(task), (events) => events.map(({ event }) => event._tag))

/** Facts of these kinds in order, each with its agent, such as `child Settled`. */
export const orderOf = (kinds: ReadonlyArray<TaskEvent["_tag"]>) =>
  Effect.map(eventsOf(), (events) => {
    const agents = new Map(events.flatMap(({ event, task }) => event._tag === "Created" ? [[task, event.agent]] : []))
    return events.filter(({ event }) => kinds.includes(event._tag)).map(({ event, task }) =>
      `${agents.get(task)} ${event._tag}`
    )
  })
