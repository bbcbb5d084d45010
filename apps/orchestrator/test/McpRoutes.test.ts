import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logging from "../src/Logging.ts"
import * as Orchestrator from "../src/Orchestrator.ts"
import { merge } from "../src/Settings.ts"
import config from "./support/coppice.config.ts"
import { folder, Service } from "./support/Service.ts"
import { call, modern, send, tool } from "./support/Wire.ts"

/** A service that asks its callers for nothing. */
const layerOpen = Layer.provideMerge(
  Service.layer,
  Layer.unwrap(
    Effect.map(
      folder,
      (data) =>
        Orchestrator.layer({ orchestrator: config }, merge({ port: 0, data, store: "memory:", mcpAuth: "none" })).pipe(
          Layer.provide(Logging.layer("none"))
        )
    )
  )
)

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } }
})

const list = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/list" })

/** Begins a session; whether tasks can be listed in it, as it says and as it is. */
const listing = Effect.fnUntraced(function*(authorization: object) {
  const begun = yield* send({ headers: { ...authorization }, body: initialize })
  const headers = { ...authorization, "mcp-session-id": String(begun.headers["mcp-session-id"]) }
  const { message } = yield* send({ headers, body: list })
  return [Object.keys(begun.message.result.capabilities.tasks), message.error?.code, message.result?.tasks.length]
})

const nobody = { authorization: undefined }

describe("McpRoutes", () => {
  layer(Service.layerMemory, { excludeTestServices: true })("with a token", (it) => {
    it.effect("lets nobody in without it, before anything of the body is read", () =>
      Effect.gen(function*() {
        for (const authorization of [undefined, "", "Bearer", "Bearer wrong", "Basic wrong"]) {
          const { headers, message, status } = yield* send({ headers: { authorization }, body: "{" })
          assert.deepStrictEqual([status, headers["www-authenticate"], message.id], [401, "Bearer", null])
        }
      }))

    it.effect("lists the tasks of its holder", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* listing({}), [["list", "cancel", "requests"], undefined, 0])
        yield* tool("echo", { text: "hi" })
        assert.deepStrictEqual(yield* listing({}), [["list", "cancel", "requests"], undefined, 1])
      }))
  })

  layer(layerOpen, { excludeTestServices: true })("with no authentication", (it) => {
    it.effect("cannot tell callers apart: they list nothing, and see nothing of the token's holder", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* listing(nobody), [["cancel", "requests"], -32601, undefined])
        const { message } = yield* tool("nap", { seconds: 60 })
        const get = modern("tasks/get", { taskId: message.result.taskId })
        const headers = {
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "tasks/get",
          "mcp-name": message.result.taskId as string
        }
        const foreign = yield* send({ headers: { ...headers, ...nobody }, body: JSON.stringify(get) })
        assert.strictEqual(foreign.message.error.code, -32602)
        assert.strictEqual(
          (yield* call("tasks/get", { taskId: message.result.taskId })).message.result.status,
          "working"
        )
      }))

    it.effect("still refuses a token that is wrong", () =>
      Effect.gen(function*() {
        const { status } = yield* send({ headers: { authorization: "Bearer wrong" }, body: initialize })
        assert.strictEqual(status, 401)
        assert.deepStrictEqual((yield* listing({}))[0], ["list", "cancel", "requests"])
      }))
  })
})
