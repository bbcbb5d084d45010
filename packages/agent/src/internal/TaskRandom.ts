/**
 * The random numbers of a handler: the same sequence for the same task, so that a replay draws them again.
 */
import type { Random } from "effect/Random"

/** FNV-1a over the text with four different bases: a seed for `sfc32`. */
const seeds = (text: string): readonly [number, number, number, number] => {
  const bases = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b]
  const hashed = bases.map((base) => {
    let hash = base
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    return hash | 0
  })
  return hashed as unknown as readonly [number, number, number, number]
}

/** Chris Doty-Humphrey's sfc32, seeded by the text. */
const sfc32 = (seed: string): () => number => {
  let [a, b, c, d] = seeds(seed)
  const next = (): number => {
    const sum = (a + b | 0) + d | 0
    d = d + 1 | 0
    a = b ^ b >>> 9
    b = c + (c << 3) | 0
    c = (c << 21 | c >>> 11) + sum | 0
    return sum >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

/** The sequence begins with the first draw: most handlers draw none. */
export class TaskRandom implements Random {
  private readonly seed: string
  private next: (() => number) | undefined

  constructor(seed: string) {
    this.seed = seed
  }

  nextDoubleUnsafe(): number {
    const next = this.next ??= sfc32(this.seed)
    return (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53
  }

  nextIntUnsafe(): number {
    const range = Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER + 1
    return Math.floor(this.nextDoubleUnsafe() * range) + Number.MIN_SAFE_INTEGER
  }
}
