import { assert, describe, it } from "@effect/vitest"
import { wantsColors } from "../src/NodeHost.ts"

describe("wantsColors", () => {
  it("follows the terminal", () => {
    assert.isTrue(wantsColors({}, true))
    assert.isFalse(wantsColors({}, false))
  })

  it("can be forced", () => {
    assert.isTrue(wantsColors({ FORCE_COLOR: "1" }, false))
    assert.isTrue(wantsColors({ FORCE_COLOR: "" }, false))
    assert.isFalse(wantsColors({ FORCE_COLOR: "0" }, true))
  })

  it("can be refused, and that wins", () => {
    assert.isFalse(wantsColors({ NO_COLOR: "1", FORCE_COLOR: "1" }, true))
    assert.isTrue(wantsColors({ NO_COLOR: "" }, true))
  })
})
