import { assert, describe, it } from "@effect/vitest"
import { headerMarks, paramHeaders, routingHeaders } from "../../../src/internal/client/headers.ts"

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more }) as never
const marked = (name: string, type = "string") => ({ type, "x-mcp-header": name })

describe("headers", () => {
  it("name the request, and the thing it is about", () => {
    assert.deepStrictEqual(routingHeaders("tools/call", { name: "t" }), { "mcp-method": "tools/call", "mcp-name": "t" })
    assert.deepStrictEqual(routingHeaders("tasks/get", { taskId: "1" })["mcp-name"], "1")
    assert.deepStrictEqual(routingHeaders("tools/list", {}), { "mcp-method": "tools/list" })
  })

  it("encode what would not survive, or would smuggle another header in", () => {
    const name = (text: string) => routingHeaders("tools/call", { name: text })["mcp-name"]!
    for (const text of ["a\r\nevil: 1", "ü", " padded ", "", "=?base64?YQ==?=", "\0"]) {
      assert.match(name(text), /^=\?base64\?[A-Za-z0-9+/=]*\?=$/)
      assert.strictEqual(Buffer.from(name(text).slice(9, -2), "base64").toString(), text)
    }
  })

  it("repeat marked arguments, at any depth, by their type", () => {
    const schema = object({ region: marked("Region"), inner: object({ n: marked("N", "integer") }) })
    const args = { region: "eu", inner: { n: 5 } }
    assert.deepStrictEqual(paramHeaders(headerMarks(schema)!, args), { "mcp-param-region": "eu", "mcp-param-n": "5" })
    assert.deepStrictEqual(paramHeaders(headerMarks(schema)!, { region: null }), {})
  })

  it("take an argument that is merely called like the mark for what it is", () => {
    assert.deepStrictEqual(headerMarks(object({ "x-mcp-header": { type: "string" } })), [])
  })

  const wrong = {
    "no name": object({ a: marked("") }),
    "a space": object({ a: marked("a b") }),
    "an injected header": object({ a: marked("a\r\nb") }),
    "a number": object({ a: marked("A", "number") }),
    "an object": object({ a: marked("A", "object") }),
    "the same name twice": object({ a: marked("A"), b: marked("a") }),
    "the top": object({}, marked("A")),
    "items": object({ a: { type: "array", items: marked("A") } }),
    "a choice": object({}, { oneOf: [object({ a: marked("A") })] }),
    "a definition": object({}, { $defs: { a: marked("A") } })
  }
  for (const [name, schema] of Object.entries(wrong)) {
    it(`do not take a mark with ${name}`, () => assert.isUndefined(headerMarks(schema)))
  }
})
