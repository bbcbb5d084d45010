/**
 * A question's policy in words.
 */
import type { Question } from "@coppice/api/InboxApi"

type Policy = NonNullable<Question["request"]["policy"]>

/** What counts when nobody answers in time. */
export const silenceOf = (policy: Policy | undefined): string => {
  const silence = policy?.silence
  if (silence === undefined) return "then it counts as not answered"
  return silence.action === "decline"
    ? "then it counts as declined"
    : `then this counts: ${JSON.stringify(silence.content)}`
}

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** `Mon–Fri 09:00–17:00 Europe/Berlin, without 2 holidays`. */
export const hoursIn = ({ days, from, holidays, to, zone }: NonNullable<Policy["hours"]>): string => {
  const at = days.map((day) => dayNames.indexOf(day)).toSorted((a, b) => a - b)
  const isRange = at.length > 2 && at.every((day, index) => day === at[0]! + index)
  const named = at.map((day) => capital(dayNames[day]!))
  const which = isRange ? `${named[0]}–${named.at(-1)}` : named.join(", ")
  const without = holidays.length === 0
    ? ""
    : `, without ${holidays.length} ${holidays.length === 1 ? "holiday" : "holidays"}`
  return `${which} ${from}–${to} ${zone}${without}`
}

export interface Door {
  readonly door: string
  readonly at: number
  readonly isDelivered: boolean
  readonly detail: string | undefined
}

/** What each door said last, the newest first. */
export const doors = (offers: Question["standing"]["offers"]): ReadonlyArray<Door> => {
  const last = new Map<string, Door>()
  for (const { at, detail, door, how, to } of offers) {
    const name = to === undefined ? door : `${door} for ${to}`
    last.set(name, { door: name, at, detail, isDelivered: how === "delivered" })
  }
  return [...last.values()].toSorted((a, b) => b.at - a.at)
}
