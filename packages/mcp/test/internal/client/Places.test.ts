import { assert, describe, it } from "@effect/vitest"
import { Places } from "../../../src/internal/client/Places.ts"

describe("places", () => {
  it("go to those who wait, in the order of their coming", () => {
    const places = new Places(2, 10)
    const began: Array<number> = []
    const leave = [1, 2, 3, 4].map((n) => places.enter(() => began.push(n)))
    assert.deepStrictEqual([began, places.waiting, places.isFree], [[1, 2], 2, false])
    leave[2]!()
    leave[0]!()
    assert.deepStrictEqual([began, places.waiting], [[1, 2, 4], 0])
  })

  it("are given back once", () => {
    const places = new Places(1, 10)
    const leave = places.enter(() => {})
    leave()
    leave()
    places.enter(() => {})
    assert.isFalse(places.isFree)
  })

  it("call back when there is room, at once or later", () => {
    const places = new Places(1, 1)
    let calls = 0
    places.whenRoom(() => calls++)
    const leave = places.enter(() => {})
    places.enter(() => {})
    places.whenRoom(() => calls++)
    assert.strictEqual(calls, 1)
    leave()
    assert.strictEqual(calls, 2)
  })

  it("send everybody away when they close", () => {
    const places = new Places(1, 0)
    places.enter(() => {})
    let calls = 0
    places.whenRoom(() => calls++)
    places.close()
    assert.strictEqual(calls, 1)
  })
})
