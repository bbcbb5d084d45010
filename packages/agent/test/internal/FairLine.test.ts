import { assert, describe, it } from "@effect/vitest"
import { FairLine } from "../../src/internal/FairLine.ts"

const line = (...items: ReadonlyArray<string>) => {
  const made = new FairLine<string>((item) => item[0]!)
  for (const item of items) made.join(item)
  return made
}

const drain = (made: FairLine<string>): string => {
  const out: Array<string> = []
  for (let item = made.next(); item !== undefined; item = made.next()) out.push(item)
  return out.join(" ")
}

describe("FairLine", () => {
  it("serves parties in turn, each in its own order", () =>
    assert.strictEqual(drain(line("a1", "a2", "a3", "a4", "b1", "c1", "b2")), "a1 b1 c1 a2 b2 a3 a4"))

  it("lets who comes late wait for one of each other party", () => {
    const made = line("a1", "a2", "a3", "a4")
    assert.strictEqual(made.next(), "a1")
    made.join("b1")
    assert.strictEqual(drain(made), "a2 b1 a3 a4")
  })

  it("counts who waits, and forgets who has left", () => {
    const made = line("a1", "a2", "b1")
    assert.deepStrictEqual([made.size, made.sizeOf("a"), made.sizeOf("c")], [3, 2, 0])
    made.leave("b1")
    made.leave("b1")
    made.join("a1")
    assert.deepStrictEqual([made.size, made.sizeOf("b")], [2, 0])
    assert.strictEqual(drain(made), "a1 a2")
    assert.strictEqual(made.size, 0)
  })
})
