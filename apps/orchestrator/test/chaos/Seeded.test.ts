import { assert, describe, it } from "@effect/vitest"
import * as Seeded from "../../chaos/Seeded.ts"

const draw = (seed: number, purpose: string) => {
  const seeded = Seeded.make(seed, purpose)
  return Array.from({ length: 200 }, () => seeded.between(0, 9))
}

describe("Seeded", () => {
  it("repeats itself for a seed and a purpose, and only for them", () => {
    assert.deepStrictEqual(draw(1, "a"), draw(1, "a"))
    assert.notDeepEqual(draw(1, "a"), draw(2, "a"))
    assert.notDeepEqual(draw(1, "a"), draw(1, "b"))
  })

  it("draws every number of a range, and keeps to it", () => {
    assert.deepStrictEqual([...new Set(draw(1, "a"))].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("shuffles without losing anything", () => {
    const items = Array.from({ length: 20 }, (_, i) => i)
    const shuffled = Seeded.make(3, "bag").shuffle(items)
    assert.notDeepEqual(shuffled, items)
    assert.sameMembers([...shuffled], items)
  })
})
