/**
 * A failing seed with as few faults and as little work as still fail.
 */
import type { Fault } from "./faults.ts"
import { isBroken, type Job, type Outcome } from "./trial.ts"

export interface Case {
  readonly faults: ReadonlyArray<Fault>
  readonly jobs: ReadonlyArray<Job>
}

/** What remains when a part is left out: halves first, then single ones. */
const without = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const half = items.length >> 1
  const halves = items.length < 4 ? [] : [items.slice(0, half), items.slice(half)]
  return [...halves, ...items.map((_, index) => items.filter((_, other) => other !== index))]
}

const smaller = ({ faults, jobs }: Case): ReadonlyArray<Case> => [
  ...(faults.length > 0 ? [{ faults: [], jobs }] : []),
  ...without(faults).map((fewer) => ({ faults: fewer, jobs })),
  ...(jobs.length > 1 ? without(jobs).map((fewer) => ({ faults, jobs: fewer })) : []),
  ...jobs.flatMap((job, index) => (job.simpler?.() ?? []).map((simple) => ({ faults, jobs: jobs.with(index, simple) })))
]

/** The names of what was broken. */
const kindOf = ({ verdicts }: Outcome): ReadonlySet<string> =>
  new Set(verdicts.filter(({ broken }) => broken.length > 0).map(({ name }) => name))

/** Tries smaller cases until none fails any more in the same way, or `tries` are used up. */
export const shrink = (
  first: Outcome,
  attempt: (smaller: Case) => Outcome,
  tries = 300
): { readonly outcome: Outcome; readonly tries: number } => {
  const wanted = kindOf(first)
  const isSame = (outcome: Outcome) => isBroken(outcome) && [...kindOf(outcome)].some((name) => wanted.has(name))
  let best = first
  let used = 0
  for (let found = true; found && used < tries;) {
    found = false
    for (const candidate of smaller(best)) {
      if (used++ >= tries) break
      const outcome = attempt(candidate)
      if (!isSame(outcome)) continue
      best = outcome
      found = true
      break
    }
  }
  return { outcome: best, tries: used }
}
