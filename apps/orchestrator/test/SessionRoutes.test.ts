import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, Service } from "./support/Service.ts"

const json = { "content-type": "application/json" }

const signIn = (url: string, token: string, headers: Record<string, string> = {}) =>
  Effect.promise(() =>
    ask(`${url}/api/v1/session`, { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify({ token }) })
  )

layer(Service.layerMemory)("the session", (it) => {
  it.effect("gives a cookie for the token that scripts cannot read and other sites cannot send", () =>
    Effect.gen(function*() {
      const { token, url } = yield* Service
      const response = yield* signIn(url, token)
      const cookie = response.headers.get("set-cookie") ?? ""
      assert.strictEqual(response.status, 200)
      assert.match(cookie, /^coppice-token=[\w-]+;/)
      for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) assert.include(cookie, part)
      assert.notInclude(yield* Effect.promise(() => response.text()), token)
    }))

  it.effect("says who the holder of the cookie is and what he may", () =>
    Effect.gen(function*() {
      const { token, url } = yield* Service
      const cookie = (yield* signIn(url, token)).headers.get("set-cookie")!.split(";")[0]!
      const response = yield* Effect.promise(() => ask(`${url}/api/v1/session`, { headers: { cookie } }))
      assert.deepStrictEqual(yield* Effect.promise(() => response.json()), {
        by: "console",
        may: ["view", "operate", "approve"]
      })
    }))

  it.effect("refuses another token, says nothing about the right one, and sets no cookie", () =>
    Effect.gen(function*() {
      const { token, url } = yield* Service
      for (const wrong of ["", "x", token.slice(1), `${token}x`]) {
        const response = yield* signIn(url, wrong)
        assert.strictEqual(response.status, 401)
        assert.isNull(response.headers.get("set-cookie"))
      }
    }))

  it.effect("tells the audit of a wrong token", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const { entries } = yield* client.audit.list({ query: {} })
      assert.include(entries.map(({ kind }) => kind), "refused")
    }))

  it.effect("is not for pages of another origin", () =>
    Effect.gen(function*() {
      const { token, url } = yield* Service
      assert.strictEqual((yield* signIn(url, token, { origin: "http://evil.test" })).status, 403)
    }))

  it.effect("shows nothing without a cookie", () =>
    Effect.gen(function*() {
      const { url } = yield* Service
      assert.strictEqual((yield* Effect.promise(() => ask(`${url}/api/v1/session`))).status, 401)
    }))

  it.effect("takes the cookie back", () =>
    Effect.gen(function*() {
      const { url } = yield* Service
      const response = yield* Effect.promise(() => ask(`${url}/api/v1/session`, { method: "DELETE" }))
      assert.match(response.headers.get("set-cookie") ?? "", /^coppice-token=;.*Max-Age=0/)
    }))
})
