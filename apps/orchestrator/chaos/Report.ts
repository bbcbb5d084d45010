/**
 * What the harness prints, and whether it is content.
 */
import type { Outcome } from "./Campaign.ts"
import { check, resumed, runAgain } from "./Check.ts"
import type { History, LifeEnd } from "./History.ts"
import { failpoints } from "./Plan.ts"
import type { Verdict } from "./Verdict.ts"

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const kinds: ReadonlyArray<LifeEnd> = [
  "failpoint",
  "killed",
  "killed while stopping",
  "killed after a freeze",
  "interrupted twice"
]

const killsOf = ({ lives }: History): ReadonlyArray<string> =>
  kinds.map((kind) => `${kind} ${lives.filter(({ end }) => end === kind).length}`)

/** How often each kind of fact is in the log. */
const countsOf = ({ log }: History): string =>
  [...Map.groupBy(log, ({ event }) => event._tag)]
    .map(([tag, facts]) => `${tag} ${facts.length}`)
    .toSorted()
    .join(", ")

/** How many kills there were. */
export const kills = ({ lives }: History): number => lives.filter(({ end }) => kinds.includes(end)).length

/** Milliseconds from a start to taking work, of processes that had something to come back to. */
const readyTimes = ({ lives }: History): ReadonlyArray<number> =>
  lives.slice(1).flatMap(({ readyAt, startedAt }) => readyAt === null ? [] : [readyAt - startedAt])

const unknown = ({ journal }: History): number => journal.filter(({ _tag }) => _tag === "Unknown").length

const sum = (verdicts: ReadonlyArray<Verdict>) => ({
  looked: verdicts.reduce((total, { looked }) => total + looked, 0),
  broken: verdicts.reduce((total, { broken }) => total + broken.length, 0)
})

const figures = (
  { history, refused, rounds, trial }: Outcome,
  verdicts: ReadonlyArray<Verdict>
): ReadonlyArray<readonly [string, string]> => {
  const of = (...promises: ReadonlyArray<string>) => sum(verdicts.filter(({ promise }) => promises.includes(promise)))
  const facts = sum(verdicts.filter(({ isAcknowledged }) => isAcknowledged === true))
  const ready = readyTimes(history)
  const points = new Set(
    history.lives.flatMap(({ end, plan }) => end === "failpoint" ? plan.split(",").slice(0, 1) : [])
  )
  const stops = history.lives.filter(({ end }) => end === "stopped").length
  return [
    ["kills", `${kills(history)} (${killsOf(history).join(", ")}); graceful stops ${stops}`],
    [
      "at writes of the log",
      `${points.size} of ${failpoints(trial.facts).length} places: ${[...points].sort().join(", ")}`
    ],
    ["second processes", `${refused} refused`],
    [
      "runs",
      `${history.results.size} in ${rounds} rounds, ${resumed(history)} of them resumed; replies lost ${
        unknown(history)
      }`
    ],
    ["facts in the log", countsOf(history)],
    ["acknowledged facts", `${facts.looked} checked, ${facts.broken} lost`],
    ["recorded steps", `${of("I6").looked} checked, ${of("I6").broken} run again`],
    ["steps run again", `${runAgain(history)} (the kill fell between effect and record), each with the same key`],
    ["results", `${of("result").looked} compared, ${of("result").broken} differing`],
    ["ready after a restart", `median ${median(ready)} ms, max ${Math.max(...ready)} ms, of ${ready.length}`]
  ]
}

const most = 10

const broken = (verdicts: ReadonlyArray<Verdict>): ReadonlyArray<string> =>
  verdicts.flatMap(({ broken, promise, what }) => [
    ...broken.slice(0, most).map((line) => `    ${promise} (${what}): ${line}`),
    ...broken.length > most ? [`    ${promise} (${what}): and ${broken.length - most} more`] : []
  ])

/** The lines about one outcome, and whether everything that must be zero is zero. */
export const report = (outcome: Outcome): { readonly lines: ReadonlyArray<string>; readonly good: boolean } => {
  const verdicts = check(outcome.history)
  const blind = verdicts.filter(({ looked }) => looked === 0).map(({ promise, what }) =>
    `    ${promise}: no ${what} to look at`
  )
  const found = [...outcome.surprises.map((line) => `    ${line}`), ...blind, ...broken(verdicts)]
  return {
    lines: [
      `${outcome.trial.name}:`,
      ...figures(outcome, verdicts).map(([name, value]) => `  ${name.padEnd(22)} ${value}`),
      ...verdicts.map(({ broken, looked, promise, what }) =>
        `  ${broken.length === 0 ? "ok    " : "BROKEN"} ${promise.padEnd(6)} ${String(looked).padStart(6)} ${what}`
      ),
      ...found
    ],
    good: found.length === 0
  }
}
