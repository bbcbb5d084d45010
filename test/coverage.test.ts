import { assert, describe, it } from "@effect/vitest"
import type { Case } from "../packages/mcp/test/suites/Case.ts"
import { open, shown } from "../packages/mcp/test/suites/Point.ts"
import * as Coverage from "../scripts/coverage.ts"

const shows = (name: string, points: ReadonlyArray<number>, only?: "HTTP"): Case => ({
  points,
  name,
  ...only === undefined ? {} : { only },
  run: () => Promise.resolve()
})

const suite = {
  revision: "R",
  points: [shown("one"), open("two", "not yet"), shown("three")],
  cases: [shows("a", [1]), shows("b", [1, 3], "HTTP")]
}

describe("coverage", () => {
  it("counts points by wire, and those that are shown elsewhere", () =>
    assert.strictEqual(
      Coverage.summary(suite),
      "R: 2 of 3 points shown by 2 cases (HTTP 2, stdio 1), 0 to read, 1 open"
    ))

  it("names the cases of each point, in columns", () =>
    assert.deepStrictEqual(Coverage.rows(suite), [
      "| # | Point | Shown by          |",
      "| - | ----- | ----------------- |",
      "| 1 | one   | a; b (HTTP)       |",
      "| 2 | two   | not here: not yet |",
      "| 3 | three | b (HTTP)          |"
    ]))

  it("finds points without a case and a reason, reasons nobody needs, and cases of nothing", () => {
    assert.deepStrictEqual(Coverage.findings(suite), [])
    const cases = [shows("a", [1, 2]), shows("c", []), shows("d", [4])]
    assert.deepStrictEqual(Coverage.findings({ ...suite, cases }), [
      "R #2: is shown and says why it is not",
      "R #3: no case and no reason",
      "R \"c\": names no point",
      "R \"d\": names no point"
    ])
  })

  it("has a case or a reason for every point there is", () => assert.deepStrictEqual(Coverage.allFindings(), []))
})
