/**
 * Makes public task ids and W3C trace ids.
 *
 * An id is 20 characters of Crockford's base 32 in lower case: 9 for the millisecond, 4 for a counter within it and 7
 * that differ from process to process. Ids made by one process sort in the order they were made, so rows are appended
 * at the end of every index.
 */
import type { TaskId } from "./Task.ts"

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const base32 = (value: number, length: number): string => {
  let text = ""
  let rest = value
  for (let i = 0; i < length; i++) {
    text = alphabet[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text
}

const counterLimit = 32 ** 4

/** Two digits per byte: ten times as fast as formatting a number, and every task has a span. */
const hex: ReadonlyArray<string> = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** Where ids come from: a source of integers, so that a simulation can seed it. */
export interface RandomSource {
  nextIntUnsafe(): number
}

export class TaskIds {
  private millisecond = -1
  private prefix = ""
  private counter = 0
  private readonly suffix: string
  private readonly random: RandomSource

  constructor(random: RandomSource) {
    this.random = random
    this.suffix = base32(Math.abs(random.nextIntUnsafe()) % 32 ** 7, 7)
  }

  /** The next id. `now` in Unix milliseconds; a clock that goes backwards cannot make an id repeat or sort earlier. */
  next(now: number): TaskId {
    const millisecond = Math.floor(now)
    if (millisecond > this.millisecond || this.counter === counterLimit) {
      this.millisecond = Math.max(millisecond, this.millisecond + 1)
      this.prefix = base32(this.millisecond, 9)
      this.counter = 0
    }
    return (this.prefix + base32(this.counter++, 4) + this.suffix) as TaskId
  }

  /** A W3C span id: 16 lower-case hexadecimal digits, never all zero. */
  spanId(): string {
    const id = this.hex8() + this.hex8()
    return id === "0000000000000000" ? "0000000000000001" : id
  }

  /** A W3C trace id: 32 lower-case hexadecimal digits, never all zero. */
  traceId(): string {
    return this.spanId() + this.spanId()
  }

  private hex8(): string {
    const bits = this.random.nextIntUnsafe()
    return hex[bits >>> 24]! + hex[bits >>> 16 & 255]! + hex[bits >>> 8 & 255]! + hex[bits & 255]!
  }
}

/** True for text that has the form of a task id. */
export const isTaskId = (text: string): text is TaskId => /^[0-9a-hjkmnp-tv-z]{20}$/.test(text)
