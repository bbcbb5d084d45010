import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ask, Service, submit } from "./support/Service.ts"

layer(Service.layerMemory, { excludeTestServices: true })("AuditRoutes", (it) => {
  it.effect("tells who decided what, also of a run that is gone", () =>
    Effect.gen(function*() {
      const { client } = yield* Service
      const id = yield* submit("nap", { seconds: 3_600 })
      yield* client.tasks.cancel({ params: { id }, payload: { reason: "enough" } })
      yield* client.tasks.cancelReport({ params: { id }, query: { wait: 10 } })
      yield* client.tasks.delete({ params: { id } })
      const { entries, next } = yield* client.audit.list({ query: { run: id } })
      assert.deepStrictEqual(entries.map(({ by, kind }) => [kind, by]), [
        ["deleted", "local"],
        ["cancelled", "local"],
        ["submitted", "local"]
      ])
      assert.isNull(next)
      const page = yield* client.audit.list({ query: { limit: 1, kind: "cancelled", by: "local" } })
      assert.strictEqual(page.entries.length, 1)
      assert.strictEqual(page.next, page.entries[0]!.n)
      assert.isNull((yield* client.audit.check()).broken)
    }))

  it.effect("notes a wrong token, once for a while, and says nothing of one that is missing", () =>
    Effect.gen(function*() {
      const { client, url } = yield* Service
      const get = (headers: Record<string, string>) =>
        Effect.promise(() => ask(`${url}/api/v1/tasks`, { headers }).then(({ status }) => status))
      const statuses = [yield* get({})]
      for (let i = 0; i < 5; i++) statuses.push(yield* get({ authorization: "Bearer guessed" }))
      assert.deepStrictEqual(statuses, [401, 401, 401, 401, 401, 401])
      const { entries } = yield* client.audit.list({ query: { kind: "refused" } })
      assert.deepStrictEqual(entries.map(({ by, detail }) => [by, detail]), [
        ["unknown", { door: "http", why: "wrong token" }]
      ])
    }))
})
