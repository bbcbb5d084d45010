/** Random choices that a seed repeats on any machine (sfc32). */
export interface Random {
  /** From 0 up to, not including, the limit. */
  readonly below: (limit: number) => number
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  /** True in one of `n` cases. */
  readonly oneIn: (n: number) => boolean
  readonly list: <A>(length: number, make: () => A) => ReadonlyArray<A>
}

export const randomFrom = (seed: number): Random => {
  let [a, b, c, count] = [0x9e3779b9, 0x243f6a88, seed | 0, 1]
  const next = () => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 12; i++) next()
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick: (values) => values[below(values.length)]!,
    oneIn: (n) => below(n) === 0,
    list: (length, make) => Array.from({ length }, make)
  }
}
