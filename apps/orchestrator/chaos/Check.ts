/**
 * All the checkers, and the figures that have no right value.
 */
import { answers, cancels, created, histories, questions, replies, results, told } from "./Acknowledged.ts"
import { facts, type History } from "./History.ts"
import { families, keys, liveness, order, products, rest, steps } from "./Recorded.ts"
import type { Verdict } from "./Verdict.ts"

const checkers = [
  created,
  told,
  histories,
  results,
  questions,
  answers,
  cancels,
  replies,
  steps,
  keys,
  rest,
  liveness,
  families,
  order,
  products
]

/** Everything that was promised, checked. */
export const check = (history: History): ReadonlyArray<Verdict> => checkers.map((checker) => checker(history))

/** How many times a step ran whose earlier run had left no record: the kill fell between the effect and its record. */
export const runAgain = (history: History): number => {
  const recorded = new Map(facts(history, "StepRecorded").map(({ at, event, task }) => [`${task}/${event.key}`, at]))
  return [...Map.groupBy(history.effects, ({ key }) => key)]
    .flatMap(([key, lines]) => lines.slice(1).filter(({ at }) => at <= (recorded.get(key) ?? Infinity))).length
}

/** Runs that a kill found unfinished. */
export const resumed = (history: History): number => {
  const roots = facts(history, "Created").filter(({ event }) => event.parent === null)
  const ends = new Map(history.tasks.map(({ endedAt, id }) => [id as string, endedAt ?? Infinity]))
  const kills = history.lives.map(({ endedAt }) => endedAt)
  return roots.filter(({ at, task }) => kills.some((kill) => at <= kill && (ends.get(task) ?? Infinity) > kill)).length
}
