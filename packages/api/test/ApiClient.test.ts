/// <reference types="node" />
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as ApiClient from "../src/ApiClient.ts"
import * as ApiError from "../src/ApiError.ts"

/** A server that answers every request alike. */
const answering = (handle: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer(handle).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`))

const failureOf = Effect.fnUntraced(function*(url: string) {
  const client = yield* ApiClient.make({ url, token: "t" })
  return ApiClient.describe(yield* Effect.flip(client.tasks.get({ params: { id: "x" } })), url)
})

describe("ApiClient", () => {
  it.live("sends the token, and no trace context", () =>
    Effect.gen(function*() {
      const seen: Array<IncomingMessage["headers"]> = []
      const url = yield* answering(({ headers }, response) => {
        seen.push(headers)
        response.writeHead(404, { "content-type": "application/json" })
        response.end(JSON.stringify({ error: { code: "task_not_found", message: "No task \"x\"" } }))
      })
      assert.deepStrictEqual(yield* failureOf(url), { code: "task_not_found", message: "No task \"x\"" })
      assert.strictEqual(seen[0]?.authorization, "Bearer t")
      assert.isUndefined(seen[0]?.["traceparent"])
    }))

  it.live("keeps a code a newer service knows", () =>
    Effect.gen(function*() {
      const url = yield* answering((_, response) => {
        response.writeHead(409, { "content-type": "application/json" })
        response.end(JSON.stringify({ error: { code: "of_the_future", message: "m", fix: "f", more: 1 } }))
      })
      assert.deepInclude(yield* failureOf(url), { code: "of_the_future", fix: "f" })
    }))

  it.live("tells an absent service from a stranger", () =>
    Effect.gen(function*() {
      const stranger = yield* answering((_, response) => response.end("<html>"))
      assert.strictEqual((yield* failureOf(stranger)).code, "unintelligible")
      assert.strictEqual((yield* failureOf("http://127.0.0.1:1")).code, "unreachable")
      const proxy = yield* answering((_, response) => response.writeHead(502).end())
      assert.strictEqual((yield* failureOf(proxy)).code, "unintelligible")
    }))

  it("describes the API's errors as they are", () => {
    const error = ApiError.make("queue_full", { message: "m", retryAfter: 3 })
    assert.deepStrictEqual(ApiClient.describe(error, "u"), { code: "queue_full", message: "m", retryAfter: 3 })
  })
})
