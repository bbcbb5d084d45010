import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { manyLines, oneLine, padEnd, shorten, widthOf, wrap } from "../src/Text.ts"

describe("oneLine", () => {
  it("leaves plain text alone", () => assert.strictEqual(oneLine("all is well"), "all is well"))

  it("shows escapes instead of obeying them", () =>
    assert.strictEqual(oneLine("\u001b[31mred\u001b[0m \u001b]0;title\u0007"), "␛[31mred␛[0m ␛]0;title␇"))

  it("shows the escapes of one character", () => assert.strictEqual(oneLine("a\u009b31mb\u007f"), "a\ufffd31mb␡"))

  it("takes away what turns the order of reading", () =>
    assert.strictEqual(oneLine("user\u202etxt.exe"), "user\ufffdtxt.exe"))

  it("is one line", () => assert.strictEqual(oneLine("a\r\n\tb\u2028c"), "a b c"))

  it("is well formed", () => assert.strictEqual(oneLine("a\ud800b"), "a\ufffdb"))

  it.prop("never lets a control character through", [Schema.String], ([text]) => {
    assert.notMatch(oneLine(text), /\p{Cc}/u)
    for (const line of manyLines(text)) assert.notMatch(line, /\p{Cc}/u)
  })
})

describe("manyLines", () => {
  it("keeps the lines apart", () => assert.deepStrictEqual(manyLines("a\r\nb\n\tc"), ["a", "b", "  c"]))
})

describe("widthOf", () => {
  it("counts cells", () => {
    assert.strictEqual(widthOf("abc"), 3)
    assert.strictEqual(widthOf("日本"), 4)
    assert.strictEqual(widthOf("👍🏽"), 2)
    assert.strictEqual(widthOf("e\u0301"), 1)
  })
})

describe("shorten", () => {
  it("says that something is missing", () => assert.strictEqual(shorten("a long story", 7), "a long…"))

  it("never cuts a character in two", () => assert.strictEqual(shorten("日本語", 4), "日…"))

  it.prop(
    "fits",
    [Schema.String, Schema.Natural],
    ([text, width]) => assert.isAtMost(widthOf(shorten(oneLine(text), width % 40)), width % 40)
  )
})

describe("padEnd", () => {
  it("pads to cells, not to characters", () => assert.strictEqual(padEnd("日本", 6), "日本  "))
})

describe("wrap", () => {
  it("breaks at blanks", () => assert.deepStrictEqual(wrap("one two three four", 9), ["one two", "three", "four"]))

  it("cuts a word that is too long", () => assert.deepStrictEqual(wrap("abcdefghijkl", 8), ["abcdefgh", "ijkl"]))
})
