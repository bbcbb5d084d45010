/**
 * Many short tasks, forgotten soon after their end: memory, handles and the store must come to a stand (case 38).
 */
import { PruneInterval } from "@coppice/task/Pruner"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import { statSync } from "node:fs"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { SubLive } from "./Agents.ts"

/** How long an ended task is kept, milliseconds, and how often the expired are looked for. */
const kept = 1_000
const looks = "1 second"
/** Parts in which a measurement is taken; the first half is the warm-up. */
const parts = 20
const atOnce = 200

interface Mark {
  readonly rss: number
  readonly handles: number
  /** Bytes of the file and of its write-ahead log. */
  readonly store: number
}

const one = Effect.gen(function*() {
  const tasks = yield* Tasks
  const { id } = yield* Effect.orDie(tasks.submit({ agent: "sub", input: { n: 1 }, ttl: kept }))
  return yield* Bed.resultOf(id)
})

const mark = (path: string): Mark => ({
  rss: process.memoryUsage.rss(),
  handles: process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate").length,
  store: statSync(path).size + statSync(`${path}-wal`).size
})

/** Looks until retention has collected everything. */
const collected = Effect.gen(function*() {
  const tasks = yield* Tasks
  while ((yield* Effect.orDie(tasks.list({ limit: 1 }))).length > 0) yield* Effect.sleep("200 millis")
})

const soaked = (settings: Bed.Settings, count: number) =>
  Bed.withPath(settings, (path) =>
    Bed.at(
      { path, durability: settings.durability, agents: [SubLive] },
      Effect.gen(function*() {
        const marks: Array<Mark> = []
        const part = Effect.gen(function*() {
          yield* Effect.replicateEffect(one, Math.ceil(count / parts), { concurrency: atOnce, discard: true })
          marks.push(mark(path))
        })
        const [, took] = yield* timed(Effect.replicateEffect(part, parts, { discard: true }))
        const [, collecting] = yield* timed(collected)
        return { marks, took, collecting }
      })
    )).pipe(Effect.provideService(PruneInterval, looks))

/** By how much the largest of the last half is above its first, or the smallest below it. */
const spread = (values: ReadonlyArray<number>): number => {
  const [first = 1, ...rest] = values.slice(values.length / 2)
  return Math.max(...rest.map((value) => Math.abs(value / first - 1)))
}

const flat = { text: "≤ 0.1 after the warm-up", limit: 0.1, direction: "most" } as const

export const soak = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const count = Bed.scaled(settings, settings.tasks)
    const baseline = 1_000 / (yield* Baseline.rawCommit(settings))
    const { collecting, marks, took } = yield* soaked(settings, count)
    const of = (kind: keyof Mark) => marks.map((mark) => mark[kind])
    const last = marks.at(-1)!
    const first = marks[parts / 2]!
    const heading = { case: "soak", durability: settings.durability, baseline: "raw commits/s" } as const
    return [
      Row.make({ ...heading, what: `${count} short tasks, kept for a second`, unit: "tasks/s" }, [{
        value: 1_000 * count / took.wall,
        baseline,
        notes: { "ms until all were forgotten": collecting.wall }
      }]),
      Row.make(
        {
          ...heading,
          what: `memory over the last half of ${count}`,
          unit: "MB",
          baseline: "its first part, MB",
          target: flat
        },
        [{
          value: last.rss / 1e6,
          baseline: first.rss / 1e6,
          judged: spread(of("rss")),
          notes: { "handles": last.handles, "handles before": first.handles }
        }]
      ),
      Row.make({ ...heading, what: `store after ${count}`, unit: "MB", baseline: "after half of them, MB" }, [{
        value: last.store / 1e6,
        baseline: first.store / 1e6
      }])
    ]
  })
