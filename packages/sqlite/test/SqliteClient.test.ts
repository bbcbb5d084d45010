import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import * as Database from "../src/Database.ts"
import * as SqliteClient from "../src/SqliteClient.ts"
import * as TempFolder from "./support/TempFolder.ts"

const create = (db: Database.Database) =>
  db.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, note TEXT CHECK (note <> ''))")

const make = Effect.gen(function*() {
  const db = yield* Database.open({ path: join(yield* TempFolder.make, "coppice.db"), busyTimeout: 0 })
  create(db)
  const sql = yield* SqliteClient.fromDatabase(db)
  return { db, sql }
}).pipe(Effect.provide(Reactivity.layer))

const names = (db: Database.Database) => db.prepare("SELECT name FROM item ORDER BY id").all().map((row) => row["name"])

describe("layers", () => {
  it.effect("open a file of their own", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "coppice.db")
      const program = Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        assert.strictEqual(sql.driver, "sqlite-node")
        return yield* sql<{ readonly mode: string }>`SELECT journal_mode AS mode FROM pragma_journal_mode`
      })
      const rows = yield* Effect.provide(program, SqliteClient.layer({ path }))
      assert.deepStrictEqual(rows.map((row) => row.mode), ["wal"])
    }))

  it.effect("fail with the reason of the database", () =>
    Effect.gen(function*() {
      const path = yield* TempFolder.make
      const error = yield* Effect.flip(Effect.scoped(Layer.build(SqliteClient.layer({ path }))))
      assert.include(error.message, "is a folder")
    }))

  it.effect("share the connection of a database", () =>
    Effect.gen(function*() {
      const { db } = yield* make
      const program = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`INSERT INTO item (name) VALUES ('a')`)
      yield* Effect.provide(program, SqliteClient.layerDatabase(db))
      assert.deepStrictEqual(names(db), ["a"])
    }))
})

describe("statements", () => {
  it.effect("return rows, values and what changed", () =>
    Effect.gen(function*() {
      const { sql } = yield* make
      const inserted = yield* sql`INSERT INTO item ${sql.insert({ id: 1, name: "a", note: null })} RETURNING id, name`
      assert.deepInclude(inserted[0], { id: 1, name: "a" })
      assert.deepStrictEqual(yield* sql`SELECT id, name FROM item`.values, [[1, "a"]])
      assert.deepStrictEqual(yield* sql`UPDATE item SET note = 'n'`.raw, { changes: 1, lastInsertRowid: 1n })
      assert.deepStrictEqual(yield* sql`SELECT name FROM item`.unprepared.pipe(Effect.map((rows) => rows.length)), 1)
    }))

  it.effect("read 64-bit integers with SafeIntegers, and fail without", () =>
    Effect.gen(function*() {
      const { sql } = yield* make
      const id = 2n ** 60n
      yield* sql`INSERT INTO item ${sql.insert({ id, name: "a" })}`
      yield* sql`UPDATE item SET note = 'after a rowid beyond 2^53'`
      const select = sql<{ readonly id: bigint }>`SELECT id FROM item`
      const rows = yield* Effect.provideService(select, SqlClient.SafeIntegers, true)
      assert.deepStrictEqual(rows.map((row) => row.id), [id])
      const error = yield* Effect.flip(select)
      assert.strictEqual(error.reason._tag, "UnknownError")
    }))

  it.effect("name the constraint that was broken", () =>
    Effect.gen(function*() {
      const { sql } = yield* make
      yield* sql`INSERT INTO item (id, name) VALUES (1, 'a')`
      const name = yield* Effect.flip(sql`INSERT INTO item (name) VALUES ('a')`)
      assert.deepInclude(name.reason, { _tag: "UniqueViolation", constraint: "item.name" })
      const key = yield* Effect.flip(sql`INSERT INTO item (id, name) VALUES (1, 'b')`)
      assert.deepInclude(key.reason, { _tag: "UniqueViolation", constraint: "item.id" })
      const note = yield* Effect.flip(sql`INSERT INTO item (note) VALUES ('')`)
      assert.strictEqual(note.reason._tag, "ConstraintError")
      assert.instanceOf(note.reason.cause, Database.DatabaseError)
    }))
})

describe("transactions", () => {
  it.effect("commit together, or not at all", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      const insert = (name: string) => sql`INSERT INTO item (name) VALUES (${name})`
      yield* sql.withTransaction(Effect.andThen(insert("a"), insert("b")))
      yield* Effect.flip(sql.withTransaction(Effect.andThen(insert("c"), insert("a"))))
      yield* sql.withTransaction(Effect.andThen(insert("d"), Effect.flip(sql.withTransaction(insert("a")))))
      assert.deepStrictEqual(names(db), ["a", "b", "d"])
    }))

  it.effect("recover from a commit that is refused", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      db.exec("CREATE TABLE part (item INTEGER REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED)")
      const exit = yield* Effect.exit(sql.withTransaction(sql`INSERT INTO part (item) VALUES (1)`))
      assert.isTrue(Exit.isFailure(exit))
      yield* sql.withTransaction(sql`INSERT INTO item (name) VALUES ('a')`)
      assert.deepStrictEqual(names(db), ["a"])
      assert.strictEqual(db.prepare("SELECT count(*) AS n FROM part").get()?.["n"], 0)
    }))

  it.effect("keep the writes of the database out", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      const insert = () => db.prepare("INSERT INTO item (name) VALUES ('hot')").run()
      const refused = yield* sql.withTransaction(Effect.all([
        Effect.flip(Database.attempt(() => db.transaction(insert))),
        Effect.flip(Database.attempt(insert))
      ]))
      assert.deepStrictEqual(refused.map((error) => error.reason._tag), ["Busy", "Busy"])
      db.transaction(insert)
      assert.deepStrictEqual(names(db), ["hot"])
    }))
})

describe("streams", () => {
  const fill = (db: Database.Database, count: number) =>
    db.transaction(() => {
      const insert = db.prepare("INSERT INTO item (name) VALUES (?)")
      for (let i = 0; i < count; i++) insert.run(`${i}`)
    })

  it.effect("give every row", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      fill(db, 300)
      const rows = yield* Stream.runCollect(sql<{ readonly id: number }>`SELECT id FROM item ORDER BY id`.stream)
      assert.deepStrictEqual(rows.map((row) => row.id), Array.from({ length: 300 }, (_, i) => i + 1))
    }))

  it.effect("release their snapshot when they end early", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      fill(db, 300)
      const first = yield* Stream.runCollect(Stream.take(sql`SELECT id FROM item`.stream, 1))
      assert.strictEqual(first.length, 1)
      assert.isFalse(db.checkpoint("TRUNCATE").busy)
    }))

  it.effect("fail with an error, not a defect, in the middle", () =>
    Effect.gen(function*() {
      const { db, sql } = yield* make
      fill(db, 300)
      db.prepare("UPDATE item SET id = ? WHERE id = 300").run(2n ** 60n)
      const exit = yield* Effect.exit(Stream.runDrain(sql`SELECT id FROM item ORDER BY id`.stream))
      assert.isTrue(Exit.isFailure(exit) && !Cause.hasDies(exit.cause))
    }))
})
