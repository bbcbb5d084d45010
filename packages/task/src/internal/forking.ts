/**
 * What a fork takes over from the run it is forked of: all that its code was told before a point, in that order.
 */
import * as Result from "effect/Result"
import { checkAnswer } from "../Form.ts"
import { moved } from "../Migration.ts"
import { InvalidFork } from "../TaskError.ts"
import type { InputRequest, TaskEvent } from "../TaskEvent.ts"
import type { Fork } from "../Tasks.ts"
import type { Journal } from "../TaskStore.ts"
import { mostReused, type Reused } from "./reuse.ts"

type ReuseStep = Extract<Reused, { readonly _tag: "ReuseStep" }>

/** What the code was told, and when. */
interface Told extends Omit<ReuseStep, "_tag"> {
  readonly seq: number
}

const isRuntimes = (key: string): boolean => /^(upgrade|outcome):/.test(key)

const ofEvent = (event: TaskEvent): Pick<Told, "key" | "name" | "result" | "as"> | undefined => {
  switch (event._tag) {
    case "StepReused": {
      const { as, key, name, result } = event
      return { key, name, result, ...as === undefined ? {} : { as } }
    }
    case "StepRecorded": {
      const { exit, key, name } = event
      return exit._tag === "Success"
        ? { key, name, result: exit.value }
        : { key, name, result: exit.error, as: "failure" }
    }
    case "TimerFired":
      return { key: event.key, name: "pause", result: null, as: "pause" }
    case "InputReceived":
      if (isRuntimes(event.key)) return undefined
      return { key: event.key, name: "answer", result: { ...event.response }, as: "answer" }
    default:
      return undefined
  }
}

/** Everything the task's code was told, in the order of the log, under the keys its code has now. */
const toldTo = ({ children, events }: Journal): ReadonlyArray<Told> => {
  let told: Array<Told> = []
  const created = events[0]?.event
  const isFork = created?._tag === "Created" && created.spec.forkOf !== undefined
  const calls = children.flatMap(({ agent, ending, id, key, settledSeq }): ReadonlyArray<Told> => {
    const isUnwound = ending?._tag === "Cancelled" && ending.by === "parent"
    if (settledSeq === null || ending === null || isUnwound) return []
    return [{ seq: settledSeq, key, name: agent, result: { ...ending }, as: "ending", from: id }]
  })
  const all = [...events, ...calls].sort((a, b) => a.seq - b.seq)
  for (const one of all) {
    if (!("event" in one)) {
      told.push(one)
      continue
    }
    const { event, seq, task } = one
    // what a retry had taken over is recorded again where it was asked for
    if (event._tag === "StepReused" && !isFork) continue
    if (event._tag === "Upgraded") {
      told = event.choice === "restart" ? [] : told.flatMap((one) => {
        const key = moved(event.moves, one.key)
        return key === null ? [] : [{ ...one, key }]
      })
    }
    const fact = ofEvent(event)
    if (fact !== undefined) told.push({ ...fact, seq, from: event._tag === "StepReused" ? event.from : task })
  }
  return told
}

const invalid = (field: InvalidFork["field"], message: string, fix: string) =>
  Result.fail(new InvalidFork({ field, message, fix }))

/** Questions, pauses and calls that were begun; what they are told may not have come. */
const begun = ({ children, events }: Journal): ReadonlyArray<{ readonly key: string; readonly name: string }> => [
  ...children.map(({ agent, key }) => ({ key, name: agent })),
  ...events.flatMap(({ event }) => {
    if (event._tag === "InputRequested") return [{ key: event.request.key, name: event.request.key }]
    return event._tag === "TimerSet" ? [{ key: event.key, name: "pause" }] : []
  })
]

/** Where in the log `at` is: what was told before that is taken over. */
const placeOf = (told: ReadonlyArray<Told>, journal: Journal, at: string): Result.Result<number, InvalidFork> => {
  if (/^\d+$/.test(at)) return Result.succeed(Number(at))
  const exact = told.find(({ key }) => key === at)
  if (exact !== undefined) return Result.succeed(exact.seq)
  const open = begun(journal)
  if (open.some(({ key }) => key === at)) return Result.succeed(Infinity)
  const isNamed = ({ key, name }: { readonly key: string; readonly name: string }) =>
    name === at || key.startsWith(`${at}:`)
  const known = new Map([...told, ...open].filter(isNamed).map(({ key }) => [key, told.find((one) => one.key === key)]))
  const [only] = known
  if (only === undefined) {
    return invalid(
      "at",
      `There is no step, call or question "${at}" in this task`,
      "coppice events <id> --json has all keys"
    )
  }
  if (known.size === 1) return Result.succeed(only[1]?.seq ?? Infinity)
  return invalid("at", `"${at}" occurs ${known.size} times`, `give one of ${[...known.keys()].slice(0, 5).join(", ")}`)
}

/** The changed answer, which has to fit the form it answers. */
const answered = (journal: Journal, { answer, by }: Fork): Result.Result<ReadonlyArray<Told>, InvalidFork> => {
  if (answer === undefined) return Result.succeed([])
  const requests = journal.events.flatMap(({ event }): ReadonlyArray<InputRequest> =>
    event._tag === "InputRequested" && event.request.key === answer.key ? [event.request] : []
  )
  const request = requests.at(-1)
  if (request === undefined) {
    return invalid(
      "answer",
      `There is no question "${answer.key}" in this task`,
      "coppice events <id> --json has all keys"
    )
  }
  const fits = request.mode === "form" ? checkAnswer(request.schema, answer.content) : Result.succeed(null)
  if (Result.isFailure(fits)) {
    return invalid("answer", `The answer does not fit: ${fits.failure.message}`, "see the question's form")
  }
  const result = { action: "accept", content: answer.content, by }
  return Result.succeed([{
    seq: Infinity,
    key: answer.key,
    name: "answer",
    result,
    as: "answer",
    from: journal.events[0]!.task
  }])
}

const toReused = ({ as, from, key, name, result }: Told): ReuseStep => ({
  _tag: "ReuseStep",
  key,
  name,
  result,
  from,
  ...as === undefined ? {} : { as }
})

/** What a fork is born with. */
export const prefixOf = (journal: Journal, fork: Fork): Result.Result<ReadonlyArray<Reused>, InvalidFork> => {
  const told = toldTo(journal)
  const at = fork.at ?? fork.answer?.key
  if (at === undefined) {
    return invalid("at", "at: is missing", "name the step, call or question from where all is done anew")
  }
  const place = placeOf(told, journal, at)
  if (Result.isFailure(place)) return Result.fail(place.failure)
  const answer = answered(journal, fork)
  if (Result.isFailure(answer)) return Result.fail(answer.failure)
  const before = told.filter(({ key, seq }) => seq < place.success && key !== fork.answer?.key)
  return Result.succeed([...before.slice(0, mostReused), ...answer.success].map(toReused))
}
