import { assert, describe, it } from "@effect/vitest"
import { tokenFrom, tokenIn } from "../../src/session/Token.ts"

describe("Token", () => {
  it.each([["#token=abc", "abc"], ["#token=a%2Bb&x=1", "a+b"], ["#x=1", undefined], ["", undefined], [
    "#token=",
    undefined
  ]])(
    "reads the fragment %s",
    (hash, token) => assert.strictEqual(tokenIn(hash), token)
  )

  it.each([
    [" abc\n", "abc"],
    ["http://127.0.0.1:4280/#token=abc", "abc"],
    ["http://127.0.0.1:4280/runs/1#token=abc", "abc"]
  ])("takes what a person pastes: %s", (pasted, token) => assert.strictEqual(tokenFrom(pasted), token))
})
