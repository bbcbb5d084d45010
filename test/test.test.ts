import { assert, describe, it } from "@effect/vitest"
import { verdict } from "../scripts/test.ts"

const counts = { passed: 3, failures: [], skips: [{ test: "a", why: "needs a browser" }] }
const last = (result: ReturnType<typeof verdict>) => result.lines.at(-1)

describe("verdict", () => {
  it("counts, and says why a test was skipped", () => {
    const result = verdict(counts, undefined, false)
    assert.deepStrictEqual(result.lines, ["skipped: a: needs a browser", "3 passed, 0 failed, 1 skipped"])
    assert.isTrue(result.good)
  })

  it("fails when vitest never came to its end", () => {
    const result = verdict(undefined, "SIGKILL", false)
    assert.strictEqual(last(result), "0 passed, 1 failed, 0 skipped")
    assert.isFalse(result.good)
  })

  it("fails when vitest fails although no test did", () =>
    assert.strictEqual(last(verdict(counts, "exit 1", false)), "3 passed, 1 failed, 1 skipped"))

  it("fails when nothing ran", () =>
    assert.isFalse(verdict({ passed: 0, failures: [], skips: [] }, undefined, false).good))

  it("counts a silent skip as failed, unless the run was narrowed down", () => {
    const silent = { passed: 1, failures: [], skips: [{ test: "b", why: undefined }] }
    assert.strictEqual(last(verdict(silent, undefined, false)), "1 passed, 1 failed, 0 skipped")
    assert.strictEqual(last(verdict(silent, undefined, true)), "1 passed, 0 failed, 1 skipped")
  })
})
