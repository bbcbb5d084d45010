import { assert, describe, it } from "@effect/vitest"
import { Lines } from "../../../src/internal/client/lines.ts"

describe("lines", () => {
  it("are put together from pieces, also of one letter", () => {
    const lines: Array<string> = []
    const reader = new Lines(100, (line) => lines.push(line))
    const bytes = Buffer.from("one\r\nzwö\n\nthree")
    for (const byte of bytes) assert.isTrue(reader.push(Buffer.from([byte])))
    assert.deepStrictEqual(lines, ["one", "zwö"])
  })

  it("have a bound", () => {
    const reader = new Lines(4, () => {})
    assert.isTrue(reader.push(Buffer.from("1234\n12")))
    assert.isFalse(reader.push(Buffer.from("345")))
  })
})
