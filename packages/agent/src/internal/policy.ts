/**
 * The rules of a question as people write them, made into data with absolute times.
 */
import { after, type Hours, problem, type Weekday } from "@coppice/task/Hours"
import { type Person, unknownAmong } from "@coppice/task/People"
import type { Policy, Silence } from "@coppice/task/Policy"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** One name, or several. A name of a person, or `@role`. */
export type Names = string | ReadonlyArray<string>

/** Business hours; what is left out is Monday to Friday, 09:00 to 17:00, without holidays. */
export interface BusinessHours {
  readonly zone: string
  readonly days?: ReadonlyArray<Weekday> | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly holidays?: ReadonlyArray<string> | undefined
}

/** Who may answer a question, until when, and what happens meanwhile. Durations count from when it is asked. */
export interface Rules {
  /** [whoever may approve] */
  readonly to?: Names | undefined
  /** How long there is to answer. [for ever] */
  readonly within?: Duration.Input | undefined
  /** When everyone is told again. [never] */
  readonly remind?: Duration.Input | ReadonlyArray<Duration.Input> | undefined
  /** Who may answer, too, after a while, and is told. [nobody] */
  readonly escalate?:
    | ReadonlyArray<{ readonly after: Duration.Input; readonly to: Names; readonly note?: string | undefined }>
    | undefined
  /** How many different people have to accept with the same answer. One who declines or dismisses it ends it. [1] */
  readonly quorum?: number | undefined
  /** The durations count only while these are open. [always] */
  readonly hours?: BusinessHours | undefined
}

/** A question that makes no sense. Always a mistake of the code or the configuration: a defect. */
export class InvalidQuestion extends Data.TaggedError("InvalidQuestion")<{
  readonly field: string
  readonly problem: string
}> {
  override get message(): string {
    return `A question's ${this.field}: ${this.problem}`
  }
}

const refuse = (field: string, problem: string): never => {
  throw new InvalidQuestion({ field, problem })
}

const list = <A>(value: A | ReadonlyArray<A> | undefined): ReadonlyArray<A> =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as A]

/** A duration in milliseconds; throws `InvalidQuestion` when it is none, or no time passes in it. */
export const durationOf = (field: string, input: Duration.Input): number => {
  const value = Option.match(Duration.fromInput(input), { onNone: () => Number.NaN, onSome: Duration.toMillis })
  return Number.isFinite(value) && value > 0
    ? value
    : refuse(field, `${JSON.stringify(input)} is no time that passes; write "4 hours"`)
}

const names = (field: string, given: Names): ReadonlyArray<string> => {
  const all = list(given)
  return all.length > 0 ? all : refuse(field, "names nobody; leave it out to ask everyone who may approve")
}

const hoursOf = ({ days, from, holidays, to, zone }: BusinessHours): Hours => {
  const hours: Hours = {
    zone,
    days: days ?? ["mon", "tue", "wed", "thu", "fri"],
    from: from ?? "09:00",
    to: to ?? "17:00",
    holidays: holidays ?? []
  }
  const wrong = problem(hours)
  return wrong === undefined ? hours : refuse(`hours.${wrong.split(":")[0]}`, wrong.slice(wrong.indexOf(":") + 2))
}

/** Rules that were looked at: durations in milliseconds. */
export interface Checked {
  readonly to: ReadonlyArray<string> | undefined
  readonly within: number | undefined
  readonly remind: ReadonlyArray<number>
  readonly escalate: ReadonlyArray<
    { readonly after: number; readonly to: ReadonlyArray<string>; readonly note?: string }
  >
  readonly quorum: number
  readonly hours: Hours | undefined
  readonly silence: Silence | undefined
}

/** Looks at rules; throws `InvalidQuestion`, which names the field and what would be right. */
export const check = (rules: Rules, silence: Silence | undefined): Checked => {
  const { escalate = [], hours, quorum = 1, remind, to, within } = rules
  const limit = within === undefined ? undefined : durationOf("within", within)
  const timely = (field: string, input: Duration.Input): number => {
    const value = durationOf(field, input)
    return limit === undefined || value < limit ? value : refuse(field, "is not before the end, which within says")
  }
  if (!Number.isInteger(quorum) || quorum < 1) refuse("quorum", "is no number of people; write 2")
  if (silence !== undefined && limit === undefined) refuse("onSilence", "needs within: silence has to begin some time")
  return {
    to: to === undefined ? undefined : names("to", to),
    within: limit,
    remind: list(remind).map((input) => timely("remind", input)).toSorted((a, b) => a - b),
    escalate: escalate.map(({ after, note, to }) => ({
      after: timely("escalate.after", after),
      to: names("escalate.to", to),
      ...note === undefined ? {} : { note }
    })).toSorted((a, b) => a.after - b.after),
    quorum,
    hours: hours === undefined ? undefined : hoursOf(hours),
    silence
  }
}

/** Why these people cannot answer a question of these rules; throws `InvalidQuestion`. */
const assertAnswerable = ({ escalate, quorum, to }: Checked, people: ReadonlyMap<string, Person>): void => {
  if (people.size === 0) {
    if (quorum > 1) refuse("quorum", "needs people: Orchestrator.make({ people: { ann: { … } } })")
    return
  }
  const asked = to === undefined ? undefined : [...to, ...escalate.flatMap(({ to }) => to)]
  const unknown = unknownAmong(people, asked ?? [])
  if (unknown.length > 0) {
    refuse("to", `nobody is called or has the role ${unknown.join(", ")}; there are ${[...people.keys()].join(", ")}`)
  }
  const able = [...people.values()].filter((person) =>
    person.may.includes("approve") &&
    (asked === undefined || unknownAmong(new Map([[person.name, person]]), asked).length < asked.length)
  )
  if (able.length < quorum) refuse("quorum", `needs ${quorum} people, and ${able.length} of them may answer`)
}

/** The data of the rules from `now` on (Unix milliseconds). Throws `InvalidQuestion`. */
export const toData = (rules: Checked, now: number, people: ReadonlyMap<string, Person>): {
  readonly deadline: number | null
  readonly policy?: Policy
} => {
  assertAnswerable(rules, people)
  const { escalate, hours, quorum, remind, silence, to, within } = rules
  const at = (millis: number): number => hours === undefined ? now + millis : after(hours, now, millis)
  const policy: Policy = {
    ...to === undefined ? {} : { to },
    ...quorum === 1 ? {} : { quorum },
    ...remind.length === 0 ? {} : { remind: remind.map(at) },
    ...escalate.length === 0 ? {} : { escalate: escalate.map(({ after, ...rest }) => ({ at: at(after), ...rest })) },
    ...silence === undefined ? {} : { silence },
    ...hours === undefined ? {} : { hours }
  }
  const deadline = within === undefined ? null : at(within)
  return Object.keys(policy).length === 0 ? { deadline } : { deadline, policy }
}
