/**
 * Times as people say them, and as they type them.
 */

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const two = (value: number): string => String(value).padStart(2, "0")

/** How long something took: `820ms`, `12.4s`, `3m 04s`, `2h 05m`, `3d 04h`. */
export const duration = (milliseconds: number): string => {
  const ms = Math.max(0, milliseconds)
  if (ms < second) return `${Math.round(ms)}ms`
  if (ms < 59_950) return `${(ms / second).toFixed(1)}s`
  const whole = Math.round(ms / second) * second
  if (whole < hour) return `${Math.floor(whole / minute)}m ${two(Math.floor(whole % minute / second))}s`
  if (whole < day) return `${Math.floor(whole / hour)}h ${two(Math.floor(whole % hour / minute))}m`
  return `${Math.floor(whole / day)}d ${two(Math.floor(whole % day / hour))}h`
}

/** How long ago, in one unit: `now`, `12s`, `3m`, `2h`, `5d`. */
export const age = (milliseconds: number): string => {
  if (milliseconds < second) return "now"
  if (milliseconds < minute) return `${Math.floor(milliseconds / second)}s`
  if (milliseconds < hour) return `${Math.floor(milliseconds / minute)}m`
  if (milliseconds < 2 * day) return `${Math.floor(milliseconds / hour)}h`
  return `${Math.floor(milliseconds / day)}d`
}

/** The wall clock here: `14:03:07.042`, with the date before it when it is another day than `now`. */
export const clock = (at: number, now: number): string => {
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${
    String(date.getMilliseconds()).padStart(3, "0")
  }`
  const isToday = date.toDateString() === new Date(now).toDateString()
  return isToday ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`
}

const units: Readonly<Record<string, number>> = { ms: 1, s: second, m: minute, h: hour, d: day }

/** Milliseconds of `10m`, `1h30m`, `500ms` or `2d`; `undefined` when it is none of these. */
export const parseDuration = (text: string): number | undefined => {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*/gy)]
  if (parts.length === 0 || parts.reduce((sum, [all]) => sum + all.length, 0) !== text.trim().length) return undefined
  const total = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit!]!, 0)
  return total > 0 && Number.isFinite(total) ? total : undefined
}
