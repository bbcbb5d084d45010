import { assert, describe, it } from "@effect/vitest"
import { nearest } from "../src/Nearest.ts"

describe("nearest", () => {
  const agents = ["review", "migrate", "summarise", "a"]
  for (
    const [word, expected] of [
      ["reviw", "review"],
      ["veriew", "review"],
      ["erveiw", "review"],
      ["REVIEW", "review"],
      ["mirgate", "migrate"],
      ["sumarize", "summarise"],
      ["deploy", undefined],
      ["", "a"]
    ] as const
  ) {
    it(`${word} means ${expected}`, () => assert.strictEqual(nearest(word, agents), expected))
  }

  it("means nothing where there is nothing", () => assert.isUndefined(nearest("x", [])))
})
