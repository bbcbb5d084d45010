/**
 * A whole topology of agents in one process, under virtual time, with everything going wrong that can: the same code
 * that runs in production, its network, disks, clocks, processes and people played by a seed.
 *
 * ```ts
 * await Simulation.check({ scenario: () => ({ nodes: { shop }, jobs: [{ agent: "order", input: { id: 1 } }] }) })
 * ```
 *
 * **Gotchas**
 *
 * Timers, `Date`, `Math.random` and `crypto` are replaced while a seed runs. What waits for the real world, such as a
 * file or a socket, never comes back: play it by `stage.service`.
 */
import * as Duration from "effect/Duration"
import { describeFault, type Fault, type FaultKind, faultKinds } from "./internal/simulation/faults.ts"
import type { History } from "./internal/simulation/history.ts"
import type { Invariant, Verdict } from "./internal/simulation/invariant.ts"
import { shrink } from "./internal/simulation/shrink.ts"
import { Tally } from "./internal/simulation/tally.ts"
import { trace as traceOf } from "./internal/simulation/trace.ts"
import { isBroken, type Job, type Outcome, type Scenario, type Stage, tryOnce } from "./internal/simulation/trial.ts"

export { type Fault, type FaultKind, faultKinds } from "./internal/simulation/faults.ts"
export type { Acted, Entry, Fact, History, Served, Told } from "./internal/simulation/history.ts"
export type { End, Finding, Invariant, Verdict } from "./internal/simulation/invariant.ts"
export { type Service, ServiceError, type ServiceOptions } from "./internal/simulation/outside.ts"
export type { Human, Question } from "./internal/simulation/person.ts"
export type { Job, JobSteering, Scenario, Stage } from "./internal/simulation/trial.ts"
export type { ForeignServer, ForeignTool, Work } from "./internal/simulation/workshop.ts"

/** What is simulated and how often. Defaults in brackets. */
export interface Options {
  /** Makes what is simulated, afresh for every seed. */
  readonly scenario: (stage: Stage) => Scenario
  /** How many seeds, or which. [100] */
  readonly seeds?: number | ReadonlyArray<number> | undefined
  /** The first of so many. [1] */
  readonly seed?: number | undefined
  /** Which kinds of faults may strike. ["all"] */
  readonly faults?: "all" | "none" | ReadonlyArray<FaultKind> | undefined
  /** Virtual time within which they strike. ["30 seconds"] */
  readonly span?: Duration.Input | undefined
  /** Virtual time within which everything has to come to rest after the last of them. ["30 minutes"] */
  readonly bound?: Duration.Input | undefined
  /** Faults and jobs to take instead of the seed's and the scenario's: a failure that was found before. */
  readonly only?:
    | { readonly faults?: ReadonlyArray<Fault> | undefined; readonly jobs?: ReadonlyArray<Job> | undefined }
    | undefined
  /** Makes a failing seed smaller before it is reported. [true] */
  readonly shrink?: boolean | undefined
  /** Goes on after a seed that failed. [false] */
  readonly keepGoing?: boolean | undefined
  /** Hears of every seed. */
  readonly onSeed?: ((run: SeedRun) => void) | undefined
}

/** One seed and what became of it. */
export interface SeedRun {
  readonly seed: number
  readonly history: History
  /** What was promised, each with what was found. */
  readonly verdicts: ReadonlyArray<Verdict>
  readonly isBroken: boolean
}

/** A seed that broke a promise, as small as it could be made. */
export interface Failure {
  readonly seed: number
  readonly broken: ReadonlyArray<{ readonly promise: string; readonly what: string }>
  readonly faults: ReadonlyArray<Fault>
  readonly jobs: ReadonlyArray<Job>
  /** What happened, line by line. */
  readonly trace: ReadonlyArray<string>
}

/** What was simulated and found. */
export interface Report {
  readonly seeds: number
  readonly failures: ReadonlyArray<Failure>
  /** Faults that struck, by kind. */
  readonly faults: ReadonlyMap<FaultKind, number>
  /** How many things each promise was checked on. */
  readonly checked: ReadonlyMap<string, number>
  /** States tasks were seen in, and facts that followed each other. */
  readonly states: ReadonlySet<string>
  readonly transitions: ReadonlySet<string>
  /** Commits at which a process died. */
  readonly failpoints: ReadonlySet<string>
  readonly facts: number
  readonly effects: number
  readonly messages: number
  /** Milliseconds of virtual and of real time. */
  readonly virtual: number
  readonly real: number
}

/** A promise was broken. The message says by which seed, how, and how to see it again. */
export class SimulationFailed extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(describe(failure).join("\n"))
    this.name = "SimulationFailed"
    this.failure = failure
  }
}

/** What happened, one line for each thing. */
export const trace = (history: History): ReadonlyArray<string> => traceOf(history)

/** A failure as lines to read: the last `lines` of what happened. */
export const describe = ({ broken, faults, jobs, seed, trace }: Failure, lines = 60): ReadonlyArray<string> => [
  `Seed ${seed} breaks a promise:`,
  ...broken.slice(0, 10).map(({ promise, what }) => `  ${promise}: ${what}`),
  `with ${faults.length === 0 ? "no faults" : "these faults"}:`,
  ...faults.map((fault) => `  ${describeFault(fault)}`),
  "and these jobs:",
  ...jobs.map((job) => `  ${JSON.stringify(job)}`),
  "what happened:",
  ...(lines === Infinity ? trace : trace.slice(-lines)).map((line) => `  ${line}`),
  `See it again with seeds: 1, seed: ${seed}`
]

const kindsOf = (faults: Options["faults"]): ReadonlyArray<FaultKind> =>
  faults === undefined || faults === "all" ? faultKinds : faults === "none" ? [] : faults

const failureOf = ({ faults, history, jobs, seed, verdicts }: Outcome): Failure => ({
  seed,
  faults,
  jobs,
  broken: verdicts.flatMap(({ broken, name }) => broken.map((what) => ({ promise: name, what }))),
  trace: traceOf(history)
})

/** Leaves the microtask a caller may be in: a world can only be run outside of one. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Runs the seeds and reports what was found; what failed is in `failures`.
 *
 * **Details**
 *
 * Each seed decides which faults strike and when, whose turn it is, how long a message takes and what a person answers.
 * The same seed does the same again, to the last byte. A seed runs in one go: nothing else in this process moves
 * meanwhile.
 */
export const run = async (options: Options): Promise<Report> => {
  const { keepGoing = false, seed: first = 1, seeds = 100 } = options
  const all = typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => first + index) : seeds
  const trial = {
    scenario: options.scenario,
    kinds: kindsOf(options.faults),
    span: Duration.toMillis(options.span ?? "30 seconds"),
    bound: Duration.toMillis(options.bound ?? "30 minutes"),
    ...options.only
  }
  const began = performance.now()
  const tally = new Tally()
  const failures: Array<Failure> = []
  for (const seed of all) {
    const outcome = await outside(() => tryOnce(seed, trial))
    tally.add(outcome)
    const { history, verdicts } = outcome
    options.onSeed?.({ seed, history, verdicts, isBroken: isBroken(outcome) })
    if (!isBroken(outcome)) continue
    const smallest = options.shrink === false
      ? outcome
      : await outside(() => shrink(outcome, (smaller) => tryOnce(seed, { ...trial, ...smaller })).outcome)
    failures.push(failureOf(smallest))
    if (!keepGoing) break
  }
  return tally.report(failures, performance.now() - began)
}

const outside = async <A>(body: () => A): Promise<A> => {
  await turn()
  return new Promise<A>((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(body())
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  })
}

/** Runs the seeds; rejects with `SimulationFailed` when one breaks a promise. */
export const check = async (options: Options): Promise<Report> => {
  const report = await run(options)
  const [failure] = report.failures
  if (failure !== undefined) throw new SimulationFailed(failure)
  return report
}

/** An invariant of your own: what it looked at, and what of it is not as it should be. */
export const invariant = (name: string, check: Invariant["check"]): Invariant => ({ name, check })
