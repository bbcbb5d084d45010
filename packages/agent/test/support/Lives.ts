/**
 * Runs a program to its end, in a process that remembers every commit; and again from any of them.
 */
import type { TaskId } from "@coppice/task/Task"
import type { Envelope, InputResponse, TaskEvent } from "@coppice/task/TaskEvent"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { type Batch, TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type { Json } from "effect/Schema"
import type { CallCodec } from "../../src/CallCodec.ts"
import { CurrentStep } from "../../src/CurrentStep.ts"
import * as Executor from "../../src/Executor.ts"
import { type Environment, live, notebook, type Program } from "./Program.ts"
import { recording, restored } from "./Recording.ts"
import { dice, hash } from "./Seed.ts"
import { VirtualClock } from "./VirtualClock.ts"
import { inWorld, result, submit } from "./World.ts"

export interface World {
  /** Decides what the world outside answers: the same for the same seed and key. */
  readonly seed: string
  /** Decides when: the order of things that happen at one time, and how long they take. */
  readonly timing: string
  /** Typed failures and dying bodies. */
  readonly faults: boolean
  /** Handlers that die in their first attempt. */
  readonly booms: boolean
  /** Runs leave memory whenever they can. */
  readonly evict: boolean
  /** The store takes its time, and not always the same. */
  readonly slow: boolean
  /** Somebody cancels the run, or a task of it, at some time. */
  readonly cancel: boolean
  /** The form calls take on their way. */
  readonly codec?: CallCodec
}

export interface Life {
  readonly root: TaskId
  readonly ending: TaskEvent
  /** Everything committed, what was there at the beginning included. */
  readonly batches: ReadonlyArray<Batch>
  readonly pages: ReturnType<ReturnType<typeof notebook>["pages"]>
  /** Every key whose body ran, as often as it ran. */
  readonly bodies: ReadonlyArray<string>
  /** What still stands in memory and in the store's heap after the end. */
  readonly left: Json
}

const share = (text: string) => hash(text) / 2 ** 32

/**
 * The key without the task, so that another process's new tasks meet the same world; without faults also without the
 * number, because who is first of two with equal inputs is a matter of time.
 */
const nameOf = (world: World, key: string) => {
  const name = key.slice(key.indexOf("/") + 1)
  return world.faults ? name : name.replace(/:\d+$/, "")
}

const environment = (world: World) => {
  const bodies: Array<string> = []
  const book = notebook()
  const env: Environment = {
    note: book.note,
    booms: world.booms,
    body: (key) =>
      Effect.gen(function*() {
        bodies.push(key)
        const attempt = (yield* CurrentStep)?.attempt ?? 1
        const told = `${world.seed}/${nameOf(world, key)}`
        const takes = Math.floor(share(`takes/${world.timing}/${key}`) * 25) - 5
        if (takes > 0) yield* Effect.onInterrupt(Effect.sleep(takes), () => Effect.sleep(takes % 3))
        if (world.faults && attempt === 1 && share(`dies/${told}`) < 0.1) return yield* Effect.die("boom")
        if (world.faults && share(`fails/${told}`) < 0.2) return yield* Effect.fail(`e${hash(told) % 3}`)
        return hash(told) % 100
      })
  }
  return { bodies, book, env }
}

const answerTo = (world: World, key: string): InputResponse => {
  const n = hash(`${world.seed}/${nameOf(world, key)}`)
  const action = n % 4 === 0 ? "decline" : n % 4 === 1 ? "cancel" : "accept"
  return { action, content: action === "accept" ? { ok: n % 10 } : null, by: "somebody" }
}

/** Answers every question some time after it was asked. */
const person = Effect.fnUntraced(function*(world: World) {
  const tasks = yield* Tasks
  const log = yield* TaskLog
  const fork = yield* FiberSet.makeRuntime()
  const answer = (id: TaskId, key: string) =>
    fork(Effect.andThen(
      Effect.sleep(1 + Math.floor(share(`asked/${world.timing}/${id}/${key}`) * 30)),
      Effect.ignore(tasks.respond({ id, key, response: answerTo(world, key) }))
    ))
  for (const { request, task } of yield* tasks.inbox({})) answer(task, request.key)
  log.onCommit((events: ReadonlyArray<Envelope>) => {
    for (const { event, task } of events) if (event._tag === "InputRequested") answer(task, event.request.key)
  })
})

/** Cancels one of the run's tasks after a while. */
const canceller = Effect.fnUntraced(function*(world: World, root: TaskId) {
  const { below, chance, pick } = dice(`cancel/${world.timing}`)
  const tasks = yield* Tasks
  yield* Effect.sleep(1 + below(80))
  const all = yield* tasks.tree(root)
  const { id } = chance(0.5) ? all[0]! : pick(all)
  yield* Effect.ignore(tasks.cancel({ id, by: "somebody" }))
})

const evictor = (world: World) => {
  const { below } = dice(`evict/${world.timing}`)
  return Effect.flatMap(
    Executor.Executor,
    ({ evictIdle }) => Effect.forever(Effect.andThen(Effect.suspend(() => Effect.sleep(1 + below(12))), evictIdle))
  )
}

const leftovers = Effect.gen(function*() {
  const log = yield* TaskLog
  const executor = yield* Executor.Executor
  const store = yield* TaskStore
  const { active } = yield* store.counts
  const stats = executor.stats().map(({ active, waiting }) => active + waiting)
  const timer = (yield* store.nextTimer) ?? null
  const unsettled = (yield* store.unsettled(10)).length
  return { active, timer, unsettled, stats, tasks: log.residentCount, executions: executor.residentCount() }
})

const isEmpty = ({ active, executions, tasks, unsettled }: Effect.Success<typeof leftovers>) =>
  active + executions + tasks + unsettled === 0

const begin = Effect.fnUntraced(function*(world: World, id: Effect.Effect<TaskId, any, Tasks>) {
  yield* person(world)
  if (world.evict) yield* Effect.forkScoped(evictor(world))
  const root = yield* id
  if (world.cancel) yield* Effect.forkScoped(canceller(world, root))
  const { ending } = yield* result(root)
  let left = yield* leftovers
  for (let i = 0; i < 200 && !isEmpty(left); i++) {
    yield* Effect.sleep(50)
    left = yield* leftovers
  }
  return { root, ending, left }
}, Effect.scoped)

/** Every operation of the store takes some milliseconds. */
const dawdling = (world: World) => (store: Layer.Layer<TaskStore>): Layer.Layer<TaskStore> => {
  if (!world.slow) return store
  const { below } = dice(`store/${world.timing}`)
  const slow = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      const takes = below(4)
      return takes === 3 ? effect : Effect.flatMap(effect, (value) => Effect.as(Effect.sleep(takes), value))
    })
  const dawdle = (store: TaskStore["Service"]): TaskStore["Service"] => ({
    ...store,
    commit: (batch) => Effect.andThen(Effect.sleep(below(3)), store.commit(batch)),
    journal: (id) => slow(store.journal(id)),
    load: (id) => slow(store.load(id)),
    subtree: (id) => slow(store.subtree(id)),
    runnable: (cursor, limit) => slow(store.runnable(cursor, limit)),
    unsettled: (limit) => slow(store.unsettled(limit)),
    timersDue: (now, limit) => slow(store.timersDue(now, limit))
  })
  return Layer.provide(Layer.effect(TaskStore, Effect.map(TaskStore, dawdle)), store)
}

const lastTime = (batches: ReadonlyArray<Batch>) => batches.at(-1)?.events.at(-1)?.at ?? 1_800_000_000_000

/** Runs the program to its end. */
export const fromTheStart = (program: Program, world: World): Effect.Effect<Life, unknown> =>
  liveOn(world, [], submit("prog", program))

/** Goes on after those commits, as a process started after a kill would. */
export const after = (batches: ReadonlyArray<Batch>, world: World): Effect.Effect<Life, unknown> => {
  const root = batches[0]!.events[0]!.task
  return liveOn(world, batches, Effect.succeed(root))
}

const liveOn = (
  world: World,
  before: ReadonlyArray<Batch>,
  root: Effect.Effect<TaskId, any, Tasks>
): Effect.Effect<Life, unknown> =>
  Effect.suspend(() => {
    const { bodies, book, env } = environment(world)
    const batches: Array<Batch> = []
    const clock = new VirtualClock(lastTime(before), dice(`clock/${world.timing}`).below)
    const options = {
      agents: [live(env)],
      store: dawdling(world)(recording(batches, restored(before))),
      clock,
      codec: world.codec,
      seed: `ids/${world.timing}`,
      patience: 600_000
    }
    return Effect.map(inWorld(options, begin(world, root)), (ended) => ({
      ...ended,
      batches: [...before, ...batches],
      pages: book.pages(),
      bodies
    }))
  })
