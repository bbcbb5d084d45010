/**
 * W3: recorded steps, first in a row in one run, then a few in many runs at once.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { StepperLive, sumOf } from "./Agents.ts"

const many = { concurrency: "unbounded" } as const

/** `runs` runs at once of `steps` steps each. */
const once = (settings: Bed.Settings, runs: number, steps: number) =>
  Bed.fresh(
    settings,
    [StepperLive],
    Effect.gen(function*() {
      const log = yield* TaskLog
      const ids = Array.from({ length: runs })
      const all = (count: number) => Effect.forEach(ids, () => Bed.run("stepper", { steps: count, ask: false }), many)
      yield* all(Math.ceil(steps / 5))
      const raw = yield* (settings.durability === "memory" ? Baseline.forkJoin(settings) : Baseline.rawCommit(settings))
      const driver = settings.durability === "memory" ? undefined : yield* Baseline.driverCommit(settings)
      const commits = log.written.commits
      const [sums, took] = yield* timed(all(steps))
      yield* Bed.expect("the sum of all results", sums.reduce<number>((a, b) => a + Number(b), 0), runs * sumOf(steps))
      const value = 1000 * runs * steps / took.wall
      return {
        value,
        baseline: 1000 / raw,
        notes: {
          "ms each": 1000 / value,
          "cpu ms each": took.cpu / (runs * steps),
          "commits each": (log.written.commits - commits) / (runs * steps),
          ...driver === undefined ? {} : { "ms of a commit through our driver": driver }
        }
      }
    })
  )

const sequential = { text: "≥ 70 % of raw commits/s", limit: 0.7, direction: "least" } as const
const concurrent = { text: "≥ 60,000 steps/s", limit: 60_000, direction: "least" } as const

export const steps = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Effect.gen(function*() {
    const { durability } = settings
    const [inRow, runs] = [Bed.scaled(settings, 1_000), Bed.scaled(settings, 200)]
    const one = yield* Bed.repeatedly(settings, once(settings, 1, inRow))
    const side = yield* Bed.repeatedly(settings, once(settings, runs, 10))
    const heading = {
      case: "W3",
      durability,
      unit: "steps/s",
      baseline: durability === "memory" ? "fork + joins/s" : "raw commits/s"
    }
    return [
      Row.make({
        ...heading,
        what: `${inRow} steps, one after the other`,
        target: durability === "FULL" ? sequential : undefined
      }, one.map((repeat) => ({ ...repeat, judged: repeat.value / repeat.baseline }))),
      Row.make({
        ...heading,
        what: `${runs} runs at once of 10 steps`,
        target: durability === "FULL" ? concurrent : undefined
      }, side)
    ]
  })
