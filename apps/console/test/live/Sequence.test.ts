import { assert, describe, it } from "@effect/vitest"
import { accept, jump, start } from "../../src/live/Sequence.ts"

const verdicts = (places: ReadonlyArray<number>) => {
  let sequence = start
  return places.map((place) => {
    const [verdict, next] = accept(sequence, place)
    sequence = next
    return verdict
  })
}

describe("Sequence", () => {
  it("takes what comes in order", () => assert.deepStrictEqual(verdicts([7, 8, 9]), ["next", "next", "next"]))

  it("knows what it has had", () =>
    assert.deepStrictEqual(verdicts([7, 7, 6, 8]), ["next", "duplicate", "duplicate", "next"]))

  it("sees a hole once and goes on behind it", () =>
    assert.deepStrictEqual(verdicts([7, 9, 10]), ["next", "gap", "next"]))

  it("counts both", () => {
    let sequence = jump(start, 4)
    for (const place of [5, 5, 8, 2]) [, sequence] = accept(sequence, place)
    assert.deepStrictEqual(sequence, { last: 8, gaps: 1, duplicates: 2 })
  })

  it("goes on from where it was put", () => assert.strictEqual(accept(jump(start, 41), 42)[0], "next"))
})
