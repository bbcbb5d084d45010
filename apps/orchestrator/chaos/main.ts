/**
 * `npm run chaos -- --kills N [--seed S] [--keep]`: kills the real service again and again while clients work with it,
 * then compares what everybody saw with what the log says.
 *
 * The seed decides what is done and when; how far the service has come by then is up to the machine, so a seed repeats
 * the plan and not every step. Exits with 1 when a promise was broken, and keeps what it needs to find out why.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { constants, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Campaign from "./Campaign.ts"
import type { Trial } from "./Campaign.ts"
import * as Disk from "./Disk.ts"
import * as Parked from "./Parked.ts"
import { kills, report } from "./Report.ts"
import * as Seeded from "./Seeded.ts"
import { trials } from "./Trials.ts"

interface Options {
  readonly kills: number
  readonly seed: number
  readonly keep: boolean
}

const usage = "npm run chaos -- --kills N [--seed S] [--keep]"

const wholeNumber = (text: string | undefined, fallback: number): number | undefined => {
  const value = text === undefined ? fallback : Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

const optionsOf = (args: ReadonlyArray<string>): Options | undefined => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { kills: { type: "string" }, seed: { type: "string" }, keep: { type: "boolean" } }
    })
    const kills = wholeNumber(values.kills, 20)
    const seed = wholeNumber(values.seed, Date.now() % 1_000_000)
    return kills === undefined || seed === undefined ? undefined : { kills, seed, keep: values.keep === true }
  } catch {
    return undefined
  }
}

const say = (line: string): void => console.log(line)

const saveHistory = ({ folder, history }: Campaign.Outcome): void => {
  const results = Object.fromEntries(history.results)
  writeFileSync(
    join(folder, "history.json"),
    JSON.stringify({ ...history, results, reports: [...history.reports] }, null, 1)
  )
}

/** What the disk can do, to the store the last trial left behind and to a new one. */
const tryDisk = Effect.fnUntraced(function*(trial: Trial, { folder, history }: Campaign.Outcome, seed: number) {
  const { config } = trial
  const store = join(folder, "data", "coppice.db")
  const seeded = Seeded.make(seed, "damages")
  const reports = [
    yield* Disk.corruption({ store, log: history.log, config, folder, seeded }),
    yield* Disk.full({ config, folder })
  ]
  for (const { lines } of reports) for (const line of lines) say(line)
  return reports.every(({ broken }) => broken.length === 0)
})

/** A question that stays open over as many kills as all trials have together. */
const tryParked = Effect.fnUntraced(function*({ config }: Trial, { kills, seed }: Options, folder: string) {
  const seeded = Seeded.make(seed, "parked")
  const { broken, lines } = yield* Parked.run({ config, folder: join(folder, "parked"), kills, seeded })
  for (const line of lines) say(line)
  return broken.length === 0
})

/** Tells how long a stage took. */
const stage = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.timed(effect), ([took, value]) => {
    say(`${name}: ${Math.round(Duration.toSeconds(took))} s`)
    return Effect.succeed(value)
  })

const tryAll = Effect.fnUntraced(function*(options: Options, folder: string) {
  const { keep, kills: wanted, seed } = options
  const total = { good: true, kills: 0 }
  for (const { share, trial } of trials) {
    const campaign = Campaign.run(trial, {
      kills: Math.round(wanted * share),
      seed,
      folder: join(folder, trial.name),
      say
    })
    const outcome = yield* stage(trial.name, Effect.scoped(campaign))
    const { good, lines } = report(outcome)
    for (const line of lines) say(line)
    if (!good || keep) saveHistory(outcome)
    total.good &&= good
    total.kills += kills(outcome.history)
    if (trial.name !== "synthetic") continue
    total.good = (yield* stage("disk", tryDisk(trial, outcome, seed))) && total.good
    total.good = (yield* stage("parked", tryParked(trial, options, folder))) && total.good
    total.kills += options.kills
  }
  return total
})

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const options = optionsOf(args)
  if (options === undefined) {
    console.error(usage)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), "coppice-chaos-"))
  say(`seed ${options.seed}, ${options.kills} kills, in ${folder}`)
  const began = Date.now()
  const fiber = Effect.runFork(tryAll(options, folder))
  let interrupted: number | undefined
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      interrupted = 128 + constants.signals[signal]
      fiber.interruptUnsafe()
    })
  }
  const exit = await Effect.runPromise(Fiber.await(fiber))
  const seconds = Math.round((Date.now() - began) / 1_000)
  const good = exit._tag === "Success" && exit.value.good
  if (options.keep || (!good && interrupted === undefined)) say(`kept: ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
  if (interrupted !== undefined) {
    say(`chaos: interrupted after ${seconds} s; seed ${options.seed}`)
    return interrupted
  }
  if (good) {
    say(`chaos: ${exit.value.kills} kills in ${seconds} s, nothing lost; seed ${options.seed}`)
    return 0
  }
  if (exit._tag === "Failure") console.error(Cause.pretty(exit.cause))
  say(`chaos: FAILED after ${seconds} s; repeat with --kills ${options.kills} --seed ${options.seed}`)
  return 1
}

process.exit(await main(process.argv.slice(2)))
