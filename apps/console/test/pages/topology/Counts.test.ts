import { assert, describe, it } from "@effect/vitest"
import { inWords, short, toneOf } from "../../../src/pages/topology/Counts.ts"

describe("Counts", () => {
  it("says first what waits for a person", () => {
    assert.strictEqual(
      inWords({ completed: 1_200, working: 3, input_required: 1 }),
      "1 needs input, 3 working, 1,200 completed"
    )
    assert.strictEqual(inWords({}), "no tasks")
  })

  it("has the tone of what is going on, else of what went wrong", () => {
    assert.strictEqual(toneOf({ completed: 9, working: 1, failed: 1 }), "working")
    assert.strictEqual(toneOf({ completed: 9, failed: 1 }), "bad")
    assert.strictEqual(toneOf({ completed: 9 }), "off")
  })

  it("is short", () => assert.deepStrictEqual([999, 1_240, 9_960, 34_400].map(short), ["999", "1.2k", "10k", "34k"]))
})
