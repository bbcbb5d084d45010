/**
 * W2: one run calls N sub-agents at once and joins them.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { peakResident, timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { NarrowLive, SpreadLive, SubLive, sumOf } from "./Agents.ts"

const agents = [SubLive, NarrowLive, SpreadLive]

const spread = (settings: Bed.Settings, count: number, narrow: boolean) =>
  Bed.fresh(
    settings,
    agents,
    Effect.gen(function*() {
      const log = yield* TaskLog
      yield* Bed.run("spread", { count: Math.ceil(count / 10), narrow })
      const baseline = settings.durability === "memory"
        ? 1000 * count / (yield* Baseline.fanOut(count))
        : 1000 / (yield* Baseline.rawCommit(settings))
      const commits = log.written.commits
      const [sum, took] = yield* timed(Bed.run("spread", { count, narrow }))
      yield* Bed.expect("the sum of all results", sum, sumOf(count))
      return {
        value: 1000 * count / took.wall,
        baseline,
        notes: {
          "ms in all": took.wall,
          "cpu ms each": took.cpu / count,
          commits: log.written.commits - commits,
          "peak MiB": peakResident() / 2 ** 20
        }
      }
    })
  )

const wall = (count: number) => Effect.map(timed(Bed.run("spread", { count, narrow: false })), ([, took]) => took.wall)

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * How the time grows from few to many calls, in one store: as many calls in runs of few, one after the other, beside one
 * run of all. So both are charged for the memory they leave to be collected, of which a run of few alone sees none.
 */
const growth = (settings: Bed.Settings, small: number, large: number) =>
  Bed.fresh(
    settings,
    agents,
    Effect.gen(function*() {
      const runs = Math.round(large / small)
      const bare = mean(yield* Effect.replicateEffect(Baseline.fanOut(small), runs))
      const baseline = (yield* Baseline.fanOut(large)) / bare
      const few = mean(yield* Effect.replicateEffect(wall(small), runs))
      return { value: (yield* wall(large)) / few, baseline }
    })
  )

export const fanOut = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const [small, large] = [Bed.scaled(settings, 1_000), Bed.scaled(settings, 10_000)]
    const few = yield* Bed.repeatedly(settings, spread(settings, small, false))
    const many = yield* Bed.repeatedly(settings, spread(settings, large, false))
    const narrow = yield* Bed.repeatedly(settings, spread(settings, large, true))
    const grown = yield* Bed.repeatedly(settings, growth(settings, small, large))
    const heading = {
      case: "W2",
      durability: settings.durability,
      unit: "calls/s",
      baseline: settings.durability === "memory" ? "fibers/s" : "raw commits/s"
    }
    const fast = { text: "≥ 20,000 calls/s", limit: 20_000, direction: "least" } as const
    return [
      Row.make({ ...heading, what: `${small} calls at once` }, few),
      Row.make({
        ...heading,
        what: `${large} calls at once`,
        target: settings.durability === "FULL" ? fast : undefined
      }, many),
      Row.make({ ...heading, what: `${large} calls at once, 1,000 places` }, narrow),
      Row.make({
        ...heading,
        what: `time from ${small} to ${large} calls`,
        unit: "times",
        baseline: "fibers, times",
        target: { text: "≤ 11 times", limit: 11, direction: "most" }
      }, grown)
    ]
  })
