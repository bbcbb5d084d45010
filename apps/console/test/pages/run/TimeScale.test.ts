import { assert, describe, it } from "@effect/vitest"
import { at, marks, scaleOf } from "../../../src/pages/run/TimeScale.ts"

describe("TimeScale", () => {
  it("reaches from the first beginning to the last end, or to now", () => {
    const ended = [{ createdAt: 100, endedAt: 400 }, { createdAt: 50, endedAt: 90 }]
    assert.deepStrictEqual(scaleOf(ended, 9_999), { from: 50, to: 400 })
    assert.deepStrictEqual(scaleOf([...ended, { createdAt: 60, endedAt: null }], 900), { from: 50, to: 900 })
  })

  it("bears a clock that is behind, an empty run, and one that took no time", () => {
    assert.deepStrictEqual(scaleOf([{ createdAt: 100, endedAt: null }], 40), { from: 100, to: 101 })
    assert.deepStrictEqual(scaleOf([], 40), { from: 0, to: 1 })
    assert.deepStrictEqual(scaleOf([{ createdAt: 7, endedAt: 7 }], 40), { from: 7, to: 8 })
  })

  it("keeps places inside", () => {
    const scale = { from: 100, to: 200 }
    assert.deepStrictEqual([50, 100, 150, 300].map((moment) => at(scale, moment)), [0, 0, 0.5, 1])
  })

  it.each([[9, 5], [1_000, 6], [65_000, 7], [720_000, 7], [86_400_000 * 4, 5]])(
    "has few marks at round distances for %d ms",
    (span, count) => {
      const found = marks({ from: 5, to: 5 + span })
      assert.lengthOf(found, count)
      assert.strictEqual(found[0]!.label, "0")
      for (const { label } of found) assert.notMatch(label, / .* /, label)
    }
  )
})
