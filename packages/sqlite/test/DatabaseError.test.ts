import { assert, describe, it } from "@effect/vitest"
import { DatabaseError, fromUnknown, type Reason } from "../src/DatabaseError.ts"

const sqlite = (errcode: number) => Object.assign(new Error("said so"), { code: "ERR_SQLITE_ERROR", errcode })
const system = (code: string) => Object.assign(new Error("said so"), { code, syscall: "open" })
const reasonOf = (cause: unknown) => fromUnknown(cause, { path: "a.db", operation: "run" }).reason

describe("fromUnknown", () => {
  // literals: the codes are SQLite's contract, https://www.sqlite.org/rescode.html
  const table: ReadonlyArray<readonly [string, unknown, Reason["_tag"]]> = [
    ["BUSY", sqlite(5), "Busy"],
    ["BUSY_SNAPSHOT", sqlite(517), "Busy"],
    ["LOCKED", sqlite(6), "Busy"],
    ["READONLY", sqlite(8), "ReadOnly"],
    ["READONLY_DIRECTORY", sqlite(1544), "ReadOnly"],
    ["PERM", sqlite(3), "ReadOnly"],
    ["IOERR_FSYNC", sqlite(1034), "Io"],
    ["IOERR_WRITE", sqlite(778), "Io"],
    ["IOERR_NOMEM", sqlite(3082), "Other"],
    ["IOERR_SHMSIZE", sqlite(4874), "DiskFull"],
    ["IOERR_DATA", sqlite(8202), "Corrupt"],
    ["IOERR_CORRUPTFS", sqlite(8458), "Corrupt"],
    ["CORRUPT", sqlite(11), "Corrupt"],
    ["CORRUPT_INDEX", sqlite(779), "Corrupt"],
    ["NOTADB", sqlite(26), "Corrupt"],
    ["FULL", sqlite(13), "DiskFull"],
    ["CANTOPEN", sqlite(14), "Other"],
    ["CONSTRAINT_UNIQUE", sqlite(2067), "Constraint"],
    ["ERROR", sqlite(1), "Other"],
    ["EACCES", system("EACCES"), "ReadOnly"],
    ["EROFS", system("EROFS"), "ReadOnly"],
    ["ENOSPC", system("ENOSPC"), "DiskFull"],
    ["EIO", system("EIO"), "Io"],
    ["ENOTDIR", system("ENOTDIR"), "Other"],
    ["a value that cannot be bound", Object.assign(new TypeError("no"), { code: "ERR_INVALID_ARG_TYPE" }), "Other"],
    ["something thrown", "text", "Other"]
  ]
  for (const [name, cause, tag] of table) {
    it(`${name} is ${tag}`, () => assert.strictEqual(reasonOf(cause)._tag, tag))
  }

  it("tells the kinds of constraints apart", () => {
    const kinds = [275, 787, 1299, 1555, 2067, 2579, 1811].map((code) => reasonOf(sqlite(code)))
    const names = ["check", "foreign key", "not null", "unique", "unique", "unique", "other"] as const
    assert.deepStrictEqual(kinds, names.map((kind) => ({ _tag: "Constraint", kind, detail: "said so" })))
  })

  it("leaves a database error as it is", () => {
    const error = new DatabaseError({ reason: { _tag: "Busy" }, path: "a.db", operation: "run" })
    assert.strictEqual(fromUnknown(error, { path: "b.db", operation: "open" }), error)
  })
})

describe("message", () => {
  const reasons: ReadonlyArray<Reason> = [
    { _tag: "Locked", pid: 7, since: "2026-11-21T07:00:00.000Z" },
    { _tag: "Locked", pid: undefined, since: undefined },
    { _tag: "Corrupt", detail: "file is not a database" },
    { _tag: "NewerSchema", found: 3, supported: 2 },
    { _tag: "DiskFull" },
    { _tag: "ReadOnly" },
    { _tag: "Io", detail: "disk I/O error" },
    { _tag: "Constraint", kind: "unique", detail: "UNIQUE constraint failed: t.a" },
    { _tag: "Busy" },
    { _tag: "Other", detail: "near \"x\": syntax error" }
  ]
  const errors = reasons.map((reason) => new DatabaseError({ reason, path: "a.db", operation: "run" }))

  it("is one line that names the file and the way out", () =>
    assert.deepStrictEqual(errors.map((error) => error.message), [
      "a.db: in use by process 7 since 2026-11-21T07:00:00.000Z; stop that process or choose another file",
      "a.db: in use by another process; stop that process or choose another file",
      "a.db: damaged (file is not a database); restore a backup, or move the file, its -wal and its -shm away to start empty",
      "a.db: has schema 3, but this release knows only up to 2; upgrade it",
      "a.db: the disk is full; free some space, no restart is needed",
      "a.db: may not be written; give this user write permission on the file and its folder",
      "a.db: the disk failed (disk I/O error) and writing has stopped; check the disk, then restart",
      "a.db: a row was refused (UNIQUE constraint failed: t.a); it conflicts with what is stored",
      "a.db: a lock in the database was not free in time; try again",
      "a.db: near \"x\": syntax error"
    ]))

  it("only a full disk and a busy lock are worth another try", () =>
    assert.deepStrictEqual(
      errors.filter((error) => error.isRetryable).map((error) => error.reason._tag),
      ["DiskFull", "Busy"]
    ))
})
