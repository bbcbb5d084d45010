/**
 * `npm run bench [-- CASE … --store memory|sqlite --runs N --tasks N --quick]`.
 */
import { cases } from "./Cases.ts"
import type { Durability } from "./Row.ts"

export interface Options {
  readonly cases: ReadonlyArray<string>
  readonly durabilities: ReadonlyArray<Durability>
  readonly runs: number
  readonly scale: number
  readonly tasks: number
}

export const usage = `npm run bench [-- CASE …] [--store memory|sqlite] [--runs N] [--tasks N] [--quick]
  CASE     ${Object.keys(cases).join(" ")} [all]
  --store  in memory, or SQLite at synchronous=FULL [both]
  --runs   repeats per figure, whose median counts [5]
  --tasks  how many short tasks the soak has [100000]
  --quick  a tenth of the sizes, without targets: says that it works, not how fast`

const stores: Readonly<Record<string, Durability>> = { memory: "memory", sqlite: "FULL" }

const isFlag = (argument: string) => argument.startsWith("--")

/** The options, or what is wrong with the arguments. */
export const parse = (args: ReadonlyArray<string>): Options | string => {
  const rest = [...args]
  const chosen: Array<string> = []
  let durabilities: ReadonlyArray<Durability> = ["memory", "FULL"]
  let runs = 5
  let scale = 1
  let tasks = 100_000
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === "--quick") scale = 0.1
    else if (argument === "--store") {
      const durability = stores[rest.shift() ?? ""]
      if (durability === undefined) return "--store takes memory or sqlite"
      durabilities = [durability]
    } else if (argument === "--runs" || argument === "--tasks") {
      const count = Number(rest.shift())
      if (!Number.isSafeInteger(count) || count < 1) return `${argument} takes a whole number of at least 1`
      if (argument === "--runs") runs = count
      else tasks = count
    } else if (isFlag(argument) || cases[argument] === undefined) return `"${argument}" is no option and no case`
    else chosen.push(argument)
  }
  return { cases: chosen.length === 0 ? Object.keys(cases) : chosen, durabilities, runs, scale, tasks }
}
