/**
 * Times and durations as people say them.
 */
const units = [
  { name: "d", millis: 86_400_000 },
  { name: "h", millis: 3_600_000 },
  { name: "m", millis: 60_000 },
  { name: "s", millis: 1_000 }
] as const

/** `850 ms`, `3.2 s`, `4 m 10 s`, `2 d 3 h`: two units at most. */
export const duration = (millis: number): string => {
  const span = Math.max(0, Math.round(millis))
  if (span < 1_000) return `${span} ms`
  if (span < 60_000) return `${(span / 1_000).toFixed(span < 10_000 ? 1 : 0)} s`
  const at = units.findIndex((unit) => span >= unit.millis)
  const [first, second] = [units[at]!, units[at + 1]]
  const whole = Math.floor(span / first.millis)
  const rest = second === undefined ? 0 : Math.floor((span % first.millis) / second.millis)
  return rest === 0 ? `${whole} ${first.name}` : `${whole} ${first.name} ${rest} ${second!.name}`
}

/** `just now`, `5 m ago`, `in 2 h`: one unit, for glances. A clock that is a little off is no news from the future. */
export const distance = (at: number, now: number): string => {
  const span = Math.abs(now - at)
  if (span < 5_000) return "just now"
  const unit = units.find(({ millis }) => span >= millis)!
  const text = `${Math.floor(span / unit.millis)} ${unit.name}`
  return at <= now ? `${text} ago` : `in ${text}`
}

/** Date and time in the reader's own zone, to the second. */
export const moment = (at: number): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })
