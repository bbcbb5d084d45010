/**
 * W1: one run calls one sub-agent, waits for its result, and calls again.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { quantile } from "../Statistics.ts"
import { CallerLive, latencies, SubLive, sumOf } from "./Agents.ts"

const targets = {
  memory: { text: "≤ 10 fork+joins", limit: 10, direction: "most" },
  FULL: { text: "≤ 2.5 raw commits", limit: 2.5, direction: "most" }
} as const

const once = (settings: Bed.Settings, calls: number) =>
  Bed.fresh(
    settings,
    [SubLive, CallerLive],
    Effect.gen(function*() {
      const log = yield* TaskLog
      yield* Bed.run("caller", Math.ceil(calls / 10))
      const baseline =
        yield* (settings.durability === "memory" ? Baseline.forkJoin(settings) : Baseline.rawCommit(settings))
      const commits = log.written.commits
      const [sum, took] = yield* timed(Bed.run("caller", calls))
      yield* Bed.expect("the sum of all results", sum, sumOf(calls))
      const value = took.wall / calls
      return {
        value,
        baseline,
        judged: value / baseline,
        notes: {
          "calls/s": 1000 / value,
          "p50 ms": quantile(latencies, 0.5),
          "p99 ms": quantile(latencies, 0.99),
          "cpu ms each": took.cpu / calls,
          "commits each": (log.written.commits - commits) / calls
        }
      }
    })
  )

export const roundtrip = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const calls = Bed.scaled(settings, 2_000)
    const repeats = yield* Bed.repeatedly(settings, once(settings, calls))
    return [Row.make({
      case: "W1",
      what: `${calls} calls, one after the other`,
      durability: settings.durability,
      unit: "ms each",
      baseline: settings.durability === "memory" ? "fork + join" : "raw commit",
      target: targets[settings.durability]
    }, repeats)]
  })
