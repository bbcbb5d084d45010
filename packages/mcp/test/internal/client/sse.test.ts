import { assert, describe, it } from "@effect/vitest"
import { type SseEvent, SseReader } from "../../../src/internal/client/sse.ts"

const text = "id: 1\nretry: 50\ndata: a\ndata: b\n\n: comment\r\ndata:c\r\n\r\nevent: x\rdata: d\r\r"

const read = (chunks: ReadonlyArray<string>) => {
  const events: Array<SseEvent> = []
  const reader = new SseReader(1_000, (event) => events.push(event))
  for (const chunk of chunks) assert.isTrue(reader.push(chunk))
  return { events, reader }
}

describe("server-sent events", () => {
  it("are read alike however they are cut", () => {
    const whole = read([text, "\n"])
    const letters = read([...text.split(""), "\n"])
    assert.deepStrictEqual(whole.events.map(({ data }) => data), ["a\nb", "c", "d"])
    assert.deepStrictEqual(letters.events, whole.events)
    assert.deepStrictEqual([whole.reader.lastId, whole.reader.retry], ["1", 50])
  })

  it("have a bound, whether or not their lines end", () => {
    const reader = new SseReader(10, () => {})
    assert.isFalse(reader.push("data: 12345678901\n"))
    assert.isFalse(new SseReader(10, () => {}).push("data: 123456789"))
  })
})
