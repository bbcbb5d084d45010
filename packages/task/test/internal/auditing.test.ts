import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Decision } from "../../src/Audit.ts"
import { brokenAt, chain } from "../../src/internal/auditing.ts"
import { TaskStore } from "../../src/TaskStore.ts"
import * as Engine from "../support/engine.ts"

const decision = (by: string): Decision => ({
  at: 1,
  kind: "answered",
  by,
  task: null,
  run: null,
  agent: "a",
  detail: { key: "k" }
})

describe("the chain of the audit", () => {
  const entries = chain(undefined, ["ann", "bob", "ann", "eve"].map(decision))

  it("follows from itself, also in parts", () => {
    assert.isUndefined(brokenAt(entries))
    assert.isUndefined(brokenAt(entries.slice(2)))
    assert.deepStrictEqual(chain(entries[1], ["ann", "eve"].map(decision)), entries.slice(2))
  })

  it("shows what was changed, taken out, put in or moved", () => {
    const broken: Array<ReadonlyArray<(typeof entries)[number]>> = [
      ...Object.keys(decision("")).map((field) =>
        entries.map((entry, i) => i === 1 ? { ...entry, [field]: field === "at" ? 2 : "x" } : entry)
      ),
      entries.filter((_, i) => i !== 2),
      [...entries.slice(0, 2), entries[1]!, ...entries.slice(2)],
      [entries[0]!, entries[2]!, entries[1]!, entries[3]!]
    ]
    for (const some of broken) assert.isDefined(brokenAt(some))
  })
})

describe("the audit", () => {
  it.effect("has an entry of each decision, one of a cancelled tree, none of what runs by itself", () =>
    Effect.gen(function*() {
      const worker = yield* Engine.work("worker")
      const { log, tasks } = yield* Engine.services
      const { id } = yield* tasks.submit({ agent: "worker", input: "secret", principal: "ann" })
      const child = Engine.child(tasks, worker, log.resident(id)!, "c")
      Engine.child(tasks, worker, log.resident(child)!, "c")
      yield* tasks.steer({ id, by: "bob", message: "secret", priority: 3 })
      yield* tasks.cancel({ id, by: "bob", reason: "enough" })
      yield* tasks.cancelSettled(id)
      yield* tasks.delete(id, "eve")
      tasks.note({ kind: "refused", by: "unknown", task: null, run: null, agent: null, detail: {} })
      yield* log.barrier
      const entries = yield* tasks.audit({ limit: 10 })
      assert.deepStrictEqual(
        entries.map(({ by, detail, kind, run, task }) => [kind, by, task, run, detail]),
        [
          ["refused", "unknown", null, null, {}],
          ["deleted", "eve", id, id, { tasks: 3 }],
          ["cancelled", "bob", id, id, { reason: "enough" }],
          ["steered", "bob", id, id, { changed: ["message", "priority"] }],
          ["submitted", "ann", id, id, {}]
        ]
      )
      assert.notInclude(JSON.stringify(entries), "secret")
      const check = yield* tasks.auditCheck
      assert.deepStrictEqual(check, { entries: 5, oldest: entries[4]!, newest: entries[0]!, broken: null })
    }).pipe(Effect.scoped, Effect.provide(Engine.layer)))

  it.effect("is read in pages when it is checked", () =>
    Effect.gen(function*() {
      const { log, tasks } = yield* Engine.services
      for (let i = 0; i < 2_000; i++) {
        tasks.note({ kind: "refused", by: `${i}`, task: null, run: null, agent: null, detail: {} })
      }
      yield* log.barrier
      const { broken, entries, newest, oldest } = yield* tasks.auditCheck
      assert.deepStrictEqual([broken, entries, oldest?.n, newest?.n], [null, 2_000, 1, 2_000])
      yield* (yield* TaskStore).forgetAudit(Infinity)
      assert.strictEqual((yield* tasks.auditCheck).entries, 1)
    }).pipe(Effect.scoped, Effect.provide(Engine.layer)))
})
