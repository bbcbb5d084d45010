/**
 * Business hours: how time is counted when only some hours of some days count.
 *
 * Pure arithmetic on instants. What the clock on the wall shows at an instant is asked of `Intl`, so a day in which the
 * clock is changed has 23 or 25 hours here as it has there, and opens and closes when the clock on the wall says so.
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** Days of the week, as the data of a question has them. */
export const Weekday = Schema.Literals(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])
export type Weekday = typeof Weekday.Type

/** Which hours count. `from` and `to` are times on the wall such as `09:00`; `to` may be `24:00`. */
export const Hours = Schema.Struct({
  /** An IANA time zone such as `Europe/Berlin`. */
  zone: Schema.String,
  days: Schema.Array(Weekday),
  from: Schema.String,
  to: Schema.String,
  /** Days that do not count, such as `2026-12-25`. */
  holidays: Schema.Array(Schema.String)
}).annotate({ identifier: "Hours" })
export type Hours = typeof Hours.Type

const minute = 60_000
const day = 24 * 60 * minute

/** How many days ahead a date is looked for: what takes longer is a mistake. */
const horizon = 10 * 366

const minutesOf = (text: string): number | undefined => {
  const [, hours, minutes] = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text) ?? []
  const total = Number(hours) * 60 + Number(minutes)
  return hours === undefined || total > 24 * 60 ? undefined : total
}

/** The date of an instant in UTC, such as `2026-12-25`. */
const dateOf = (at: number): string => DateTime.formatIsoDateUtc(DateTime.makeUnsafe(at))

const isDate = (text: string): boolean => {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && dateOf(at) === text
}

const formats = new Map<string, Intl.DateTimeFormat>()

const formatOf = (zone: string): Intl.DateTimeFormat => {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      ...{ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }
    })
    if (formats.size >= 100) formats.clear()
    formats.set(zone, format)
  }
  return format
}

const isZone = (zone: string): boolean => Result.isSuccess(Result.try(() => formatOf(zone)))

/** What is wrong with the hours, and what would be right; `undefined` when nothing is. */
export const problem = ({ days, from, holidays, to, zone }: Hours): string | undefined => {
  if (!isZone(zone)) return `zone: "${zone}" is no time zone; name one of IANA's such as "Europe/Berlin"`
  if (days.length === 0) return "days: name at least one, such as \"mon\""
  for (const [name, text] of Object.entries({ from, to })) {
    if (minutesOf(text) === undefined) return `${name}: "${text}" is no time; write "09:00"`
  }
  if (minutesOf(from)! >= minutesOf(to)!) return `to: it is ${to}, and has to be later than ${from}`
  const wrong = holidays.find((date) => !isDate(date))
  return wrong === undefined ? undefined : `holidays: "${wrong}" is no date; write "2026-12-25"`
}

/** What the wall shows at an instant, as if the wall were in UTC: milliseconds. */
const wallOf = (zone: string, at: number): number => {
  const parts = Object.fromEntries(formatOf(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const { day, hour, minute, month, second, year } = parts as Record<string, number>
  return Date.UTC(year!, month! - 1, day, hour, minute, second) + ((at % 1_000) + 1_000) % 1_000
}

/**
 * The instant at which the wall shows this. Shown twice, it is the first time; skipped by a change of the clock, it is
 * the moment of the change.
 */
const instantOf = (zone: string, wall: number): number => {
  const offsetAt = (at: number) => wallOf(zone, at) - at
  const candidates = [offsetAt(wall - day), offsetAt(wall + day)].map((offset) => wall - offset)
  const exact = candidates.filter((at) => wallOf(zone, at) === wall)
  if (exact.length > 0) return Math.min(...exact)
  let [before, after] = [Math.min(...candidates), Math.max(...candidates)]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (wallOf(zone, middle) < wall) before = middle
    else after = middle
  }
  return after
}

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const

/** The opening of the day whose midnight the wall shows at `midnight`, as instants; `undefined`: it does not open. */
const opening = (hours: Hours, midnight: number): readonly [number, number] | undefined => {
  // the first day of Unix time was a Thursday
  const weekday = weekdays[(Math.floor(midnight / day) % 7 + 11) % 7]!
  const isOpen = hours.days.includes(weekday) && !hours.holidays.includes(dateOf(midnight))
  if (!isOpen) return undefined
  const at = (text: string) => instantOf(hours.zone, midnight + minutesOf(text)! * minute)
  return [at(hours.from), at(hours.to)]
}

/**
 * The instant (Unix milliseconds) at which `millis` of business hours have passed since `at`. Nothing passes outside of
 * them: no time at all after a Friday's closing is Monday's opening. Throws a `RangeError` when that takes more than ten
 * years, and for hours that have a `problem`.
 */
export const after = (hours: Hours, at: number, millis: number): number => {
  const wrong = problem(hours)
  if (wrong !== undefined) throw new RangeError(`hours.${wrong}`)
  let left = Math.max(0, millis)
  const today = Math.floor(wallOf(hours.zone, at) / day) * day
  // from yesterday on: the wall's may not have closed yet when the clock was set back over midnight
  for (let i = -1; i < horizon; i++) {
    const open = opening(hours, today + i * day)
    if (open === undefined) continue
    const from = Math.max(at, open[0])
    if (from >= open[1]) continue
    if (left <= open[1] - from) return from + left
    left -= open[1] - from
  }
  throw new RangeError(`hours: ${millis} ms of them are not over within ten years`)
}

/** How many milliseconds of business hours lie between two instants. */
export const between = (hours: Hours, from: number, to: number): number => {
  let sum = 0
  const first = Math.floor(wallOf(hours.zone, from) / day) * day - day
  for (let midnight = first; midnight <= wallOf(hours.zone, to) + day; midnight += day) {
    const open = opening(hours, midnight)
    if (open !== undefined) sum += Math.max(0, Math.min(to, open[1]) - Math.max(from, open[0]))
  }
  return sum
}
