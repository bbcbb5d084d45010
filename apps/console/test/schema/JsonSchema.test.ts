import { assert, describe, it } from "@effect/vitest"
import { fieldOf, type JsonObject } from "../../src/schema/JsonSchema.ts"

const of = (schema: JsonObject) => fieldOf(schema, schema)

describe("fieldOf", () => {
  it.each<readonly [JsonObject, string]>([
    [{ type: "string" }, "text"],
    [{ type: "integer", minimum: 1 }, "number"],
    [{ type: "boolean" }, "boolean"],
    [{ type: "string", enum: ["a", "b"] }, "choice"],
    [{ const: 3 }, "choice"],
    [{ oneOf: [{ const: "a", title: "A" }, { const: "b" }] }, "choice"],
    [{ type: "array", items: { enum: ["a"] } }, "several"],
    [{ type: "array", items: { anyOf: [{ const: "a" }] } }, "several"],
    [{ type: "array", items: { type: "string" } }, "list"],
    [{ type: "object", properties: { a: {} } }, "object"],
    [{ type: "object", additionalProperties: { type: "integer" } }, "json"],
    [{ type: "array", prefixItems: [{}] }, "json"],
    [{ anyOf: [{ type: "string" }, { type: "integer" }] }, "variants"],
    [{}, "json"],
    [{ type: ["string", "integer"] }, "json"],
    [{ type: "nonsense", properties: 7, required: "x", enum: "no" }, "json"]
  ])("takes %j for %s", (schema, kind) => assert.strictEqual(of(schema).kind, kind))

  it("knows values that may be null", () => {
    assert.include(of({ anyOf: [{ type: "string" }, { type: "null" }] }), { kind: "text", nullable: true })
    assert.include(of({ type: ["integer", "null"] }), { kind: "number", nullable: true })
  })

  it("names choices by their titles", () => {
    const field = of({ oneOf: [{ const: "a", title: "The first" }, { const: 2 }] })
    assert.deepStrictEqual(field.kind === "choice" && field.choices.map(({ title }) => title), ["The first", "2"])
  })

  it("merges what holds for all", () =>
    assert.include(of({ type: "integer", allOf: [{ minimum: 1 }, { maximum: 9 }] }), { minimum: 1, maximum: 9 }))

  it("follows references inside the schema, and no others", () => {
    const defs = { "a/b": { type: "boolean" } }
    assert.strictEqual(of({ $ref: "#/$defs/a~1b", $defs: defs }).kind, "boolean")
    for (
      const $ref of ["https://evil.test/schema", "file:///etc/passwd", "#/$defs/none", "x/$defs/a~1b", "#/__proto__/x"]
    ) {
      assert.strictEqual(of({ $ref, $defs: defs }).kind, "json")
    }
  })

  it("ends for schemas that go in circles, and for ones too deep or too wide", () => {
    assert.strictEqual(of({ $ref: "#" }).kind, "json")
    assert.strictEqual(of({ $ref: "#/$defs/a", $defs: { a: { allOf: [{ $ref: "#/$defs/a" }] } } }).kind, "json")
    const wide = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`p${at}`, { type: "string" }]))
    assert.strictEqual(of({ type: "object", properties: wide }).kind, "json")
    const list = { type: "array", items: { type: "array" } }
    assert.strictEqual(fieldOf(list, list, 8).kind, "json")
  })
})
