import { assert, describe, it } from "@effect/vitest"
import { cancelled, headersOf, type Message, parse } from "../../src/mcp/Message.ts"

const message = (method: string, params: object, id?: number): Message =>
  parse(JSON.stringify({ jsonrpc: "2.0", ...id === undefined ? {} : { id }, method, params }))!

const modern = { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } }

const session = { id: "s", revision: "2025-11-25" }

describe("Message", () => {
  it("is one JSON object", () => {
    for (const line of ["", "1", "[]", "null", "{", "\"x\""]) assert.isUndefined(parse(line))
    assert.deepInclude(parse("{\"id\":1,\"result\":{}}"), { method: undefined, request: undefined })
    assert.strictEqual(message("ping", {}, 0).request, 0)
  })

  it("leaves as it came, but for a call without an idempotency key", () => {
    const line = "{\"jsonrpc\":\"2.0\", \"id\":1, \"method\":\"tools/list\", \"n\":1.0}"
    assert.strictEqual(parse(line)!.text, line)
    const { _meta: first } =
      JSON.parse(message("tools/call", { name: "a", _meta: { progressToken: 1 } }, 1).text).params
    const { _meta: second } = JSON.parse(message("tools/call", { name: "a" }, 1).text).params
    assert.strictEqual(first.progressToken, 1)
    assert.match(first["dev.coppice/idempotency-key"], /^stdio-/)
    assert.notStrictEqual(first["dev.coppice/idempotency-key"], second["dev.coppice/idempotency-key"])
    const own = { name: "a", _meta: { "dev.coppice/idempotency-key": "k" } }
    assert.deepStrictEqual(JSON.parse(message("tools/call", own, 1).text).params, own)
  })

  it("tells which request is cancelled", () => {
    assert.strictEqual(cancelled(message("notifications/cancelled", { requestId: "a" })), "a")
    assert.isUndefined(cancelled(message("notifications/cancelled", {})))
    assert.isUndefined(cancelled(message("notifications/progress", { requestId: "a" })))
  })
})

describe("headersOf", () => {
  it("names the session, except where it begins", () => {
    const named = { "mcp-session-id": "s", "mcp-protocol-version": "2025-11-25" }
    assert.deepStrictEqual(headersOf(message("tools/list", {}, 1), session), named)
    assert.deepStrictEqual(headersOf(parse("{\"id\":1,\"result\":{}}")!, session), named)
    assert.deepStrictEqual(headersOf(message("initialize", {}, 1), session), {})
    assert.deepStrictEqual(headersOf(message("tools/list", {}, 1), undefined), {})
  })

  it("names method and target of a request with an envelope, whatever the session", () => {
    const common = { "mcp-protocol-version": "2026-07-28" }
    for (
      const [method, params, name] of [
        ["tools/call", { name: "greet" }, "greet"],
        ["prompts/get", { name: "p" }, "p"],
        ["resources/read", { uri: "a://b" }, "a://b"],
        ["tasks/update", { taskId: "t-1" }, "t-1"]
      ] as const
    ) {
      assert.deepStrictEqual(headersOf(message(method, { ...params, ...modern }, 1), session), {
        ...common,
        "mcp-method": method,
        "mcp-name": name
      })
    }
    assert.deepStrictEqual(headersOf(message("tools/list", modern, 1), session), {
      ...common,
      "mcp-method": "tools/list"
    })
  })

  it("writes in base64 what a header cannot carry", () => {
    const named = (name: string) => headersOf(message("tools/call", { name, ...modern }, 1), undefined)["mcp-name"]
    assert.strictEqual(named("é"), "=?base64?w6k=?=")
    assert.strictEqual(named(" a"), "=?base64?IGE=?=")
    assert.strictEqual(named("a\r\nx: y"), `=?base64?${Buffer.from("a\r\nx: y").toString("base64")}?=`)
    assert.strictEqual(named("=?base64?eA==?="), `=?base64?${Buffer.from("=?base64?eA==?=").toString("base64")}?=`)
    assert.strictEqual(named("a b"), "a b")
  })
})
