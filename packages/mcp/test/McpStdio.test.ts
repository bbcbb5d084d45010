import { assert, describe, it } from "@effect/vitest"
import { StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import * as Effect from "effect/Effect"
import { PassThrough } from "node:stream"
import { McpServer } from "../src/McpServer.ts"
import * as McpStdio from "../src/McpStdio.ts"
import * as Bench from "./support/Bench.ts"
import type { Message } from "./support/Inbox.ts"

const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/tasks": {} } }
}

/** A connection in lines, whatever they say. */
const connect = Effect.gen(function*() {
  yield* Bench.make("stdio")
  const server = yield* McpServer
  const [toServer, toClient] = [new PassThrough(), new PassThrough()]
  McpStdio.serve(
    server,
    { principal: "alice", isIdentified: true, by: "alice" },
    new StdioServerTransport(toServer, toClient)
  )
  const lines: AsyncIterator<string> = toClient.setEncoding("utf8")[Symbol.asyncIterator]()
  const heard: Array<Message> = []
  const next = async (): Promise<Message> => {
    while (heard.length === 0) {
      const { value } = await lines.next()
      heard.push(...String(value).trim().split("\n").map((line) => JSON.parse(line)))
    }
    return heard.shift()!
  }
  const write = (line: string): void => void toServer.write(`${line}\n`)
  const request = (id: unknown, method: string, params: object = {}): void =>
    write(JSON.stringify({ jsonrpc: "2.0", id, method, params: { ...params, _meta: envelope } }))
  return { write, request, next, close: () => toServer.end() }
})

describe("McpStdio", () => {
  it.effect("passes over what is no message, and goes on", () =>
    Effect.gen(function*() {
      const { close, next, request, write } = yield* connect
      request(1, "server/discover")
      assert.strictEqual((yield* Effect.promise(next)).id, 1)
      const garbage = [
        "",
        "{",
        "null",
        "7",
        "[]",
        "{}",
        "\"text\"",
        "{\"jsonrpc\":\"2.0\"}",
        "\u0000",
        "\r",
        "[[[[",
        "a".repeat(1_000_000)
      ]
      garbage.forEach(write)
      write("{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}")
      request(2, "tools/list")
      let last = yield* Effect.promise(next)
      // what can be answered may be
      while (last.id !== 2) {
        assert.isDefined(last.error, JSON.stringify(last))
        last = yield* Effect.promise(next)
      }
      assert.isArray(last.result.tools)
      close()
    }).pipe(Effect.provide(Bench.layer)))

  it.effect("takes one subscription of an id, and no more than a thousand", () =>
    Effect.gen(function*() {
      const { close, next, request } = yield* connect
      const listen = (id: number) => request(id, "subscriptions/listen", { notifications: { taskIds: [] } })
      for (let id = 1; id <= 1_000; id++) listen(id)
      for (let id = 1; id <= 1_000; id++) {
        const { method, params } = yield* Effect.promise(next)
        assert.strictEqual(method, "notifications/subscriptions/acknowledged")
        assert.strictEqual(params._meta["io.modelcontextprotocol/subscriptionId"], id)
      }
      listen(1_001)
      listen(7)
      const codes = [yield* Effect.promise(next), yield* Effect.promise(next)].map(({ error }) => error?.code)
      assert.deepStrictEqual(codes, [-32603, -32600])
      request(2_000, "tools/list")
      assert.strictEqual((yield* Effect.promise(next)).id, 2_000)
      close()
    }).pipe(Effect.provide(Bench.layer)))
})
