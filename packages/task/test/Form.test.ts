import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { checkAnswer } from "../src/Form.ts"
import { runs } from "./support/runs.ts"

/** What the check says; `ok` when the answer fits. */
const verdict = (form: unknown, content: unknown): string =>
  Result.match(checkAnswer(form as Schema.JsonObject | null, content as Schema.Json), {
    onFailure: ({ message }) => message,
    onSuccess: () => "ok"
  })

/** A form of one field. */
const field = (schema: Schema.JsonObject) => ({ type: "object", properties: { field: schema }, required: ["field"] })

describe("checkAnswer", () => {
  const rows: ReadonlyArray<readonly [Schema.JsonObject, unknown, string]> = [
    [{ type: "string" }, "x", "ok"],
    [{ type: "string" }, 1, "field: Expected string"],
    [{ type: "string", minLength: 3 }, "xy", "field: Expected a string with at least 3 code points"],
    [{ type: "string", pattern: "^[a-z]+$" }, "A", "field: Expected a string matching the RegExp ^[a-z]+$"],
    [{ type: "boolean" }, "true", "field: Expected boolean"],
    [{ type: "integer" }, 1.5, "field: Expected an integer"],
    [{ type: "number", minimum: 1, maximum: 3 }, 5, "field: Expected a value less than or equal to 3"],
    [{ type: "string", enum: ["a", "b"], enumNames: ["A", "B"] }, "c", `field: Expected "a" | "b"`],
    [{ type: "string", oneOf: [{ const: "a", title: "A" }, { const: "b", title: "B" }] }, "b", "ok"],
    [
      { type: "string", oneOf: [{ const: "a", title: "A" }, { const: "b", title: "B" }] },
      "c",
      `field: Expected "a" | "b"`
    ],
    [{ type: "array", items: { type: "string", enum: ["a"] } }, ["a", "x"], `field.1: Expected "a"`]
  ]
  for (const [schema, content, expected] of rows) {
    it(`${JSON.stringify(schema)} on ${JSON.stringify(content)}`, () =>
      assert.strictEqual(verdict(field(schema), { field: content }), expected))
  }

  it("names every field that does not fit", () => {
    const form = { type: "object", properties: { a: { type: "string" }, b: { type: "number" } }, required: ["a", "b"] }
    assert.strictEqual(verdict(form, { a: 1 }), "a: Expected string; b: Missing key")
    assert.strictEqual(verdict(form, null), "Expected object")
  })

  it("reads a form made from a schema, with definitions", () => {
    const Part = Schema.Struct({ n: Schema.Int }).annotate({ identifier: "Part" })
    const document = Schema.toJsonSchemaDocument(Schema.Struct({ go: Schema.Boolean, part: Part }))
    const form = { ...document.schema, $defs: document.definitions }
    assert.strictEqual(verdict(form, { go: true, part: { n: 1 } }), "ok")
    assert.strictEqual(verdict(form, { go: true, part: { n: "1" } }), "part.n: Expected number")
  })

  it("accepts any object for a form that cannot be read, and reads as much of it as it can", () => {
    for (const schema of [{ $ref: "https://example.org/schema" }, { not: { type: "string" } }, { type: "nonsense" }]) {
      assert.strictEqual(verdict(field(schema), { field: 1 }), "ok")
      assert.strictEqual(verdict(field(schema), "text"), "Expected object")
    }
    assert.strictEqual(verdict(field({ type: "string", pattern: "(" }), { field: "x" }), "ok")
    assert.strictEqual(verdict(field({ type: "string", pattern: "(" }), { field: 1 }), "field: Expected string")
  })

  it("accepts everything where there is no form", () => assert.strictEqual(verdict(null, 1), "ok"))

  it("leaves the prototype alone (case 25)", () => {
    verdict(field({ type: "string" }), JSON.parse(`{"__proto__": {"polluted": 1}, "field": "x", "constructor": 1}`))
    assert.notProperty({}, "polluted")
  })

  it.prop("never throws, whatever the form and the answer", [
    Arbitrary.schema(Schema.JsonObject),
    Arbitrary.schema(Schema.Json)
  ], ([form, content]) => {
    assert.isString(verdict(form, content))
    assert.isString(verdict(field(form), { field: content }))
  }, { arbitrary: { runs: runs(200) } })
})
