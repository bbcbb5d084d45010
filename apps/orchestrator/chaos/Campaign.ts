/**
 * One configuration under fire: a reference run that nobody disturbs, then rounds of work while the service dies and
 * comes back, then everything is read again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Client, type Refusal } from "./Client.ts"
import type { Comparison, History } from "./History.ts"
import * as Nemesis from "./Nemesis.ts"
import { type Facts, plans } from "./Plan.ts"
import * as Scenario from "./Scenario.ts"
import * as Seeded from "./Seeded.ts"
import * as Service from "./Service.ts"
import * as Witness from "./Witness.ts"

/** What is tried with one configuration. */
export interface Trial {
  readonly name: string
  readonly config: string
  readonly facts: Facts
  /** The run that shows what is right. */
  readonly reference: (folder: string) => Scenario.Order
  /** The runs of one round, at once; those that are not cancelled must come out as the reference did. */
  readonly round: (number: number, folder: string, seeded: Seeded.Seeded) => ReadonlyArray<Scenario.Order>
}

export interface Outcome {
  readonly trial: Trial
  readonly folder: string
  readonly history: History
  readonly surprises: ReadonlyArray<string>
  readonly rounds: number
  /** Second processes that were refused the store. */
  readonly refused: number
}

const site = (trial: Trial, folder: string): Service.Site => {
  mkdirSync(join(folder, "output"), { recursive: true })
  return {
    config: trial.config,
    data: join(folder, "data"),
    effects: join(folder, "effects.jsonl"),
    output: join(folder, "service.log")
  }
}

/** The longest a run may take that nobody disturbs: below the time after which the service looks for lost tasks. */
const shortestBound = 25_000

/** Runs the reference order with a service of its own. */
const reference = Effect.fnUntraced(function*(trial: Trial, folder: string) {
  const client = new Client()
  const place = site(trial, folder)
  const { address, service } = yield* Service.startUp(place)
  client.moved(address)
  const began = yield* Clock.currentTimeMillis
  const order = trial.reference(join(folder, "output"))
  const died = Effect.flatMap(service.ended, () => Effect.die(new Error(`It died: ${Service.lastWords(place)}`)))
  const product = yield* Effect.raceFirst(Scenario.carryOut(client, order, () => {}), died)
  const took = (yield* Clock.currentTimeMillis) - began
  yield* service.signal("SIGTERM")
  yield* service.ended
  return { product, took }
}, Effect.scoped)

/** What the work has come to so far. */
interface Progress {
  rounds: number
  readonly running: Set<string>
  readonly comparisons: Array<Comparison>
}

/** Rounds of work until nobody is tormented any more; the last round is begun and ended in peace. */
const work = Effect.fnUntraced(function*(options: {
  readonly trial: Trial
  readonly client: Client
  readonly folder: string
  readonly product: Scenario.Product
  readonly seeded: Seeded.Seeded
  readonly record: Nemesis.Record
  readonly isOver: () => boolean
  readonly progress: Progress
}) {
  const { client, folder, isOver, product, progress, record, seeded, trial } = options
  const one = Effect.fnUntraced(function*(order: Scenario.Order) {
    let run = ""
    const made = yield* Scenario.carryOut(client, order, (id) => progress.running.add(run = id))
    progress.running.delete(run)
    if (made.isCancelled && order.cancelAfter !== undefined) return
    progress.comparisons.push({ name: order.name, differences: Scenario.differences(product, made) })
  })
  const refused = (order: Scenario.Order) => ({ error }: Refusal) => {
    record.surprises.push(`${order.name}: the service refused: ${error.code}: ${error.message}`)
    return Effect.void
  }
  let last = false
  while (!last) {
    last = isOver()
    yield* Effect.forEach(
      trial.round(progress.rounds + 1, folder, seeded),
      (order) => Effect.catch(one(order), refused(order)),
      { concurrency: "unbounded", discard: true }
    )
    progress.rounds++
  }
})

/** Reads everything the service knows. */
const readAll = Effect.fnUntraced(function*(client: Client) {
  const runs = yield* client.runs
  const log = (yield* Effect.forEach(runs, (run) => client.events(run))).flat().sort((a, b) => a.seq - b.seq)
  const tasks = (yield* Effect.forEach(runs, (run) => client.tree(run))).flat()
  const read = runs.filter((run) => tasks.some(({ endedAt, id }) => id === run && endedAt !== null))
  const results = yield* Effect.forEach(read, (run) => Effect.map(client.read(run), (result) => [run, result] as const))
  const reports = yield* Effect.forEach(
    read,
    (run) => Effect.map(client.report(run), (report) => [run, report] as const)
  )
  yield* Effect.timeoutOption(
    Effect.gen(function*() {
      while (client.seen.length < log.length) yield* Effect.sleep("20 millis")
    }),
    "10 seconds"
  )
  return { log, tasks, results: new Map(results), reports: new Map(reports) }
})

const whyOf = (client: Client, running: ReadonlySet<string>) =>
  Effect.map(
    Effect.forEach([...running], (run) => Effect.orElseSucceed(client.why(run), () => [])),
    (all) => all.flat()
  )

/** Under fire, and what everybody saw of it. */
export const run = Effect.fnUntraced(function*(trial: Trial, options: {
  readonly kills: number
  readonly seed: number
  readonly folder: string
  readonly say: (line: string) => void
}) {
  const { folder, kills, say, seed } = options
  const { product, took } = yield* reference(trial, join(folder, "reference"))
  say(`${trial.name}: ${took} ms without faults; ${kills} kills to come`)
  const place = site(trial, folder)
  const client = new Client()
  const progress: Progress = { rounds: 0, running: new Set(), comparisons: [] }
  const record: Nemesis.Record = { lives: [], calm: [], refused: 0, surprises: [] }
  const bound = Math.max(shortestBound, 5 * took)
  const why = Effect.orElseSucceed(whyOf(client, progress.running), () => [])
  let isOver = false
  yield* Effect.forkScoped(client.follow)
  const working = yield* Effect.forkScoped(work({
    trial,
    client,
    folder: join(folder, "output"),
    product,
    seeded: Seeded.make(seed, `${trial.name} work`),
    record,
    isOver: () => isOver,
    progress
  }))
  const service = yield* Nemesis.torment(
    { site: place, client, record, work: { rounds: () => progress.rounds, bound, why } },
    plans(kills, trial.facts, took, Seeded.make(seed, `${trial.name} plans`))
  )
  isOver = true
  // the round at hand, and the last one
  const rested = yield* Effect.timeoutOption(Fiber.join(working), 2 * bound)
  if (Option.isNone(rested)) record.calm.push({ name: (yield* why).join("; "), took: 2 * bound, bound })
  const end = yield* readAll(client)
  yield* service.signal("SIGTERM")
  yield* service.ended
  const history: History = {
    ...end,
    journal: client.journal,
    seen: client.seen,
    resets: client.resets,
    effects: Witness.readEffects(place.effects),
    lives: record.lives,
    calm: record.calm,
    comparisons: progress.comparisons
  }
  const { refused, surprises } = record
  return { trial, folder, history, surprises, refused, rounds: progress.rounds } satisfies Outcome
})
