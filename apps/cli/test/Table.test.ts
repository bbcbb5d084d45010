import { assert, describe, it } from "@effect/vitest"
import { empty, line, lineWidth } from "../src/Line.ts"
import { table } from "../src/Table.ts"
import { texts } from "./support/fixtures.ts"

const columns = [{ title: "ID" }, { title: "AGE", align: "right" }, { title: "TEXT", shrinks: 6 }] as const

const rows = [
  [line("a1"), line("12s"), line("a rather long text")],
  [line("b2"), line("3m"), line("日本語")],
  [line("c3"), line("now"), empty]
]

describe("table", () => {
  it("lines up", () =>
    assert.deepStrictEqual(texts(table(columns, rows, 80)), [
      "ID  AGE  TEXT",
      "a1  12s  a rather long text",
      "b2   3m  日本語",
      "c3  now"
    ]))

  it("shrinks what may shrink", () =>
    assert.deepStrictEqual(texts(table(columns, rows, 18)), [
      "ID  AGE  TEXT",
      "a1  12s  a rather…",
      "b2   3m  日本語",
      "c3  now"
    ]))

  it("never is wider than the terminal", () => {
    for (let width = 1; width < 40; width++) {
      for (const spans of table(columns, rows, width)) assert.isAtMost(lineWidth(spans), width)
    }
  })
})
