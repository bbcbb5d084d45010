/**
 * W4: tasks that wait for a person or a timer, out of memory; then all of them go on and are joined.
 */
import { Executor } from "@coppice/agent/Executor"
import type { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { heap, now, resident, timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { AskerLive, SleeperLive } from "./Agents.ts"
import { factsOf } from "./Facts.ts"

const atOnce = { concurrency: 200 } as const
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

const perSecond = (count: number, wall: number): number => 1000 * count / wall

const rawRate = (settings: Bed.Settings) =>
  settings.durability === "memory"
    ? Effect.map(Baseline.forkJoin(settings), (ms) => 1000 / ms)
    : Effect.map(Baseline.rawCommit(settings), (ms) => 1000 / ms)

/** Puts every waiting run out of memory. */
export const evictAll: Effect.Effect<void, never, Executor | TaskLog> = Effect.gen(function*() {
  const executor = yield* Executor
  const log = yield* TaskLog
  while (executor.residentCount() > 0) {
    yield* executor.evictIdle
    yield* Effect.orDie(log.barrier)
    yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
  }
  yield* Effect.orDie(log.barrier)
})

/** The share of a processor that is used while nothing happens. */
const idleShare = (millis: number) => Effect.map(timed(Effect.sleep(millis)), ([, took]) => 100 * took.cpu / took.wall)

/** Asks so many people, and waits until every question is durable. */
export const askAll = Effect.fnUntraced(function*(count: number) {
  const asked = yield* factsOf("InputRequested", count)
  const ids = yield* Effect.forEach(range(count), (n) => Bed.submit("asker", n), atOnce)
  yield* asked
  return ids
})

const answerAll = Effect.fnUntraced(function*(ids: ReadonlyArray<TaskId>) {
  const tasks = yield* Tasks
  const response = { action: "accept", content: { ok: true }, by: "bench" } as const
  return yield* Effect.forEach(
    ids,
    (id) => Effect.orDie(Effect.andThen(tasks.respond({ id, response }), Bed.resultOf(id))),
    atOnce
  )
})

const sum = (values: ReadonlyArray<unknown>): number =>
  values.reduce<number>((total, value) => total + Number(value), 0)

const people = (settings: Bed.Settings, count: number) =>
  Bed.fresh(
    settings,
    [AskerLive],
    Effect.gen(function*() {
      const log = yield* TaskLog
      yield* answerAll(yield* askAll(Math.ceil(count / 20)))
      const fiber = yield* Baseline.parkedFiber()
      const createBaseline = yield* rawRate(settings)
      const bytes = heap()
      const [ids, created] = yield* timed(askAll(count))
      yield* evictAll
      const held = (heap() - bytes) / count
      yield* Bed.expect("tasks in memory", log.residentCount, 0)
      const idle = yield* idleShare(settings.scale < 1 ? 50 : 1_000)
      const resumeBaseline = yield* rawRate(settings)
      const [results, resumed] = yield* timed(answerAll(ids))
      yield* Bed.expect("the sum of all results", sum(results), sum(range(count)))
      return { count, created, resumed, held, idle, fiber, createBaseline, resumeBaseline, peak: resident() }
    })
  )

const sleepers = (settings: Bed.Settings, count: number, lead: number) =>
  Bed.fresh(
    settings,
    [SleeperLive],
    Effect.gen(function*() {
      const baseline = yield* rawRate(settings)
      const set = yield* factsOf("TimerSet", count)
      const log = yield* TaskLog
      const until = log.now() + lead
      const begun = now()
      const ids = yield* Effect.forEach(range(count), (n) => Bed.submit("sleeper", { n, until }), atOnce)
      yield* set
      yield* evictAll
      const left = lead - (now() - begun)
      yield* Bed.expect("all sleep before the first is due", left > 0, true)
      yield* Effect.sleep(left)
      const [results, resumed] = yield* timed(Effect.forEach(ids, Bed.resultOf, atOnce))
      yield* Bed.expect("the sum of all results", sum(results), sum(range(count)))
      return { value: perSecond(count, resumed.wall), baseline, notes: { "cpu ms each": resumed.cpu / count } }
    })
  )

type Parked = Effect.Success<ReturnType<typeof people>>

const rate = { text: "≥ 10,000/s", limit: 10_000, direction: "least" } as const
const small = { text: "≤ 1 KB each", limit: 1024, direction: "most" } as const

const peopleRows = (
  settings: Bed.Settings,
  repeats: ReadonlyArray<Parked>,
  isLarge: boolean
): ReadonlyArray<Row.Row> => {
  const { durability } = settings
  const count = repeats[0]!.count
  const heading = { case: "W4", durability, baseline: durability === "memory" ? "fork + joins/s" : "raw commits/s" }
  const target = durability === "FULL" ? rate : undefined
  return [
    Row.make(
      { ...heading, what: `${count} tasks created, each asks a person`, unit: "tasks/s", target },
      repeats.map(({ count, createBaseline, created }) => ({
        value: perSecond(count, created.wall),
        baseline: createBaseline,
        notes: { "cpu ms each": created.cpu / count }
      }))
    ),
    Row.make(
      { ...heading, what: `${count} tasks answered, resumed and joined`, unit: "tasks/s", target },
      repeats.map(({ count, peak, resumeBaseline, resumed }) => ({
        value: perSecond(count, resumed.wall),
        baseline: resumeBaseline,
        notes: { "cpu ms each": resumed.cpu / count, "resident MiB": peak / 2 ** 20 }
      }))
    ),
    Row.make(
      {
        ...heading,
        what: `memory of each of ${count} parked tasks`,
        unit: "bytes",
        baseline: "parked fiber, bytes",
        target: isLarge && durability === "FULL" ? small : undefined
      },
      repeats.map(({ fiber, held, idle }) => ({ value: held, baseline: fiber, notes: { "idle cpu %": idle } }))
    )
  ]
}

export const waiting = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const [few, many] = [Bed.scaled(settings, 10_000), Bed.scaled(settings, 100_000)]
    const asked = yield* Bed.repeatedly(settings, people(settings, few))
    const crowd = yield* Bed.repeatedly(settings, people(settings, many))
    const slept = yield* Bed.repeatedly(settings, sleepers(settings, few, Math.ceil(few / 2) + 500))
    return [
      ...peopleRows(settings, asked, false),
      ...peopleRows(settings, crowd, true),
      Row.make({
        case: "W4",
        what: `${few} timers due at once, resumed and joined`,
        durability: settings.durability,
        unit: "tasks/s",
        baseline: settings.durability === "memory" ? "fork + joins/s" : "raw commits/s",
        target: settings.durability === "FULL" ? rate : undefined
      }, slept)
    ]
  })
