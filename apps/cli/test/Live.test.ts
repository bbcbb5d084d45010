import { assert, describe, it } from "@effect/vitest"
import { line } from "../src/Line.ts"
import { erase, redraw } from "../src/Live.ts"

const size = { columns: 10, rows: 5, colors: false }

// oxlint-disable-next-line no-control-regex -- what a terminal obeys
const sequences = /\u001b\[([?\d]*)([A-Za-z])|([^\u001b]+)/g

/** A terminal of ten columns as far as `Live` uses one: text, new lines, up, erase to the end of line or screen. */
const screen = (...outputs: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rows: Array<string> = [""]
  let row = 0
  for (const [, code, end, text] of outputs.join("").matchAll(sequences)) {
    if (end === "A") row -= Number(code)
    else if (end === "J") rows.splice(row)
    else {for (const part of text?.match(/\n|\r|[^\n\r]+/g) ?? []) {
        if (part === "\n") row++
        else if (part !== "\r") rows[row] = part
      }}
  }
  return rows
}

describe("redraw", () => {
  it("draws over the last picture", () => {
    const first = redraw([], [line("one"), line("two"), line("three")], size)
    const second = redraw(first.drawn, [line("1"), line("2")], size)
    assert.deepStrictEqual(screen(first.text), ["one", "two", "three"])
    assert.deepStrictEqual(screen(first.text, second.text), ["1", "2"])
  })

  it("leaves above the picture what is to stay", () => {
    const first = redraw([], [line("one"), line("two")], size)
    const second = redraw(first.drawn, [line("1"), line("2")], size, [line("note")])
    assert.deepStrictEqual(screen(first.text, second.text), ["note", "1", "2"])
  })

  it("keeps the last lines of a picture that is too tall", () => {
    const { drawn, text } = redraw([], ["a", "b", "c", "d", "e", "f"].map((text) => line(text)), size)
    assert.deepStrictEqual(screen(text), ["c", "d", "e", "f"])
    assert.lengthOf(drawn, 4)
  })

  it("cuts at the edge, and keeps the last cell", () => {
    const { text } = redraw([], [line("a long line of text")], size)
    assert.include(text, "a long li…\n")
  })

  it("goes up over what a narrower terminal has broken", () => {
    const { drawn } = redraw([], [line("12345678"), line("1")], size)
    assert.include(redraw(drawn, [line("x")], { ...size, columns: 4 }).text, "\u001b[3A")
  })
})

describe("erase", () => {
  it("takes the picture away", () => {
    const { drawn, text } = redraw([], [line("one"), line("two")], size)
    assert.deepStrictEqual(screen(text, erase(drawn, size)), [])
    assert.strictEqual(erase([], size), "")
  })
})
