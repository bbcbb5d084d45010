/**
 * `npm run simulate -- --seeds N [--seed S] [--shrink] [--trace] [--mutant NAME]`: the whole assembly in one process, under
 * virtual time, with faults; a seed that breaks a promise is printed and repeats exactly.
 *
 * `--seed S` alone replays one seed and says what happened. `--mutant NAME` plants a bug first: then it is the simulator
 * that is tested, and it fails if it does not find the bug. `--mutant list` names them.
 */
import { parseArgs } from "node:util"
import { mutants, plant } from "./Mutants.ts"

const usage = "npm run simulate -- [--seeds N] [--seed S] [--shrink] [--mutant NAME]"

interface Options {
  readonly seeds: number
  readonly seed: number
  readonly replays: boolean
  readonly shrink: boolean
  readonly mutant: string | undefined
}

const wholeNumber = (text: string | undefined, fallback: number): number => {
  const value = text === undefined ? fallback : Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`"${text}" is not a whole number`)
  return value
}

const optionsOf = (args: ReadonlyArray<string>): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string" },
      seed: { type: "string" },
      shrink: { type: "boolean" },
      mutant: { type: "string" }
    }
  })
  const replays = values.seed !== undefined && values.seeds === undefined
  return {
    seeds: replays ? 1 : wholeNumber(values.seeds, 1_000),
    seed: wholeNumber(values.seed, 1),
    replays,
    shrink: values.shrink === true,
    mutant: values.mutant
  }
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const { mutant, ...options } = optionsOf(args)
  if (mutant === "list") {
    for (const { name, what } of mutants) console.log(`${name.padEnd(28)} ${what}`)
    return 0
  }
  if (mutant !== undefined) plant(mutant)
  // what is simulated is loaded after the bug was planted
  const Campaign = await import("./Campaign.ts")
  return mutant === undefined ? Campaign.search(options) : Campaign.hunt(mutant, options)
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error(`simulate: ${error instanceof Error ? error.message : String(error)}`)
  console.error(usage)
  process.exit(2)
}
