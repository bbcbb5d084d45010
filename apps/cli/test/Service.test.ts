import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { findService, type Search } from "../src/Service.ts"
import { folder } from "./support/Orchestrator.ts"

const contents = { url: "http://127.0.0.1:4280", token: "secret", pid: 1, startedAt: 0, version: "0.0.0" }

const publish = (data: string, url = contents.url) => {
  mkdirSync(data, { recursive: true })
  writeFileSync(join(data, "service.json"), JSON.stringify({ ...contents, url }))
}

const find = (cwd: string, search: Partial<Search> = {}) => {
  const found = findService({ url: undefined, data: undefined, cwd, env: {}, ...search })
  if (Result.isFailure(found)) return found.failure
  const { source, token, url } = found.success
  return { url, source, token: token === undefined ? undefined : Redacted.value(token) }
}

describe("findService", () => {
  it.effect("finds the file in this folder or above", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      publish(join(cwd, ".coppice"))
      mkdirSync(join(cwd, "a", "b"), { recursive: true })
      const expected = { url: contents.url, source: join(cwd, ".coppice", "service.json"), token: "secret" }
      assert.deepStrictEqual(find(join(cwd, "a", "b")), expected)
    }))

  it.effect("looks only where --data says", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      publish(join(cwd, ".coppice"))
      publish(join(cwd, "other"), "http://127.0.0.1:5000")
      assert.deepInclude(find(cwd, { data: "other" }), { url: "http://127.0.0.1:5000" })
      assert.deepInclude(find(cwd, { env: { COPPICE_DATA: "other" } }), { url: "http://127.0.0.1:5000" })
      assert.deepInclude(find(cwd, { data: "nowhere" }), { _tag: "Failure", exit: 3 })
    }))

  it.effect("prefers --url to COPPICE_URL to the file", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      publish(join(cwd, ".coppice"))
      const env = { COPPICE_URL: "http://b.test/", COPPICE_TOKEN: "t" }
      assert.deepStrictEqual(find(cwd, { url: "http://a.test", env }), {
        url: "http://a.test",
        source: "--url",
        token: "t"
      })
      assert.deepStrictEqual(find(cwd, { env }), { url: "http://b.test", source: "COPPICE_URL", token: "t" })
    }))

  it.effect("gives the file's token to that file's address only", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      publish(join(cwd, ".coppice"))
      assert.deepInclude(find(cwd, { url: "http://localhost:4280" }), { token: "secret" })
      for (const url of ["http://127.0.0.1:4281", "https://127.0.0.1:4280", "http://127.0.0.1.evil.test:4280"]) {
        assert.deepInclude(find(cwd, { url }), { token: undefined })
      }
    }))

  it("refuses what is no address", () => assert.deepInclude(find("/", { url: "4280" }), { exit: 2 }))

  it("says where it looked", () =>
    assert.match((find("/") as { readonly message: string }).message, /no --url, no COPPICE_URL/))

  it.effect("takes a damaged file for none", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      mkdirSync(join(cwd, ".coppice"))
      writeFileSync(join(cwd, ".coppice", "service.json"), "{")
      assert.deepInclude(find(cwd), { exit: 3 })
    }))
})
