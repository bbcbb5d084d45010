/**
 * The clock of the service, as far as its answers tell: a browser's own may be minutes off, and "5 m ago" is about the
 * service's times.
 */

/** Below this a difference may come from the header, which counts whole seconds, and from the way here. Milliseconds. */
const unsure = 2_000

/** How far the service's clock is ahead of this one's; zero while they agree. */
export const skewOf = (date: string | null, now: number): number => {
  const told = Date.parse(date ?? "")
  const skew = told - now
  return Number.isNaN(told) || Math.abs(skew) < unsure ? 0 : skew
}

let skew = 0
let ahead = 0

/** How far the service's own time was moved ahead, which `coppice dev` can do. Milliseconds. */
export const setAhead = (millis: number): void => {
  ahead = millis
}

/** Takes note of the `Date` of an answer. */
export const note = (date: string | null): void => {
  if (date !== null) skew = skewOf(date, Date.now())
}

/** The time at the service, Unix milliseconds. */
export const now = (): number => Date.now() + skew + ahead
