import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { statSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Database from "../src/Database.ts"
import * as TempFolder from "./support/TempFolder.ts"

const openNew = Effect.fnUntraced(function*(options?: Partial<Database.Options>) {
  const folder = yield* TempFolder.make
  const db = yield* Database.open({ path: join(folder, "coppice.db"), ...options })
  db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE)")
  return db
})

const add = (db: Database.Database, body: string) => db.prepare("INSERT INTO log (body) VALUES (?)").run(body)
const bodies = (db: Database.Database) =>
  db.prepare("SELECT body FROM log ORDER BY seq").all().map((row) => row["body"])

const errorOf = (body: () => unknown): Database.DatabaseError => {
  const exit = Effect.runSyncExit(Database.attempt(body))
  assert(Exit.isFailure(exit))
  const error = Cause.squash(exit.cause)
  assert.instanceOf(error, Database.DatabaseError)
  return error
}

const logState = (db: Database.Database) =>
  db.connection.prepare("PRAGMA wal_checkpoint(NOOP)").get() as { readonly log: number; readonly checkpointed: number }

describe("open", () => {
  it.effect("commits with a sync, in write-ahead mode, and checks foreign keys", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      assert.strictEqual(db.pragma("journal_mode"), "wal")
      assert.strictEqual(db.pragma("synchronous"), 2)
      assert.strictEqual(db.pragma("foreign_keys"), 1)
      assert.strictEqual(db.pragma("mmap_size"), 0)
      assert.strictEqual(db.pragma("cache_size"), -16384)
    }))

  it.effect("takes the caller's settings", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ synchronous: "NORMAL", busyTimeout: "1 second", cacheSize: 1024 * 1024 })
      assert.strictEqual(db.pragma("synchronous"), 1)
      assert.strictEqual(db.pragma("busy_timeout"), 1000)
      assert.strictEqual(db.pragma("cache_size"), -1024)
    }))

  it.effect("creates a missing folder and a file that only this user can read", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "a", "b", "coppice.db")
      yield* Database.open({ path })
      assert.strictEqual(statSync(dirname(path)).mode & 0o777, 0o700)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
    }))

  it.effect("refuses a folder", () =>
    Effect.gen(function*() {
      const path = yield* TempFolder.make
      const error = yield* Effect.flip(Database.open({ path }))
      assert.strictEqual(error.message, `${path}: is a folder; name a file inside it`)
    }))

  it.effect("refuses a file that is not a database", () =>
    Effect.gen(function*() {
      const path = import.meta.filename
      const error = yield* Effect.flip(Database.open({ path, readOnly: true }))
      assert.strictEqual(error.reason._tag, "Corrupt")
    }))

  it.effect("keeps nothing of a memory database", () =>
    Effect.gen(function*() {
      const db = yield* Database.open({ path: ":memory:" })
      db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT)")
      assert.strictEqual(db.transaction(() => add(db, "a")).changes, 1)
    }))

  it.effect("closes with its scope and leaves no log behind", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "coppice.db")
      const db = yield* Effect.scoped(Database.open({ path }))
      assert.isFalse(db.connection.isOpen)
      assert.isUndefined(statSync(`${path}-wal`, { throwIfNoEntry: false }))
    }))
})

describe("read only", () => {
  it.effect("reads beside the owner and refuses to write", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      add(db, "a")
      const reader = yield* Database.open({ path: db.path, readOnly: true })
      assert.deepStrictEqual(bodies(reader), ["a"])
      assert.strictEqual(errorOf(() => add(reader, "b")).reason._tag, "ReadOnly")
      add(db, "c")
      assert.deepStrictEqual(bodies(reader), ["a", "c"])
    }))

  it.effect("creates nothing", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "none.db")
      const error = yield* Effect.flip(Database.open({ path, readOnly: true }))
      assert.strictEqual(error.message, `${path}: does not exist; check the path`)
    }))
})

describe("prepare", () => {
  it.effect("returns the same statement for the same text", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ prepareCacheSize: 2 })
      const first = db.prepare("SELECT 1")
      assert.strictEqual(db.prepare("SELECT 1"), first)
      db.prepare("SELECT 2")
      db.prepare("SELECT 3")
      assert.notStrictEqual(db.prepare("SELECT 1"), first)
      assert.deepStrictEqual({ ...first.get() }, { 1: 1 })
    }))

  it.effect("reads 64-bit integers when asked, and writes them either way", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      const seq = 2n ** 60n + 1n
      const insert = "INSERT INTO log (seq, body) VALUES (?, ?)"
      assert.strictEqual(db.prepare(insert).run(seq, "a").lastInsertRowid, seq)
      const returning = db.prepare(`${insert} RETURNING body`)
      assert.strictEqual(returning.run(seq + 1n, "b").lastInsertRowid, seq + 1n)
      assert.deepStrictEqual({ ...returning.get(3, "c") }, { body: "c" })
      const select = "SELECT max(seq) AS seq FROM log"
      assert.strictEqual(db.prepare(select, { bigints: true }).get()?.["seq"], seq + 1n)
      assert.strictEqual(errorOf(() => db.prepare(select).get()).reason._tag, "Other")
    }))

  it.effect("lets a cursor and the same statement run side by side", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      for (const body of ["a", "b", "c"]) add(db, body)
      const all = db.prepare("SELECT body FROM log ORDER BY seq")
      const seen = []
      for (const row of all.iterate()) seen.push(row["body"], all.all().length)
      assert.deepStrictEqual(seen, ["a", 3, "b", 3, "c", 3])
    }))

  it.effect("releases the snapshot of a cursor that is left early", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      for (const body of ["a", "b"]) add(db, body)
      const all = db.prepare("SELECT body FROM log")
      for (const _ of all.iterate()) break
      assert.deepStrictEqual(db.checkpoint("TRUNCATE"), { busy: false, logged: 0, checkpointed: 0 })
    }))
})

describe("transaction", () => {
  it.effect("commits what the body wrote and returns what it returned", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      const seq = db.transaction(() => {
        add(db, "a")
        return add(db, "b").lastInsertRowid
      })
      assert.strictEqual(seq, 2n)
      assert.deepStrictEqual(bodies(db), ["a", "b"])
    }))

  it.effect("rolls back, and throws what the body threw", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      const boom = new Error("boom")
      const exit = yield* Effect.exit(Database.attempt(() =>
        db.transaction(() => {
          add(db, "a")
          throw boom
        })
      ))
      assert.deepStrictEqual(exit, Exit.die(boom))
      assert.deepStrictEqual(bodies(db), [])
      db.transaction(() => add(db, "b"))
      assert.deepStrictEqual(bodies(db), ["b"])
    }))

  it.effect("undoes only the inner one of two", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      db.transaction(() => {
        add(db, "a")
        const error = errorOf(() =>
          db.transaction(() => {
            add(db, "b")
            add(db, "a")
          })
        )
        assert.strictEqual(error.reason._tag, "Constraint")
        db.transaction(() => add(db, "c"))
      })
      assert.deepStrictEqual(bodies(db), ["a", "c"])
    }))

  it.effect("refuses a body that returns a promise", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      assert.throws(() => db.transaction(() => Promise.resolve(add(db, "a"))), TypeError)
      assert.deepStrictEqual(bodies(db), [])
    }))

  it.effect("does not join a transaction it did not begin", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      db.connection.exec("BEGIN")
      assert.strictEqual(errorOf(() => db.transaction(() => add(db, "a"))).reason._tag, "Busy")
      assert.strictEqual(errorOf(() => add(db, "a")).reason._tag, "Busy")
      db.connection.exec("ROLLBACK")
      db.transaction(() => add(db, "a"))
      assert.deepStrictEqual(bodies(db), ["a"])
    }))

  it.effect("commits nothing after SQLite itself has rolled back", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      const error = errorOf(() =>
        db.transaction(() => {
          errorOf(() => db.prepare("INSERT OR ROLLBACK INTO log (body) VALUES (NULL)").run())
          add(db, "a")
        })
      )
      assert.deepInclude(error.reason, { _tag: "Constraint", kind: "not null" })
      assert.deepStrictEqual(bodies(db), [])
    }))

  it.effect("survives a commit that is refused", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      db.exec("CREATE TABLE child (seq INTEGER REFERENCES log (seq) DEFERRABLE INITIALLY DEFERRED)")
      const insert = db.prepare("INSERT INTO child (seq) VALUES (?)")
      const error = errorOf(() => db.transaction(() => insert.run(1)))
      assert.deepInclude(error.reason, { _tag: "Constraint", kind: "foreign key" })
      assert.isFalse(db.connection.isTransaction)
      db.transaction(() => insert.run(add(db, "a").lastInsertRowid))
      assert.strictEqual(db.prepare("SELECT count(*) AS n FROM child").get()?.["n"], 1)
    }))
})

describe("checkpoint", () => {
  const commit = (db: Database.Database, count: number) => {
    const first = bodies(db).length
    for (let i = 0; i < count; i++) db.transaction(() => add(db, `${first + i}`))
  }

  it.effect("runs after the commit that made it due, not inside it", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ checkpointPages: 20 })
      commit(db, 10)
      const { checkpointed, log } = logState(db)
      assert.isAtLeast(log, 20)
      assert.strictEqual(checkpointed, 0)
      for (let i = 0; i < 4; i++) yield* Effect.yieldNow
      assert.strictEqual(logState(db).checkpointed, log)
    }))

  it.effect("runs after single statements, too", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ checkpointPages: 20 })
      for (let i = 0; i < 10; i++) add(db, `${i}`)
      for (let i = 0; i < 4; i++) yield* Effect.yieldNow
      assert.isAtLeast(logState(db).checkpointed, 20)
    }))

  it.effect("runs inside a commit when the scheduler never gets a turn", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ checkpointPages: 20 })
      commit(db, 200)
      assert.isAtMost(logState(db).log, 4 * 20 + 10)
    }))

  it.effect("leaves a transaction of somebody else alone", () =>
    Effect.gen(function*() {
      const db = yield* openNew({ checkpointPages: 20 })
      commit(db, 10)
      db.connection.exec("BEGIN IMMEDIATE")
      for (let i = 0; i < 4; i++) yield* Effect.yieldNow
      db.connection.exec("COMMIT")
      assert.strictEqual(logState(db).checkpointed, 0)
      assert.isUndefined(db.failure)
      commit(db, 1)
      for (let i = 0; i < 4; i++) yield* Effect.yieldNow
      assert.isAbove(logState(db).checkpointed, 20)
    }))
})

describe("integrityCheck and pragma", () => {
  it.effect("finds nothing wrong with a sound file", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      add(db, "a")
      assert.deepStrictEqual(db.integrityCheck(), [])
      assert.deepStrictEqual(db.integrityCheck("quick"), [])
    }))

  it.effect("finds a row that breaks its own constraints", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      db.exec(
        "PRAGMA ignore_check_constraints = ON; CREATE TABLE small (n INTEGER CHECK (n < 9)); INSERT INTO small VALUES (9)"
      )
      db.pragma("ignore_check_constraints", "OFF")
      assert.deepStrictEqual(db.integrityCheck(), ["CHECK constraint failed in small"])
    }))

  it.effect("sets a pragma, and takes no other text for one", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      db.pragma("user_version", 7)
      assert.strictEqual(db.pragma("user_version"), 7)
      assert.throws(() => db.pragma("user_version; DROP TABLE log"), TypeError)
    }))
})

describe("attempt", () => {
  it.effect("fails with a database error and dies of anything else", () =>
    Effect.gen(function*() {
      const db = yield* openNew()
      const error = yield* Effect.flip(Database.attempt(() => db.exec("nonsense")))
      assert.strictEqual(error.message, `${db.path}: near "nonsense": syntax error`)
      const exit = yield* Effect.exit(Database.attempt(() => {
        throw new Error("boom")
      }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))
})
