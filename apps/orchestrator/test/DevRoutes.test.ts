import { assert, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Service } from "./support/Service.ts"

const requests = [
  ["GET", "/api/v1/dev", undefined],
  ["POST", "/api/v1/dev/faults", { kind: "kill-process" }],
  ["DELETE", "/api/v1/dev/faults/1", undefined],
  ["DELETE", "/api/v1/dev/faults", undefined]
] as const

layer(Service.layerMemory)("a service that was not started for development", (it) => {
  for (const [method, path, body] of requests) {
    it.effect(`has no ${method} ${path}`, () =>
      Effect.gen(function*() {
        const { fetch } = yield* Service
        const response = yield* fetch(path, { method, ...body === undefined ? {} : { body: JSON.stringify(body) } })
        assert.strictEqual(response.status, 404)
        assert.strictEqual(((yield* Effect.promise(() => response.json())) as any).error.code, "not_in_dev")
      }))
  }

  it.effect("says so to whoever asks what it is", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      assert.isFalse((yield* client.service.info()).dev)
    }))

  it.effect("tells nobody without the token even that", () =>
    Effect.gen(function*() {
      const { fetch } = yield* Service
      assert.strictEqual((yield* fetch("/api/v1/dev", { headers: { authorization: "Bearer no" } })).status, 401)
    }))
})

const sources = fileURLToPath(new URL("../src/", import.meta.url))

it("has nothing of what follows edits or does faults", () => {
  const files = globSync("*.ts", { cwd: sources })
  assert.include(files, "main.ts")
  const loads = files.filter((file) => /from "(?:vite|\.\/dev\/[^"]*)"/.test(readFileSync(sources + file, "utf8")))
  assert.deepStrictEqual(loads, [])
})
