import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../src/schema/JsonSchema.ts"
import { initial, variantOf, withProperty } from "../../src/schema/Values.ts"

const of = (schema: JsonObject) => initial(schema, schema)

describe("initial", () => {
  it("has the defaults, the only possible values and what is required", () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        size: { type: "integer", default: 3 },
        kind: { const: "review" },
        deep: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] },
        tags: { type: "array", items: { type: "string" } },
        other: { type: "object", properties: { x: { const: 1 } }, required: ["x"] }
      },
      required: ["name", "kind", "deep", "tags"]
    }
    assert.deepStrictEqual(of(schema), { size: 3, kind: "review", deep: { ok: false }, tags: [] })
  })

  it("is null where that is allowed, and as many entries as a list needs", () => {
    assert.isNull(of({ anyOf: [{ type: "string" }, { type: "null" }] }))
    assert.deepStrictEqual(of({ type: "array", items: { type: "boolean" }, minItems: 2 }), [false, false])
    assert.lengthOf(of({ type: "array", items: { type: "boolean" }, minItems: 1e9 }) as never, 20)
  })

  it("ends for a schema that contains itself", () => {
    const node: JsonObject = { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] }
    assert.isObject(of(node))
  })
})

describe("withProperty", () => {
  it("sets and removes", () => {
    assert.deepStrictEqual(withProperty({ a: 1 }, "b", 2), { a: 1, b: 2 })
    assert.deepStrictEqual(withProperty({ a: 1, b: 2 }, "b", undefined), { a: 1 })
  })

  it("takes __proto__ for a name", () => {
    const value = withProperty({}, "__proto__", { polluted: true })
    assert.isUndefined(({} as { polluted?: boolean }).polluted)
    assert.strictEqual(JSON.stringify(value), `{"__proto__":{"polluted":true}}`)
  })
})

describe("variantOf", () => {
  const variants = [
    { type: "object", properties: { _tag: { const: "X" }, x: { type: "string" } } },
    { type: "object", properties: { _tag: { const: "Y" }, y: { type: "boolean" } } },
    { type: "integer" }
  ]

  it.each([[{ _tag: "Y" }, 1], [{ _tag: "X", y: true }, 0], [7, 2], [null, 0], [{ y: true }, 1]])(
    "tells %j apart by its constant, then by its names",
    (value, at) => assert.strictEqual(variantOf(value as never, variants, {}), at)
  )
})
