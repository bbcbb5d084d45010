import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Database from "../src/Database.ts"
import * as Child from "./support/Child.ts"
import * as DiskFaults from "./support/DiskFaults.ts"
import * as TempFolder from "./support/TempFolder.ts"

const create = (db: Database.Database) => db.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, body TEXT)")
const count = (db: Database.Database) => db.prepare("SELECT count(*) AS n FROM log").get()?.["n"]
const body = "x".repeat(10_000)

/** One acknowledged row per commit, until one is refused; how many were acknowledged. */
const fill = Effect.fnUntraced(function*(db: Database.Database) {
  const insert = db.prepare("INSERT INTO log (body) VALUES (?)")
  for (let acknowledged = 0; acknowledged < 1000; acknowledged++) {
    const refused = yield* Effect.flip(Database.attempt(() => db.transaction(() => insert.run(body)))).pipe(
      Effect.orElseSucceed(() => undefined)
    )
    if (refused !== undefined) return { acknowledged, refused }
  }
  return assert.fail("the disk never filled up")
})

describe("disk full (case 6)", () => {
  it.effect("refuses the commit, keeps what was acknowledged, and recovers when pages may be added", () =>
    Effect.gen(function*() {
      const db = yield* Database.open({ path: join(yield* TempFolder.make, "coppice.db") })
      create(db)
      db.pragma("max_page_count", 100)
      const { acknowledged, refused } = yield* fill(db)
      assert.strictEqual(refused.reason._tag, "DiskFull")
      assert.isTrue(refused.isRetryable)
      assert.strictEqual(count(db), acknowledged)
      assert.isFalse(db.connection.isTransaction)
      db.pragma("max_page_count", 1000)
      db.transaction(() => db.prepare("INSERT INTO log (body) VALUES (?)").run(body))
      assert.strictEqual(count(db), acknowledged + 1)
    }))

  it.effect("lets nothing of a transaction through when its body hides the error", () =>
    Effect.gen(function*() {
      const db = yield* Database.open({ path: join(yield* TempFolder.make, "coppice.db") })
      create(db)
      db.pragma("max_page_count", 20)
      const insert = db.prepare("INSERT INTO log (body) VALUES (?)")
      const hide = (text: string) => Effect.runSyncExit(Database.attempt(() => insert.run(text)))
      const error = yield* Effect.flip(Database.attempt(() =>
        db.transaction(() => {
          insert.run("small")
          hide("x".repeat(200_000))
          hide("after")
        })
      ))
      assert.strictEqual(error.reason._tag, "DiskFull")
      assert.strictEqual(count(db), 0)
    }))

  it.effect("recovers on a real file system, without a restart", (test) =>
    Effect.gen(function*() {
      const folder = join(yield* TempFolder.make, "small")
      mkdirSync(folder)
      const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder])
      if (mount.status !== 0) return test.skip("mounting a 1 MB tmpfs needs root on Linux")
      yield* Effect.addFinalizer(() => Effect.sync(() => execFileSync("umount", ["-l", folder])))
      const ballast = join(folder, "ballast")
      writeFileSync(ballast, Buffer.alloc(400_000))
      const db = yield* Database.open({ path: join(folder, "coppice.db") })
      create(db)
      const first = yield* fill(db)
      assert.strictEqual(first.refused.reason._tag, "DiskFull")
      assert.strictEqual(count(db), first.acknowledged)
      rmSync(ballast)
      const second = yield* fill(db)
      assert.isAbove(second.acknowledged, 0)
      assert.strictEqual(count(db), first.acknowledged + second.acknowledged)
      assert.isUndefined(db.failure)
      assert.deepStrictEqual(db.integrityCheck(), [])
    }))
})

describe("a database somebody else has locked (case 8)", () => {
  it.effect("is waited for no longer than said, then refused for now; and takes the same write later", () =>
    Effect.gen(function*() {
      const path = join(yield* TempFolder.make, "coppice.db")
      const db = yield* Database.open({ path, busyTimeout: 20 })
      create(db)
      const other = yield* Database.open({ path })
      other.connection.exec("BEGIN IMMEDIATE")
      const write = () => db.transaction(() => db.prepare("INSERT INTO log (body) VALUES (?)").run("a"))
      const error = yield* Effect.flip(Database.attempt(write))
      assert.deepStrictEqual([error.reason._tag, error.isRetryable], ["Busy", true])
      assert.isUndefined(db.failure)
      assert.strictEqual(count(db), 0)
      other.connection.exec("COMMIT")
      write()
      assert.strictEqual(count(db), 1)
    }))
})

describe("a file that may not be written", () => {
  const openAsUser = Effect.fnUntraced(function*(path: string, how: "write" | "read" | "effective") {
    const child = yield* Child.start("openAsUser", [path, how])
    return yield* child.line
  })

  const prepared = Effect.fnUntraced(function*(folderMode: number, fileMode: number) {
    const folder = yield* TempFolder.make
    const path = join(folder, "coppice.db")
    yield* Effect.scoped(Effect.map(Database.open({ path }), create))
    chmodSync(path, fileMode)
    chmodSync(folder, folderMode)
    yield* Effect.addFinalizer(() => Effect.sync(() => chmodSync(folder, 0o700)))
    return path
  })

  const modes = [
    ["a read-only file", 0o777, 0o444],
    ["a read-only folder", 0o555, 0o666],
    ["an unreadable file", 0o777, 0o000],
    ["an unreadable folder", 0o000, 0o666]
  ] as const
  for (const [what, folderMode, fileMode] of modes) {
    it.effect(`is refused when it is opened: ${what}`, () =>
      Effect.gen(function*() {
        const path = yield* prepared(folderMode, fileMode)
        assert.strictEqual(yield* openAsUser(path, "write"), "ReadOnly")
      }))
  }

  it.effect("is refused even where asking for permission lies", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* openAsUser(yield* prepared(0o777, 0o444), "effective"), "ReadOnly")
    }))

  it.effect("can be read", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* openAsUser(yield* prepared(0o777, 0o444), "read"), "opened")
    }))
})

describe("syncs", () => {
  const unavailable = DiskFaults.unavailable()

  it("one for each acknowledged commit, none for any other statement (case 4)", (test) => {
    if (unavailable !== undefined) return test.skip(unavailable)
    return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const folder = yield* TempFolder.make
      const run = (synchronous: string) =>
        JSON.parse(DiskFaults.run(Child.programPath("commits"), [join(folder, synchronous), synchronous, "50"]).stdout)
      assert.deepStrictEqual(run("FULL"), { syncs: 50, stored: { n: 50 } })
      assert.deepStrictEqual(run("NORMAL"), { syncs: 0, stored: { n: 50 } })
    })))
  })

  for (const kind of ["syncs", "writes"]) {
    it(`one that fails stops all writing for good (${kind} fail with EIO, case 5)`, (test) => {
      if (unavailable !== undefined) return test.skip(unavailable)
      return Effect.runPromise(Effect.scoped(Effect.gen(function*() {
        const path = join(yield* TempFolder.make, "coppice.db")
        const { stdout } = DiskFaults.run(Child.programPath("brokenDisk"), [path, kind])
        assert.deepStrictEqual(JSON.parse(stdout), {
          before: "done",
          during: "Io",
          after: "Io",
          alone: "Io",
          raw: "Io",
          checkpoint: "Io",
          failure: "Io",
          syncsAfter: 0,
          rows: ["before"]
        })
        const db = yield* Database.open({ path })
        assert.deepStrictEqual(db.integrityCheck(), [])
        assert.include(["before", "before,during"], db.prepare("SELECT group_concat(body) AS b FROM log").get()?.["b"])
      })))
    })
  }
})
