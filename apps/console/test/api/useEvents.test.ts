import type { Envelope } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { append, type EventPages } from "../../src/api/useEvents.ts"

const fact = (seq: number): Envelope => ({ seq }) as never

const pages = (more: boolean): EventPages => ({
  pageParams: [],
  pages: [{ events: [fact(4), fact(7)], next: 7, more }]
})

describe("append", () => {
  it("adds what came after the last fact, once", () => {
    const grown = append(pages(false), [fact(7), fact(9)])
    assert.deepStrictEqual(grown.pages[0]!.events.map(({ seq }) => seq), [4, 7, 9])
    assert.strictEqual(append(grown, [fact(9)]), grown)
  })

  it("leaves a history alone that has not been read to its end", () => {
    const some = pages(true)
    assert.strictEqual(append(some, [fact(9)]), some)
  })
})
