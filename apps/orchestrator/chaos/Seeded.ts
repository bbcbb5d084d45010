/**
 * Chance that repeats: the same seed and purpose give the same sequence.
 */
export interface Seeded {
  /** A number in [0, 1). */
  readonly next: () => number
  /** A whole number from `from` to `to`, both included. */
  readonly between: (from: number, to: number) => number
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  /** The items in another order. */
  readonly shuffle: <A>(items: ReadonlyArray<A>) => ReadonlyArray<A>
}

const hash = (text: string): number => {
  let state = 2_166_136_261
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 16_777_619)
  return state >>> 0
}

/** The sequence of a seed for one purpose; what one purpose draws does not move another. */
export const make = (seed: number, purpose: string): Seeded => {
  let state = hash(`${seed} ${purpose}`)
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = state
    x = Math.imul(x ^ (x >>> 15), x | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const shuffle = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> => {
    const result = [...items]
    for (let i = result.length - 1; i > 0; i--) {
      const j = between(0, i)
      ;[result[i], result[j]] = [result[j]!, result[i]!]
    }
    return result
  }
  return { next, between, shuffle, pick: (items) => items[between(0, items.length - 1)]! }
}
