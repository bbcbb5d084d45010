import { assert, describe, it } from "@effect/vitest"
import { isToolName } from "../src/Contract.ts"

describe("isToolName", () => {
  for (const name of ["a", "Review-file_2.x", "x".repeat(128)]) {
    it(`takes ${name.slice(0, 20)}`, () => assert.isTrue(isToolName(name)))
  }
  for (const name of ["", "x".repeat(129), "a b", "a/b", "é", "a\nb", "a\n"]) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))}`, () => assert.isFalse(isToolName(name)))
  }
})
