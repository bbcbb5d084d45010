import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { PassThrough, Readable } from "node:stream"
import { read, write } from "../../src/mcp/Lines.ts"

const linesOf = async (...chunks: ReadonlyArray<string | Buffer>) => {
  const lines: Array<string | undefined> = []
  for await (const line of read(Readable.from(chunks, { objectMode: false }))) lines.push(line)
  return lines
}

describe("Lines", () => {
  it("are whole, whatever the pieces", async () => {
    const snow = Buffer.from("\"☃\"\n")
    assert.deepStrictEqual(
      await linesOf("{\"a\":", "1}\n\n{}\r\n", snow.subarray(0, 2), snow.subarray(2), "last"),
      ["{\"a\":1}", "{}\r", "\"☃\"", "last"]
    )
    assert.deepStrictEqual(await linesOf(), [])
  })

  it("are bounded, and the one after is read", async () => {
    const piece = "x".repeat(1024 * 1024)
    assert.deepStrictEqual(await linesOf(piece, piece, piece, piece, piece, piece, "\n{}\n"), [undefined, "{}"])
    assert.deepStrictEqual(await linesOf(`${piece.repeat(5)}\n{}\n`), [undefined, "{}"])
  })

  it("are written one at a time, and no faster than they are read", async () => {
    const output = new PassThrough({ highWaterMark: 4 })
    let isWritten = false
    const written = write(output, "{\n  \"a\": 1\n}").then(() => {
      isWritten = true
    })
    await Promise.resolve()
    assert.isFalse(isWritten)
    const [chunk] = await once(output, "data") as [Buffer]
    await written
    assert.strictEqual(String(chunk), "{\"a\":1}\n")
  })
})
