/** The last millisecond a date can hold. */
const last = 8.64e15

/**
 * A time as the log keeps it: whole milliseconds, rounded up because nothing may be early, and never beyond what a date
 * can hold, so that `Infinity` is a time too.
 */
export const wholeMillis = (time: number): number => Math.max(0, time < last ? Math.ceil(time) : last)
