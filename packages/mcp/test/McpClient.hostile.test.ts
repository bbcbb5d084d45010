/**
 * Servers that say what no server should, over HTTP. The client tells what is wrong, and goes on.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as McpClient from "../src/McpClient.ts"

type Reply = (response: ServerResponse, id: unknown) => void

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

const result = (id: unknown, value: object) => ({ jsonrpc: "2.0", id, result: value })
const fine = { resultType: "complete", content: [{ type: "text", text: "fine" }] }

/** A server of 2026-07-28 whose answers to `tools/call` the test makes up, one after the other. */
const against = (...replies: ReadonlyArray<Reply>) =>
  Effect.gen(function*() {
    let calls = 0
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk) => body += chunk).on("end", () => {
        const { id, method } = JSON.parse(body)
        if (method === "server/discover") {
          const capabilities = { tools: {} }
          return json(response, result(id, { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities }))
        }
        if (method === "tools/list") {
          return json(
            response,
            result(id, { resultType: "complete", tools: [{ name: "t", inputSchema: { type: "object" } }] })
          )
        }
        return (replies[calls++] ?? ((response, id) => json(response, result(id, fine))))(response, id)
      })
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(() => {
          server.closeAllConnections()
          return new Promise((resolve) => server.close(resolve))
        })
    )
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp?token=hush`
    const client = yield* McpClient.make({ name: "hostile", endpoint: { _tag: "Http", url }, limit: 100_000 })
    return { call: client.run("t", {}), calls: () => calls }
  })

const sse = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" })

const kept: Record<string, Reply> = {
  "InvalidReply: no JSON": (response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.end("{ not json")
  },
  "InvalidReply: another content type": (response) => {
    response.writeHead(200, { "content-type": "text/html" })
    response.end("<p>Hello</p>")
  },
  "InvalidReply: a reply to somebody else": (response) => json(response, result("other", fine)),
  "InvalidReply: a result without content": (response, id) => json(response, result(id, { resultType: "complete" })),
  "InvalidReply: content that is no list": (response, id) => json(response, result(id, { ...fine, content: "text" })),
  "InvalidReply: a task without an id": (response, id) =>
    json(response, result(id, { resultType: "task", status: "working" })),
  "InvalidReply: an unknown status": (response, id) =>
    json(response, result(id, { resultType: "task", taskId: "1", status: "thinking" })),
  "TooLarge: a body": (response, id) =>
    json(response, result(id, { ...fine, content: [{ type: "text", text: "x".repeat(200_000) }] })),
  "TooLarge: a body in pieces": (response) => {
    response.writeHead(200, { "content-type": "application/json" })
    response.write("\"")
    response.end("x".repeat(200_000))
  },
  "TooLarge: an event": (response) => {
    sse(response).write(`data: ${"x".repeat(200_000)}`)
  },
  "OutcomeUnknown: a stream that ends": (response) => {
    sse(response).end(": nothing\n\n")
  },
  "OutcomeUnknown: a cut in the middle": (response) => {
    sse(response).write("data: {\"jsonrpc\"")
    response.socket!.destroy()
  },
  "Http: trouble": (response) => json(response, { oops: true }, 500),
  "Http: a redirect": (response) => {
    response.writeHead(302, { location: "http://169.254.169.254/" }).end()
  },
  "Unauthorized: no token": (response) => {
    response.writeHead(401).end()
  },
  "Rpc: an error without an id": (response) =>
    json(response, { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "bad" } }, 400)
}

describe("a reply that is wrong", () => {
  for (const [name, reply] of Object.entries(kept)) {
    it.live(name, () =>
      Effect.gen(function*() {
        const { call, calls } = yield* against(reply)
        const error = yield* Effect.flip(call)
        assert.strictEqual(error.reason._tag, name.split(":")[0])
        assert.strictEqual(calls(), 1)
        assert.notInclude(error.message, "hush")
        assert.strictEqual((yield* call)._tag, "Completed")
      }))
  }
})

describe("a reply that is odd", () => {
  it.live("may name members as prototypes do", () =>
    Effect.gen(function*() {
      const text = "{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":{\"polluted\":true}}}"
      const { call } = yield* against((response, id) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.end(
          `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"__proto__":{"polluted":true},"result":` +
            `{"content":[],"structuredContent":${text},"_meta":${text}}}`
        )
      })
      const end = yield* call
      assert.strictEqual(JSON.stringify(end._tag === "Completed" && end.result.structuredContent), text)
      assert.notProperty({}, "polluted")
    }))

  it.live("may be nested deeper than anybody reads", () =>
    Effect.gen(function*() {
      const { call } = yield* against((response, id) => {
        response.writeHead(200, { "content-type": "application/json" })
        const deep = "[".repeat(10_000) + "]".repeat(10_000)
        response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"structuredContent":${deep}}}`)
      })
      assert.strictEqual((yield* call)._tag, "Completed")
    }))

  it.live("may come with a comment, a notification and an event of another kind before it", () =>
    Effect.gen(function*() {
      const { call } = yield* against((response, id) => {
        const note = { jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x" } }
        sse(response).write(`: hello\n\ndata: ${JSON.stringify(note)}\n\n`)
        response.end(`data: nonsense\n\ndata: ${JSON.stringify(result(id, fine))}\n\n`)
      })
      assert.strictEqual((yield* call)._tag, "Completed")
    }))

  it.live("may say that it is too busy, and when to come again", () =>
    Effect.gen(function*() {
      const busy: Reply = (response) => void response.writeHead(429, { "retry-after": "0" }).end()
      const { call, calls } = yield* against(busy, busy)
      assert.strictEqual((yield* call)._tag, "Completed")
      assert.strictEqual(calls(), 3)
    }))

  it.live("may never come: who stops waiting is free", () =>
    Effect.gen(function*() {
      let closed = () => {}
      const whenClosed = new Promise<void>((resolve) => closed = resolve)
      let asked = () => {}
      const whenAsked = new Promise<void>((resolve) => asked = resolve)
      const { call } = yield* against((response) => {
        response.on("close", closed)
        asked()
      })
      const fiber = yield* Effect.forkChild(call)
      yield* Effect.promise(() => whenAsked)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => whenClosed)
    }))
})

describe("ten thousand calls at once", () => {
  it.live("wait for a connection and all come back", () =>
    Effect.gen(function*() {
      const { call, calls } = yield* against()
      const ends = yield* Effect.forEach(Array.from({ length: 10_000 }), () => call, { concurrency: "unbounded" })
      assert.isTrue(ends.every(({ _tag }) => _tag === "Completed"))
      assert.strictEqual(calls(), 10_000)
    }), 60_000)
})
