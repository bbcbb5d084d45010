import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { depthLimit, measure, readJson, valueLimit } from "../src/Guard.ts"

const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text)).buffer

describe("readJson", () => {
  it.effect.each([`{"a":1}`, "[]", `"text"`, "null", `{"a":"__proto__"}`, `{"constructor":{"prototype":1}}`])(
    "passes %s on as it is",
    (text) => Effect.map(readJson(bytes(text)), (read) => assert.strictEqual(read, text))
  )

  it.effect("takes an empty body for an empty object", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* readJson(bytes("")), "{}")
      assert.strictEqual(yield* readJson(bytes(" \n")), "{}")
    }))

  it.effect.each(
    [
      ["{", "The body is not valid JSON"],
      ["{'a':1}", "The body is not valid JSON"],
      ["{\"a\":1}\u0000", "The body is not valid JSON"],
      [`{"__proto__":1}`, "The key \"__proto__\" is not allowed"],
      [`[{"a":{"__proto__":1}}]`, "The key \"__proto__\" is not allowed"],
      [`{"_\\u005fproto__":1}`, "The key \"__proto__\" is not allowed"]
    ] as const
  )("refuses %s", ([text, message]) =>
    Effect.gen(function*() {
      const { error } = yield* Effect.flip(readJson(bytes(text)))
      assert.include(error.message, message)
      assert.strictEqual(error.code, "invalid_json")
    }))

  it.effect("refuses bytes that are no UTF-8", () =>
    Effect.gen(function*() {
      const { error } = yield* Effect.flip(readJson(Uint8Array.from([0x22, 0xff, 0x22]).buffer))
      assert.strictEqual(error.message, "The body is not valid UTF-8")
    }))
})

describe("measure", () => {
  it("bounds depth, whatever stands in strings", () => {
    assert.isUndefined(measure("[".repeat(depthLimit) + "]".repeat(depthLimit)))
    assert.include(measure("[".repeat(depthLimit + 1))!, "nested deeper")
    assert.include(measure("{\"a\":".repeat(depthLimit + 1))!, "nested deeper")
    assert.isUndefined(measure(JSON.stringify({ text: "[{\"\\".repeat(1_000) })))
    assert.isUndefined(measure("[],".repeat(1_000)))
  })

  it("bounds the number of values", () => {
    assert.isUndefined(measure("0,".repeat(valueLimit - 1)))
    assert.include(measure("0,".repeat(valueLimit + 1))!, "more than")
  })
})
