import { assert, describe, it } from "@effect/vitest"
import { FairLine } from "../../src/internal/FairLine.ts"

const line = (...items: ReadonlyArray<string>) => {
  const made = new FairLine<string>((item) => item[0]!)
  for (const item of items) made.join(item)
  return made
}

const drain = (made: FairLine<string>): string => {
  const out: Array<string> = []
  for (let item = made.next(); item !== undefined; item = made.next()) out.push(item)
  return out.join(" ")
}

/** Whole numbers below a bound, the same for the same seed. */
const seeded = (seed: number) => (bound: number): number => {
  seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0
  return (seed >>> 8) % bound
}

describe("FairLine", () => {
  it("serves parties in turn, each in its own order", () =>
    assert.strictEqual(drain(line("a1", "a2", "a3", "a4", "b1", "c1", "b2")), "a1 b1 c1 a2 b2 a3 a4"))

  it("lets who comes late wait for one of each other party", () => {
    const made = line("a1", "a2", "a3", "a4")
    assert.strictEqual(made.next(), "a1")
    made.join("b1")
    assert.strictEqual(drain(made), "a2 b1 a3 a4")
  })

  it("counts who waits, and forgets who has left", () => {
    const made = line("a1", "a2", "b1")
    assert.deepStrictEqual([made.size, made.sizeOf("a"), made.sizeOf("c")], [3, 2, 0])
    made.leave("b1")
    made.leave("b1")
    made.join("a1")
    assert.deepStrictEqual([made.size, made.sizeOf("b")], [2, 0])
    assert.strictEqual(drain(made), "a1 a2")
    assert.strictEqual(made.size, 0)
  })

  it("says exactly when each is served, whoever came and left before", () => {
    const random = seeded(7)
    for (let round = 0; round < 200; round++) {
      const line = new FairLine<string>((item) => item[0]!)
      const joined = Array.from({ length: random(20) }, (_, n) => `${"abcd"[random(4)]}${n}`)
      for (const item of joined) line.join(item)
      for (let served = random(3); served > 0; served--) line.next()
      for (const item of joined) if (random(4) === 0) line.leave(item)
      const told = new Map(joined.map((item) => [item, line.before(item)?.ahead]))
      const order: Array<string> = []
      for (let next = line.next(); next !== undefined; next = line.next()) order.push(next)
      for (const item of joined) {
        assert.strictEqual(told.get(item), order.includes(item) ? order.indexOf(item) : undefined)
      }
    }
  })

  it("tells whose turn comes first", () => {
    const line = new FairLine<string>((item) => item[0]!)
    for (const item of ["a1", "a2", "b1", "c1"]) line.join(item)
    assert.deepStrictEqual(line.before("a2"), { ahead: 3, turns: 0 })
    assert.deepStrictEqual(line.before("c1"), { ahead: 2, turns: 2 })
    assert.isUndefined(line.before("d1"))
  })
})
