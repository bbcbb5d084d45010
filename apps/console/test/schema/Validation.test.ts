import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../src/schema/JsonSchema.ts"
import { fromService, validate } from "../../src/schema/Validation.ts"

const of = (schema: JsonObject, value: unknown) => Object.fromEntries(validate(schema, value as never, schema))

const object = {
  type: "object",
  properties: {
    path: { type: "string", minLength: 1 },
    count: { type: "integer", minimum: 1, maximum: 9 },
    tags: { type: "array", items: { type: "string", minLength: 2 }, maxItems: 2 },
    deep: { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] }
  },
  required: ["path", "deep"]
}

describe("validate", () => {
  it("is content with what fits", () =>
    assert.deepStrictEqual(of(object, { path: "a", count: 3, tags: ["ab"], deep: { ok: false } }), {}))

  it("names each field that does not", () =>
    assert.deepStrictEqual(of(object, { path: "", count: 1.5, tags: ["ab", "c"], deep: {} }), {
      path: "Must not be empty",
      count: "Give a whole number",
      "tags.1": "At least 2 characters",
      "deep.ok": "Required"
    }))

  it("asks for what is required and leaves the rest alone", () =>
    assert.deepStrictEqual(of(object, {}), { path: "Required", deep: "Required" }))

  it("says what it is about the whole", () => {
    assert.deepStrictEqual(of(object, []), { "": "Give an object" })
    assert.deepStrictEqual(of(object, { path: "a", deep: { ok: true }, tags: ["ab", "ab", "ab"] }), {
      tags: "At most 2"
    })
  })

  it("keeps to the variant the value is", () => {
    const schema = {
      anyOf: [
        { type: "object", properties: { _tag: { const: "X" }, x: { type: "string" } }, required: ["_tag", "x"] },
        { type: "object", properties: { _tag: { const: "Y" }, y: { type: "boolean" } }, required: ["_tag", "y"] }
      ]
    }
    assert.deepStrictEqual(of(schema, { _tag: "Y" }), { y: "Required" })
  })

  it("takes null where it may be null", () => {
    const nullable = { anyOf: [{ type: "string" }, { type: "null" }] }
    assert.deepStrictEqual(of(nullable, null), {})
    assert.deepStrictEqual(of({ type: "string" }, null), { "": "Give a text" })
  })

  it("runs no pattern", () =>
    assert.deepStrictEqual(of({ type: "string", pattern: "(a+)+$" }, `${"a".repeat(50)}!`), {}))
})

describe("fromService", () => {
  it("finds the field of an input", () =>
    assert.deepStrictEqual(
      [...fromService({
        code: "invalid_input",
        field: "input.files[2].path",
        message: `The input does not fit "review": Expected string`
      })],
      [["files.2.path", "Expected string"]]
    ))

  it("finds the fields of an answer", () =>
    assert.deepStrictEqual(
      [...fromService({
        code: "invalid_answer",
        field: "content",
        message: "The answer does not fit the question's form: a.b: Expected string; c: Missing key"
      })],
      [["a.b", "Expected string"], ["c", "Missing key"]]
    ))

  it("says the rest about the whole", () =>
    assert.deepStrictEqual([...fromService({ code: "queue_full", message: "Too many" })], [["", "Too many"]]))
})
