import * as Database from "@coppice/sqlite/Database"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { copyFileSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as SqlTaskStore from "../src/SqlTaskStore.ts"
import type { TaskId } from "../src/Task.ts"
import { TaskStore } from "../src/TaskStore.ts"
import { Ledger } from "../src/testing/Ledger.ts"
import { folder, sqlite } from "./support/places.ts"
import { runs } from "./support/runs.ts"

/** A store with something in every table, closed. */
const written = Effect.gen(function*() {
  const path = join(yield* folder, "coppice.db")
  const ids = yield* Effect.gen(function*() {
    const store = yield* TaskStore
    const ledger = new Ledger(yield* store.open)
    const root = ledger.create({ input: { path: "src" }, spec: { idempotencyKey: "k" } })
    const [asking, done] = [ledger.create({ parent: root }), ledger.create({ parent: root })]
    for (let i = 0; i < 10; i++) ledger.create({ parent: asking, input: { text: "x".repeat(200 * i) } })
    ledger.ask(asking, "q")
    ledger.complete(done)
    ledger.park(root, true)
    ledger.add({
      timersSet: [{ task: root, key: "t", due: 5 }],
      receipts: [{ principal: "local", agent: "worker", key: "k", task: root, digest: "d" }],
      artifacts: [{
        digest: "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
        run: root,
        mediaType: "a",
        bytes: Buffer.from("hello")
      }],
      cursors: new Map([["mail", 7]])
    })
    yield* store.commit(ledger.take())
    return { root, asking, done }
  }).pipe(Effect.provide(sqlite({ path })))
  return { path, ...ids }
})

/** Changes the closed file behind the store's back. */
const tamper = (path: string, sql: string): void => {
  const connection = new DatabaseSync(path)
  try {
    connection.exec(sql)
  } finally {
    connection.close()
  }
}

/** Everything the store can be asked. */
const everything = Effect.gen(function*() {
  const store = yield* TaskStore
  const rows = yield* store.list({ limit: 100 })
  return {
    rows,
    events: yield* store.events({ since: 0, limit: 100 }),
    journals: yield* Effect.forEach(rows, ({ state }) => store.journal(state.id)),
    inputs: yield* store.openInputs({ limit: 100 }),
    timers: yield* store.timersDue(1e15, 100),
    receipt: yield* store.receipt("local", "worker", "k"),
    cursor: yield* store.cursor("mail"),
    artifact: yield* store.artifact("LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ")
  }
})

const read = (path: string) =>
  Effect.scoped(Effect.provide(everything, sqlite({ path, synchronous: "OFF" }), { local: true }))

const verified = (path: string) =>
  SqlTaskStore.verify.pipe(
    Effect.provide(Layer.effect(SqlTaskStore.SqlDriver, Database.open({ path, synchronous: "OFF" })), { local: true }),
    Effect.orElseSucceed(() => ["cannot be opened"])
  )

describe("a damaged store (case 3)", () => {
  const changes: ReadonlyArray<readonly [string, string]> = [
    ["a fact's data", "UPDATE events SET data = replace(data, '\"depth\":0', '\"depth\":1') WHERE seq = 1"],
    ["a fact's input", "UPDATE events SET input = replace(input, 'src', 'etc') WHERE seq = 1"],
    ["a fact's time", "UPDATE events SET at = at + 1 WHERE seq = 2"],
    ["a fact's task", "UPDATE events SET task = '0' WHERE seq = 2"],
    ["a fact's run", "UPDATE events SET run = '0' WHERE seq = 2"],
    ["a fact that is gone", "DELETE FROM events WHERE seq = 2"],
    ["an open question", "UPDATE inputs SET key = 'p'"],
    ["a timer", "UPDATE timers SET due = due + 1"],
    ["a receipt", "UPDATE receipts SET digest = 'e'"],
    ["a cursor", "UPDATE cursors SET seq = seq + 1"],
    ["an artifact", "UPDATE artifacts SET bytes = x'00'"],
    ...[
      "agent = 'other'",
      "status = 'failed'",
      "parked = 1 - parked",
      "attempt = attempt + 1",
      "created_at = created_at + 1",
      "updated_at = updated_at + 1",
      "ended_at = 7",
      "deadline = 7",
      "expires_at = 7",
      "settlement = 'unknown'",
      "settled_at = 7",
      "ended_seq = 1",
      "settled_seq = 1",
      "key = 'other'",
      "message = '\"other\"'",
      "reason = 'defect'",
      "live = '{}'"
    ].map((change) => [`a row's ${change}`, `UPDATE tasks SET ${change}`] as const)
  ]
  for (const [what, sql] of changes) {
    it.effect(`is noticed when it is read: ${what}`, () =>
      Effect.gen(function*() {
        const { path } = yield* written
        tamper(path, sql)
        const error = yield* Effect.flip(read(path))
        assert.strictEqual(error.reason, "Corrupt")
        assert.match(error.message, /restore a backup$/)
      }))
  }

  it.effect("never gives a wrong answer, whichever byte of the file changed", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      const sound = yield* read(path)
      const bytes = readFileSync(path)
      const damaged = join(yield* folder, "damaged.db")
      let state = 42
      const random = (below: number) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % below
      let noticed = 0
      for (let i = 0; i < runs(250); i++) {
        const copy = Buffer.from(bytes)
        const at = 100 + random(copy.length - 100)
        copy[at]! ^= 1 << random(8)
        writeFileSync(damaged, copy)
        const exit = yield* Effect.exit(read(damaged))
        if (Exit.isFailure(exit)) noticed++
        else if (JSON.stringify(exit.value) !== JSON.stringify(sound)) {
          assert.isNotEmpty(yield* verified(damaged), `byte ${at} of the file`)
          noticed++
        }
      }
      assert.isAbove(noticed, 30)
    }))

  it.effect("is found by a check of the whole, and a sound one is sound", () =>
    Effect.gen(function*() {
      const { done, path, root } = yield* written
      assert.deepStrictEqual(yield* verified(path), [])
      tamper(
        path,
        `UPDATE events SET data = replace(data, 'done', 'dome') WHERE task = '${done}' AND type = 'Completed'`
      )
      tamper(path, `DELETE FROM events WHERE task = '${root}' AND type = 'Created'`)
      const found = yield* verified(path)
      assert.include(found, "Fact 1 of the log does not match its checksum; restore a backup")
      assert.include(found, "Fact 15 of the log does not match its checksum; restore a backup")
    }))

  it.effect("is found when a row is sound in itself and not what its facts say", () =>
    Effect.gen(function*() {
      const { done, path } = yield* written
      const copy = join(yield* folder, "old.db")
      copyFileSync(path, copy)
      yield* Effect.gen(function*() {
        const store = yield* TaskStore
        const head = yield* store.open
        const event = { _tag: "TimerFired", key: "k" } as const
        const run = (yield* store.load(done))!.state.run
        const fact = { seq: head.seq + 1, task: done, run, at: 9, event }
        yield* store.commit({ ...new Ledger(head).take(), events: [fact] })
      }).pipe(Effect.provide(sqlite({ path })), Effect.scoped)
      assert.deepStrictEqual(yield* verified(path), [`task ${done}: TimerFired after completed`])
      yield* Effect.gen(function*() {
        const store = yield* TaskStore
        const row = (yield* store.load(done))!
        const batch = new Ledger(yield* store.open).take()
        yield* store.commit({ ...batch, changed: [{ ...row, state: { ...row.state, updatedAt: 1 } }] })
      }).pipe(Effect.provide(sqlite({ path: copy })), Effect.scoped)
      assert.deepStrictEqual(yield* verified(copy), [`Task ${done} is not what its facts say`])
    }))
})

describe("a store of another release (case 11)", () => {
  it.effect("is refused when it is newer, and left as it is", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      tamper(path, "PRAGMA user_version = 99")
      const error = yield* Effect.flip(read(path))
      assert.deepInclude(error, { _tag: "StoreError", reason: "NewerSchema" })
      assert.include(error.message, "The store has schema 99")
      const connection = new DatabaseSync(path)
      assert.deepStrictEqual({ ...connection.prepare("PRAGMA user_version").get() }, { user_version: 99 })
      connection.close()
    }))
})

describe("a store whose disk is full (case 6)", () => {
  it.effect("refuses the batch whole, reads on, and takes it when there is room again", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "coppice.db")
      const driver = yield* Database.open({ path, synchronous: "OFF" })
      const context = Layer.provide(SqlTaskStore.layer, Layer.succeed(SqlTaskStore.SqlDriver, driver))
      yield* Effect.gen(function*() {
        const store = yield* TaskStore
        const ledger = new Ledger(yield* store.open)
        const first: TaskId = ledger.create()
        yield* store.commit(ledger.take())
        driver.pragma("max_page_count", Number(driver.pragma("page_count")))
        for (let i = 0; i < 500; i++) ledger.create({ input: "x".repeat(500) })
        const batch = ledger.take()
        const error = yield* Effect.flip(store.commit(batch))
        assert.isTrue(error.isRetryable)
        assert.strictEqual(error.reason, "DiskFull")
        assert.deepStrictEqual(yield* store.load(first), ledger.row(first))
        assert.deepStrictEqual(yield* store.counts, { tasks: 1, active: 1, events: 1 })
        driver.pragma("max_page_count", 100_000)
        yield* store.commit(batch)
        assert.strictEqual((yield* store.counts).tasks, 501)
      }).pipe(Effect.provide(context))
    }))
})

describe("the plans of the queries that run often", () => {
  const plans: ReadonlyArray<readonly [string, string, RegExp]> = [
    [
      "the sweep",
      "WHERE t.parked = 0 AND t.ended_at IS NULL AND t.id > '' ORDER BY t.id LIMIT 1",
      /USING INDEX tasks_runnable/
    ],
    [
      "unsettled",
      "WHERE t.ended_at IS NOT NULL AND t.settlement IS NULL ORDER BY t.id LIMIT 1",
      /USING INDEX tasks_unsettled/
    ],
    [
      "active",
      "WHERE t.status IN ('working') AND t.ended_at IS NULL ORDER BY t.id DESC LIMIT 1",
      /USING INDEX tasks_active/
    ],
    [
      "failed",
      "WHERE t.status IN ('failed') AND t.status IN ('failed', 'cancelled') ORDER BY t.id DESC LIMIT 1",
      /USING INDEX tasks_unhappy/
    ],
    ["roots", "WHERE t.parent IS NULL ORDER BY t.id DESC LIMIT 1", /USING INDEX tasks_root/],
    ["expired", "WHERE t.expires_at <= 1 ORDER BY t.expires_at LIMIT 1", /USING INDEX tasks_expiring/]
  ]
  for (const [what, condition, index] of plans) {
    it.effect(`use an index and sort nothing: ${what}`, () =>
      Effect.gen(function*() {
        const { path } = yield* written
        const connection = new DatabaseSync(path)
        const rows = connection.prepare(
          `EXPLAIN QUERY PLAN SELECT t.*, c.data FROM tasks t LEFT JOIN events c ON c.seq = t.created_seq ${condition}`
        ).all()
        connection.close()
        const plan = rows.map((row) => row["detail"]).join("\n")
        assert.match(plan, index)
        assert.notInclude(plan, "TEMP B-TREE")
      }))
  }
})
