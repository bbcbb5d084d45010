import { assert, describe, it } from "@effect/vitest"
import * as Row from "../src/Row.ts"
import { summary, table } from "../src/Table.ts"

const heading: Row.Heading = {
  case: "W1",
  what: "2000 calls, one after the other",
  durability: "FULL",
  unit: "ms each",
  baseline: "raw commit",
  target: { text: "≤ 2.5 raw commits", limit: 2.5, direction: "most" }
}

const repeats: ReadonlyArray<Row.Repeat> = [
  { value: 0.3, baseline: 0.1, judged: 3, notes: { "calls/s": 3_333 } },
  { value: 0.2, baseline: 0.1, judged: 2, notes: { "calls/s": 5_000 } },
  { value: 0.8, baseline: 0.4, judged: 2, notes: { "calls/s": 1_250 } }
]

describe("a row", () => {
  const row = Row.make(heading, repeats)

  it("has the medians, and the ratios within each repeat", () => {
    assert.deepInclude(row, { repeats: 3, value: 0.3, low: 0.2, high: 0.8, baselineValue: 0.1, ratio: 2 })
    assert.deepStrictEqual(row.notes, { "calls/s": 3_333 })
  })

  it("is judged by what its target is about", () =>
    assert.deepInclude(row.target, { value: 2, isReached: true, limit: 2.5 }))

  it("misses a target that asks for more", () => {
    const target = { text: "≥ 1 ms", limit: 1, direction: "least" } as const
    assert.isFalse(
      Row.make({ ...heading, target }, repeats.map(({ value }) => ({ value, baseline: 1 }))).target?.isReached
    )
  })

  it("shows its durability, its baseline and its verdict", () => {
    const line = table([row]).split("\n")[2]!
    for (
      const text of ["2,000 calls", "FULL", "0.3 ms each", "0.1 raw commit", "2 ×", "reached (2; ≤ 2.5 raw commits)"]
    ) {
      assert.include(line, text)
    }
    assert.strictEqual(summary([row]), "1 of 1 targets reached")
  })
})
