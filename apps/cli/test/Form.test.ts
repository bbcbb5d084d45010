import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { contentOf, fieldsOf, hintOf, readText, readTicks, showValue } from "../src/Form.ts"
import { approval } from "./support/fixtures.ts"

/** The form as `Human.ask` makes it of a schema. */
const formOf = (schema: Schema.Top): Schema.JsonObject => {
  const { definitions, schema: form } = Schema.toJsonSchemaDocument(schema)
  return { ...form, $defs: definitions } as Schema.JsonObject
}

const fieldOf = (schema: Schema.JsonObject) =>
  fieldsOf({ type: "object", properties: { x: schema }, required: ["x"] })[0]!

const errorOf = (schema: Schema.JsonObject, text: string) =>
  Result.match(readText(fieldOf(schema), text), { onSuccess: () => undefined, onFailure: (error) => error })

describe("fieldsOf", () => {
  it("reads a form in its order", () => {
    const [approve, reason] = fieldsOf(approval)
    assert.deepInclude(approve!, { key: "approve", title: "approve", isRequired: true })
    assert.strictEqual(hintOf(approve!), "one of yes, no")
    assert.strictEqual(hintOf(reason!), "text, optional")
  })

  it("reads what schemas of effect become", () => {
    const fields = fieldsOf(formOf(Schema.Struct({
      level: Schema.Literals(["low", "high"]),
      count: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
      ratio: Schema.optionalKey(Schema.Finite),
      note: Schema.NullOr(Schema.String),
      name: Schema.String.check(Schema.isMinLength(2)).annotate({ title: "Your name" }),
      tags: Schema.Array(Schema.Literals(["a", "b"]))
    })))
    assert.deepStrictEqual(fields.map((field) => `${field.title}: ${hintOf(field)}`), [
      "level: one of low, high",
      "count: a whole number from 1 to 5",
      "ratio: a number, optional",
      "note: text, optional",
      "Your name: text",
      "tags: some of a, b"
    ])
  })

  it("reads what MCP elicitation allows", () => {
    const fields = fieldsOf({
      type: "object",
      properties: {
        old: { type: "string", enum: ["s", "l"], enumNames: ["small", "large"] },
        titled: {
          type: "string",
          oneOf: [{ const: "s", title: "small" }, { const: "l", title: "large" }],
          default: "l"
        },
        many: {
          type: "array",
          items: { anyOf: [{ const: 1, title: "one" }, { const: 2, title: "two" }] },
          minItems: 1
        },
        mail: { type: "string", format: "email", title: "E-mail", description: "where to" }
      }
    })
    assert.deepStrictEqual(fields.map(hintOf), [
      "one of small, large, optional",
      "one of small, large, optional",
      "some of one, two, optional",
      "an e-mail address, optional"
    ])
    assert.strictEqual(fields[1]!.initial, "l")
    assert.strictEqual(fields[3]!.description, "where to")
  })

  it("follows references, and does not follow them for ever", () => {
    const form = {
      $ref: "#/$defs/Form",
      $defs: { Form: { type: "object", properties: { x: { $ref: "#/$defs/X" } } }, X: { $ref: "#/$defs/X" } }
    }
    assert.deepStrictEqual(fieldsOf(form).map(hintOf), ["JSON, optional"])
  })

  it("asks what it does not know as JSON", () => {
    assert.strictEqual(hintOf(fieldOf({ type: "object", properties: {} })), "JSON")
    assert.isUndefined(errorOf({ type: "object" }, "{\"a\":1}"))
    assert.strictEqual(errorOf({ type: "object" }, "{a"), "must be JSON")
  })

  it("knows answers that are no object", () => {
    const fields = fieldsOf({ type: "boolean" })
    assert.strictEqual(fields[0]?.key, null)
    assert.strictEqual(contentOf(fields, [true]), true)
  })

  it("knows questions without a form", () => {
    assert.deepStrictEqual(fieldsOf(null), [])
    assert.deepStrictEqual(fieldsOf({ type: "object", properties: {} }), [])
  })
})

describe("readText", () => {
  it("checks numbers", () => {
    const limits = { type: "integer", minimum: 1, exclusiveMaximum: 5 } as const
    assert.isUndefined(errorOf(limits, " 4 "))
    assert.strictEqual(errorOf(limits, "5"), "must be less than 5")
    assert.strictEqual(errorOf(limits, "0"), "must be at least 1")
    assert.strictEqual(errorOf(limits, "1.5"), "must be a whole number")
    assert.strictEqual(errorOf(limits, "many"), "must be a whole number")
    assert.strictEqual(errorOf({ type: "number" }, "x"), "must be a number")
  })

  it("checks texts", () => {
    assert.strictEqual(errorOf({ type: "string" }, " "), "must not be empty")
    assert.strictEqual(errorOf({ type: "string", minLength: 3 }, "日本"), "at least 3 characters")
    assert.strictEqual(errorOf({ type: "string", maxLength: 2 }, "abc"), "at most 2 characters")
    assert.strictEqual(errorOf({ type: "string", pattern: "^a" }, "b"), "must match ^a")
    assert.strictEqual(errorOf({ type: "string", format: "email" }, "ada"), "must be an e-mail address")
    assert.isUndefined(errorOf({ type: "string", pattern: "(" }, "anything"))
  })

  it("lets what is optional be left out", () => {
    const [, reason] = fieldsOf(approval)
    assert.deepStrictEqual(readText(reason!, ""), Result.succeed(undefined))
    assert.deepStrictEqual(contentOf(fieldsOf(approval), [true, undefined]), { approve: true })
  })
})

describe("readTicks", () => {
  it("counts", () => {
    const kind = {
      _tag: "Choices",
      options: [{ value: 1, title: "one" }, { value: 2, title: "two" }],
      min: 1,
      max: 1
    } as const
    assert.deepStrictEqual(readTicks(kind, new Set([1])), Result.succeed([2]))
    assert.deepStrictEqual(readTicks(kind, new Set()), Result.fail("choose at least 1"))
    assert.deepStrictEqual(readTicks(kind, new Set([0, 1])), Result.fail("choose at most 1"))
  })
})

describe("showValue", () => {
  it("says titles, not values", () => {
    assert.strictEqual(showValue(fieldOf({ type: "boolean" }), false), "no")
    assert.strictEqual(showValue(fieldOf({ type: "string" }), undefined), "–")
  })
})
