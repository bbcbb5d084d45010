import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { fill, fit, line, lineWidth, muted, paint, plain, spaced, span } from "../src/Line.ts"

describe("Line", () => {
  it("paints each role and resets it", () =>
    assert.strictEqual(paint(line("a ", span("b", "bad")), true), "a \u001b[31mb\u001b[0m"))

  it("paints nothing without colours", () => assert.strictEqual(paint(line(span("b", "bad")), false), "b"))

  it.prop("paints no escape of the text's own", [Schema.String], ([text]) => {
    assert.notInclude(paint(line(span(`\u001b]8;;http://x\u0007${text}`, "plain")), true), "\u001b")
  })

  it("puts two blanks between what says something", () =>
    assert.strictEqual(plain(spaced("a", undefined, "", muted("b"))), "a  b"))

  it("cuts across its parts", () => {
    const spans = line("abc", span("defg", "good"), "hij")
    assert.strictEqual(plain(fit(spans, 10)), "abcdefghij")
    assert.strictEqual(plain(fit(spans, 7)), "abcdef…")
    assert.strictEqual(plain(fit(spans, 2)), "a…")
  })

  it("fills up with blanks", () => assert.strictEqual(plain(fill(line("日"), 4)), "日  "))

  it.prop(
    "fits",
    [Schema.String, Schema.String, Schema.Natural],
    ([a, b, width]) => assert.isAtMost(lineWidth(fit(line(a, b), width % 30)), width % 30)
  )
})
