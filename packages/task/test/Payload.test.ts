import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { canonical, check, depthLimit, payloadLimit, sizeOf } from "../src/Payload.ts"
import { runs } from "./support/runs.ts"

/** Node 24's `JSON.parse` now and then loses one of several keys with escapes, so none of the keys here has any. */
const escaped = /["\\\p{Cc}\p{Cs}]/gu

const unescaped = (value: Schema.Json): Schema.Json => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(unescaped)
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.replaceAll(escaped, "_"), unescaped(item)])
  )
}

const AnyJson = Arbitrary.map(
  Arbitrary.schema(Schema.Json),
  (value): Schema.Json => JSON.parse(JSON.stringify(unescaped(value)))
)

/** The same value with the keys of every object in another order. */
const shuffled = (value: Schema.Json): Schema.Json => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(shuffled)
  return Object.fromEntries(Object.entries(value).reverse().map(([key, item]) => [key, shuffled(item)]))
}

const nested = (depth: number): Schema.Json => JSON.parse("[".repeat(depth) + "]".repeat(depth))

describe("canonical", () => {
  it.prop("is the same for equal values, and reads back as the value", [AnyJson], ([value]) => {
    assert.strictEqual(canonical(shuffled(value)), canonical(value))
    assert.deepStrictEqual(JSON.parse(canonical(value)), value)
  }, { arbitrary: { runs: runs(300) } })

  it("orders keys, keeps arrays, and leaves out what JSON leaves out", () => {
    assert.strictEqual(canonical({ b: [2, 1], a: { d: null, c: "x" } }), `{"a":{"c":"x","d":null},"b":[2,1]}`)
    assert.strictEqual(canonical({ a: undefined, b: 1 } as never), `{"b":1}`)
  })
})

describe("check", () => {
  it("lets pass what fits, and says how to go on with what does not", () => {
    assert.isUndefined(check("The input", "x".repeat(payloadLimit - 2)))
    const error = check("The input", "x".repeat(payloadLimit))!
    assert.match(
      error.message,
      /^The input is larger than 1048576 characters of JSON or deeper than 200 levels; store it/
    )
  })

  it("stops counting soon after the limit", () => {
    let read = 0
    const items = new Proxy(Array.from({ length: 100_000 }, () => "x".repeat(100)), {
      get: (target, key) => {
        if (typeof key === "string" && /^\d+$/.test(key)) read++
        return Reflect.get(target, key)
      }
    })
    assert.isAbove(sizeOf(items, 1_000), 1_000)
    assert.isBelow(read, 12)
  })

  it("refuses what is too deep, without a stack overflow (case 20)", () => {
    assert.isUndefined(check("It", nested(depthLimit)))
    assert.isDefined(check("It", nested(depthLimit + 1)))
    assert.isDefined(check("It", nested(100_000)))
    assert.isDefined(check("It", { a: { b: nested(depthLimit) } }))
  })

  it.prop("never counts more than twice what JSON takes", [AnyJson], ([value]) => {
    assert.isAtMost(sizeOf(value), 2 * JSON.stringify(value).length + 5)
  }, { arbitrary: { runs: runs(200) } })
})
