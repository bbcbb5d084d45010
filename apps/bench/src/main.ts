/**
 * The benchmark: each case in a process of its own, then one table and `results/latest.json`.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Settings } from "./Bed.ts"
import { cases } from "./Cases.ts"
import { helper, helperFlag, tell } from "./Helper.ts"
import { type Options, parse, usage } from "./Options.ts"
import * as Row from "./Row.ts"
import { summary, table } from "./Table.ts"
import { park, ready } from "./workloads/Restart.ts"

const results = fileURLToPath(new URL("../results", import.meta.url))

interface Job {
  readonly name: string
  readonly part: number
  readonly settings: Settings
}

const jobs: Readonly<Record<string, (args: ReadonlyArray<string>) => Effect.Effect<never>>> = {
  case: ([text = ""]) => {
    const { name, part, settings }: Job = JSON.parse(text)
    return Effect.flatMap(cases[name]!.parts[part]!(settings), tell)
  },
  park: ([path = "", count]) => park(path, Number(count), tell),
  ready: ([path = ""]) => ready(path, tell)
}

/** In a child: does the one job, reports it before anything is closed, and waits to be killed. */
const serve = ([job = "", ...args]: ReadonlyArray<string>): Promise<never> => {
  // listening keeps the process, until its parent has gone
  process.once("disconnect", () => process.exit())
  return Effect.runPromise(jobs[job]!(args))
}

const plan = (options: Options, folder: string): ReadonlyArray<Job> =>
  options.cases.flatMap((name) => {
    const { isDurableOnly, parts } = cases[name]!
    return options.durabilities.filter((durability) => !isDurableOnly || durability === "FULL").flatMap((durability) =>
      parts.map((_, part) => ({
        name,
        part,
        settings: { durability, runs: options.runs, scale: options.scale, tasks: options.tasks, folder }
      }))
    )
  })

const report = (options: Options, rows: ReadonlyArray<Row.Row>, load: number): void => {
  const profile = { node: process.version, cores: availableParallelism(), loadBefore: load, loadAfter: loadavg()[0] }
  const latest = { at: new Date().toISOString(), ...profile, options, rows }
  writeFileSync(join(results, "latest.json"), `${JSON.stringify(latest, undefined, 2)}\n`)
  console.log(`\n${table(rows)}\n\n${summary(rows)}`)
  console.log(
    `Node ${process.version}, ${profile.cores} cores, load ${load.toFixed(2)} before; medians of ${options.runs}`
  )
}

const measure = async (options: Options): Promise<void> => {
  mkdirSync(results, { recursive: true })
  const folder = mkdtempSync(join(results, "data-"))
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }))
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  const load = loadavg()[0]!
  const rows: Array<Row.Row> = []
  for (const job of plan(options, folder)) {
    const started = performance.now()
    const found = await Effect.runPromise(helper<ReadonlyArray<Row.Row>>("case", [JSON.stringify(job)]))
    rows.push(...options.scale === 1 ? found : found.map(Row.withoutTarget))
    const seconds = Math.round((performance.now() - started) / 1000)
    console.error(`bench: ${job.name} ${job.settings.durability}, part ${job.part + 1}: ${seconds} s`)
  }
  report(options, rows, load)
}

const main = async (args: ReadonlyArray<string>): Promise<void> => {
  if (args[0] === helperFlag) return serve(args.slice(1))
  const options = parse(args)
  if (typeof options !== "string") return measure(options)
  console.error(`${options}\n${usage}`)
  process.exitCode = 2
}

await main(process.argv.slice(2))
