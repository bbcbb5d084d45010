/**
 * What a task costs in a store that holds a million finished ones, beside a store that holds a thousand.
 */
import * as Effect from "effect/Effect"
import * as Baseline from "../Baseline.ts"
import * as Bed from "../Bed.ts"
import { timed } from "../Meter.ts"
import * as Row from "../Row.ts"
import { CallerLive, NarrowLive, SpreadLive, SubLive, sumOf } from "./Agents.ts"

const agents = [SubLive, NarrowLive, CallerLive, SpreadLive]
const page = 10_000
const rootShare = 0.1

/** Fills a store with finished tasks: nine of ten are children of large runs, one is a run of its own. */
const fill = (settings: Bed.Settings, path: string, count: number) => {
  const roots = Math.floor(count * rootShare)
  const children = count - roots
  const spread = (index: number) => Bed.run("spread", { count: Math.min(page, children - index * page), narrow: false })
  return Bed.at(
    { path, durability: settings.durability, agents },
    Effect.gen(function*() {
      yield* Effect.forEach(Array.from({ length: Math.ceil(children / page) }, (_, index) => index), spread)
      yield* Effect.forEach(Array.from({ length: roots }), () => Bed.run("sub", { n: 1 }), { concurrency: 500 })
    })
  )
}

interface Costs {
  readonly called: number
  readonly spread: number
  readonly submitted: number
}

/** Milliseconds per task: called one after the other, called at once, submitted from outside. */
const costs = (settings: Bed.Settings, path: string, count: number) =>
  Bed.at(
    { path, durability: settings.durability, agents },
    Effect.gen(function*() {
      const submits = Effect.forEach(Array.from({ length: count }), () => Bed.run("sub", { n: 1 }), {
        concurrency: 100
      })
      yield* Bed.run("caller", Math.ceil(count / 5))
      yield* Bed.run("spread", { count, narrow: false })
      const [sum, called] = yield* timed(Bed.run("caller", count))
      yield* Bed.expect("the sum of all results", sum, sumOf(count))
      const [, spread] = yield* timed(Bed.run("spread", { count: count * 4, narrow: false }))
      const [, submitted] = yield* timed(submits)
      const each: Costs = {
        called: called.wall / count,
        spread: spread.wall / count / 4,
        submitted: submitted.wall / count
      }
      return each
    })
  )

interface Pair {
  readonly baseline: number
  readonly few: Costs
  readonly many: Costs
}

const words: Readonly<Record<keyof Costs, string>> = {
  called: "a call, one after the other",
  spread: "a call of many at once",
  submitted: "a run submitted from outside"
}

const target = { text: "≤ 1.3 times the small store", limit: 1.3, direction: "most" } as const

const rowOf = (settings: Bed.Settings, size: number, pairs: ReadonlyArray<Pair>, kind: keyof Costs): Row.Row =>
  Row.make(
    {
      case: "cost",
      what: `${words[kind]}, ${size} finished tasks`,
      durability: settings.durability,
      unit: "ms each",
      baseline: settings.durability === "memory" ? "fork + join" : "raw commit",
      target
    },
    pairs.map(({ baseline, few, many }) => ({
      value: many[kind],
      baseline,
      judged: many[kind] / few[kind],
      notes: { "ms with 1,000": few[kind] }
    }))
  )

export const cost = (settings: Bed.Settings): Effect.Effect<ReadonlyArray<Row.Row>> =>
  Bed.withPath(settings, (small) =>
    Bed.withPath(settings, (large) =>
      Effect.gen(function*() {
        const size = Bed.scaled(settings, 1_000_000)
        const count = Bed.scaled(settings, 500)
        yield* fill(settings, small, Math.min(1_000, size))
        yield* fill(settings, large, size)
        const pair = Effect.gen(function*() {
          const baseline = yield* Baseline.rawCommit(settings)
          const few = yield* costs(settings, small, count)
          return { baseline, few, many: yield* costs(settings, large, count) }
        })
        const pairs = yield* Bed.repeatedly(settings, pair)
        return (["called", "spread", "submitted"] as const).map((kind) => rowOf(settings, size, pairs, kind))
      })))
