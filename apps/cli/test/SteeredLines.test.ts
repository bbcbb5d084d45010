import { assert, describe, it } from "@effect/vitest"
import { plain } from "../src/Line.ts"
import { steeredLines } from "../src/SteeredLines.ts"
import { task } from "./support/fixtures.ts"

describe("what became of a steering", () => {
  it("names those whose work is done elsewhere", () => {
    const told = [
      { task: "a", agent: "near", how: "applied" },
      { task: "b", agent: "far", how: "sent", server: "there" },
      { task: "c", agent: "tool", how: "cannot", server: "files", why: "it is a stranger" }
    ] as const
    const steered = { ...task("a"), told }
    assert.deepStrictEqual(steeredLines(steered).map(plain), [
      `→ Steered ${steered.id}`,
      "  sent to there  far  b",
      "  not told  tool  c  it is a stranger"
    ])
  })
})
