import { assert, describe, it } from "@effect/vitest"
import { Line } from "../../src/internal/Line.ts"
import { dice } from "../support/Seed.ts"

/** Whatever is done to a line is done to an array, too. */
const compare = (seed: number, count: number) => {
  const { below } = dice(seed)
  const line = new Line<number>()
  const model: Array<number> = []
  for (let i = 0; i < count; i++) {
    const item = below(40)
    switch (below(4)) {
      case 0:
        assert.strictEqual(line.next(), model.shift())
        break
      case 1:
        assert.strictEqual(line.leave(item), model.includes(item))
        model.splice(0, model.length, ...model.filter((other) => other !== item))
        break
      default:
        line.join(item)
        if (!model.includes(item)) model.push(item)
    }
    assert.strictEqual(line.size, model.length)
  }
  const served = Array.from(model, () => line.next())
  return { served, expected: model, left: line.next() }
}

describe("a line", () => {
  it("serves in the order of coming, whoever leaves and comes again", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { expected, left, served } = compare(seed, 400)
      assert.deepStrictEqual(served, expected)
      assert.isUndefined(left)
    }
  })

  it("forgets those who left, and keeps its order", () => {
    const line = new Line<number>()
    for (let i = 0; i < 5_000; i++) line.join(i)
    for (let i = 0; i < 5_000; i++) if (i % 100 !== 0) line.leave(i)
    assert.deepStrictEqual(Array.from({ length: 50 }, () => line.next()), Array.from({ length: 50 }, (_, i) => i * 100))
    assert.strictEqual(line.size, 0)
  })
})
