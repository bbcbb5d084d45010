/**
 * Runs many seeds, and says what was done and found.
 */
import * as Simulation from "coppice/Simulation"
import { kept } from "./Kept.ts"
import { topology } from "./Topology.ts"

/** Programs sleep for an hour now and then, one sleep after the other. */
const bound = "12 hours"

interface Options {
  readonly seeds: number
  readonly seed: number
  readonly replays: boolean
  readonly shrink: boolean
}

const table = (title: string, rows: Iterable<readonly [string, number]>): ReadonlyArray<string> => [
  title,
  ...[...rows].map(([name, count]) => `  ${String(count).padStart(9)}  ${name}`)
]

const byName = (counts: ReadonlyMap<string, number>) => [...counts].sort(([a], [b]) => a < b ? -1 : 1)

const figures = (report: Simulation.Report): ReadonlyArray<string> => {
  const struck = Simulation.faultKinds.map((kind) => [kind, report.faults.get(kind) ?? 0] as const)
  const seconds = report.real / 1_000
  return [
    ...table("faults that struck", byName(new Map(struck))),
    ...table("states visited", [
      ["kinds of facts and how they end", report.states.size],
      ["facts that followed each other", report.transitions.size],
      ["commits a process died at, before or after", report.failpoints.size]
    ]),
    ...table("promises checked, and on how many things", report.checked),
    `${report.facts} facts, ${report.effects} effects outside, ${report.messages} messages`,
    `${Math.round(report.virtual / 3_600_000)} hours of virtual time in ${seconds.toFixed(1)} s, ` +
    `${Math.round(report.virtual / report.real)} times as fast, ${(report.seeds / seconds).toFixed(0)} seeds a second`
  ]
}

const say = (lines: ReadonlyArray<string>): void => {
  for (const line of lines) console.log(line)
}

/** What happened in one seed, whether or not it is as promised. */
const replay = async (options: Options): Promise<number> => {
  let lines: ReadonlyArray<string> = []
  const report = await Simulation.run({
    scenario: topology,
    bound,
    seeds: 1,
    seed: options.seed,
    shrink: options.shrink,
    onSeed: ({ history }) => {
      lines = Simulation.trace(history)
    }
  })
  const [failure] = report.failures
  if (failure === undefined) say([...lines, `seed ${options.seed} keeps every promise`])
  else say(Simulation.describe(failure, Infinity))
  return failure === undefined ? 0 : 1
}

/** Looks for a seed that breaks a promise. */
export const search = async (options: Options): Promise<number> => {
  if (options.replays) return replay(options)
  for (const { only, scenario, seed, what } of kept) {
    const { failures: [failure] } = await Simulation.run({ scenario, seeds: 1, seed, only, shrink: false })
    if (failure === undefined) continue
    say([`simulate: FAILED; a fault is back: ${what}`, ...Simulation.describe(failure)])
    return 1
  }
  const { seed, seeds, shrink } = options
  const report = await Simulation.run({ scenario: topology, bound, seeds, seed, shrink })
  say([`${report.seeds} seeds from ${seed}, after ${kept.length} cases kept from before`, ...figures(report)])
  const [failure] = report.failures
  if (failure === undefined) {
    console.log(`simulate: ${report.seeds} seeds, no promise broken`)
    return 0
  }
  say(Simulation.describe(failure))
  console.log(
    `simulate: FAILED; repeat with --seed ${failure.seed}${options.shrink ? "" : ", make it smaller with --shrink"}`
  )
  return 1
}

/** Looks for the seed that shows a planted bug. */
export const hunt = async (mutant: string, options: Options): Promise<number> => {
  const report = await Simulation.run({
    scenario: topology,
    bound,
    seeds: options.seeds,
    seed: options.seed,
    shrink: options.shrink
  })
  const [failure] = report.failures
  if (failure === undefined) {
    console.log(`simulate: ${mutant} was NOT found within ${report.seeds} seeds`)
    return 1
  }
  if (options.shrink) say(Simulation.describe(failure))
  const { promise, what } = failure.broken[0]!
  console.log(`simulate: ${mutant} found by seed ${failure.seed}, after ${report.seeds} seeds: ${promise}: ${what}`)
  return 0
}
