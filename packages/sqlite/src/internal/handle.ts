/**
 * The connection behind `Database`: opening, transactions, checkpoints, and the rule that a failed disk ends all writing.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Latch from "effect/Latch"
import * as Predicate from "effect/Predicate"
import { accessSync, closeSync, constants, mkdirSync, openSync, realpathSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import type { Checkpoint, Database, Options, Row, Statement, Value } from "../Database.ts"
import { DatabaseError, fromUnknown } from "../DatabaseError.ts"
import { makeStatement } from "./statement.ts"
import { findDamage } from "./wal.ts"

/** @internal */
export class Handle implements Database {
  readonly path: string
  readonly connection: DatabaseSync
  readonly checkpointDue = Latch.makeUnsafe(false)
  failure: DatabaseError | undefined = undefined

  readonly #statements = new Map<string, Statement<any>>()
  readonly #statementLimit: number
  readonly #checkpointPages: number
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #rollback: StatementSync
  readonly #logLength: StatementSync
  readonly #forget: () => void
  #depth = 0
  #halfRolledBack = false
  // the error at which SQLite rolled the running transaction back by itself
  #ending: DatabaseError | undefined = undefined

  constructor(options: Options) {
    this.path = options.path
    this.#statementLimit = options.prepareCacheSize ?? 500
    this.#checkpointPages = options.checkpointPages ?? 1000
    if (options.path !== ":memory:") prepareFile(options)
    this.connection = new DatabaseSync(options.path, { readOnly: options.readOnly === true })
    this.#forget = remember(options.path)
    try {
      configure(this.connection, options, this.#checkpointPages)
      this.#begin = this.connection.prepare("BEGIN IMMEDIATE")
      this.#commit = this.connection.prepare("COMMIT")
      this.#rollback = this.connection.prepare("ROLLBACK")
      this.#logLength = this.connection.prepare("PRAGMA wal_checkpoint(NOOP)")
    } catch (cause) {
      this.close()
      throw cause
    }
  }

  readonly prepare = <R = Row>(sql: string, options?: { readonly bigints?: boolean | undefined }): Statement<R> => {
    const bigints = options?.bigints === true
    const key = bigints ? `bigints ${sql}` : sql
    const known = this.#statements.get(key)
    if (known !== undefined) return known
    const made = this.#named("prepare", () => makeStatement<R>(this, sql, bigints))
    if (this.#statements.size >= this.#statementLimit) this.#statements.delete(this.#statements.keys().next().value!)
    this.#statements.set(key, made)
    return made
  }

  readonly exec = (sql: string): void => {
    this.assertWritable()
    this.#named("exec", () => this.connection.exec(sql))
  }

  readonly transaction = <A>(body: () => A): A => {
    if (this.#depth > 0) return this.#nested(body)
    const result = this.#outermost(body)
    this.checkLog()
    return result
  }

  readonly checkpoint = (mode: "PASSIVE" | "FULL" | "RESTART" | "TRUNCATE" = "PASSIVE"): Checkpoint => {
    if (this.failure !== undefined) throw this.failure
    const statement = this.prepare<{ busy: number; log: number; checkpointed: number }>(
      `PRAGMA wal_checkpoint(${mode})`
    )
    const { busy, checkpointed, log } = statement.get()!
    return { busy: busy !== 0, logged: log, checkpointed }
  }

  /** The checkpoint that `checkpointDue` asked for. */
  checkpointNow(): void {
    this.checkpointDue.closeUnsafe()
    this.checkpoint("PASSIVE")
  }

  readonly integrityCheck = (mode: "full" | "quick" = "full"): ReadonlyArray<string> => {
    const name = mode === "full" ? "integrity_check" : "quick_check"
    try {
      const lines = this.prepare(`PRAGMA ${name}`).all().map((row) => String(row[name]))
      return lines.length === 1 && lines[0] === "ok" ? [] : lines
    } catch (cause) {
      const error = this.error(cause, "integrityCheck")
      if (error.reason._tag === "Corrupt") return [error.reason.detail]
      throw error
    }
  }

  readonly pragma = (name: string, value?: string | number): Value | undefined => {
    if (!/^\w+$/.test(name) || (value !== undefined && !/^-?\w+$/.test(String(value)))) {
      throw new TypeError(`not a pragma: ${name} = ${value}`)
    }
    const row = this.prepare(value === undefined ? `PRAGMA ${name}` : `PRAGMA ${name} = ${value}`).get()
    return row === undefined ? undefined : Object.values(row)[0]
  }

  readonly error = (cause: unknown, operation: string): DatabaseError => {
    const error = fromUnknown(cause, { path: this.path, operation })
    if (this.#depth > 0 && !this.connection.isTransaction) this.#ending ??= error
    if (this.failure !== undefined) return error.reason._tag === "ReadOnly" ? this.failure : error
    if (error.reason._tag === "Io") this.#stopWriting(error)
    return error
  }

  /**
   * Refuses a write that would not commit where its author thinks: after a disk failure, inside a transaction that is
   * not ours, or behind a transaction that SQLite has already rolled back.
   */
  assertWritable(): void {
    if (this.failure !== undefined) throw this.failure
    // within a transaction `error` notes its end; asking SQLite costs a quarter of what a small insert does
    if (this.#depth > 0 ? this.#ending === undefined : !this.connection.isTransaction) return
    throw this.#ending ?? new DatabaseError({ reason: { _tag: "Busy" }, path: this.path, operation: "write" })
  }

  /** After a commit: asks for a checkpoint when the log has become long enough. */
  checkLog(): void {
    if (this.#depth > 0 || this.checkpointDue.isOpen()) return
    try {
      const { log } = this.#logLength.get() as { readonly log: number }
      if (log >= this.#checkpointPages) this.checkpointDue.openUnsafe()
    } catch (cause) {
      // the commit has succeeded, and its author must not hear otherwise
      this.error(cause, "checkpoint")
    }
  }

  close(): void {
    this.#statements.clear()
    this.#forget()
    this.connection.close()
  }

  #outermost<A>(body: () => A): A {
    if (this.#halfRolledBack) this.#undo()
    this.assertWritable()
    this.#named("begin", () => this.#begin.run())
    this.#depth = 1
    try {
      const result = assertSynchronous(body())
      if (this.#ending !== undefined) throw this.#ending
      this.#named("commit", () => this.#commit.run())
      return result
    } catch (cause) {
      this.#undo()
      throw cause
    } finally {
      this.#depth = 0
      this.#ending = undefined
    }
  }

  #nested<A>(body: () => A): A {
    const name = `nested_${this.#depth}`
    this.prepare(`SAVEPOINT ${name}`).run()
    this.#depth++
    try {
      const result = assertSynchronous(body())
      this.prepare(`RELEASE ${name}`).run()
      return result
    } catch (cause) {
      // a full disk has rolled back everything: there is no savepoint to return to, and no write may follow
      if (this.connection.isTransaction) {
        this.prepare(`ROLLBACK TO ${name}`).run()
        this.prepare(`RELEASE ${name}`).run()
      }
      throw cause
    } finally {
      this.#depth--
    }
  }

  // SQLite ends some failed transactions itself and leaves others open; a rollback that fails is repeated before the next
  // transaction begins
  #undo(): void {
    this.#halfRolledBack = false
    if (!this.connection.isTransaction) return
    try {
      this.#rollback.run()
    } catch (cause) {
      this.#halfRolledBack = true
      this.error(cause, "rollback")
    }
  }

  // A sync that failed once may report success the next time without having written anything: never ask again.
  #stopWriting(error: DatabaseError): void {
    this.failure = error
    this.connection.exec("PRAGMA query_only = ON")
  }

  #named<A>(operation: string, body: () => A): A {
    try {
      return body()
    } catch (cause) {
      throw this.error(cause, operation)
    }
  }
}

const assertSynchronous = <A>(result: A): A => {
  if (Predicate.hasProperty(result, "then")) throw new TypeError("the body of a transaction must be synchronous")
  return result
}

// Files open in this process. Looking for damage opens the files beside the database, and on POSIX closing any descriptor
// of a file drops every lock the process has on it: never look beside a connection that is already open.
const openFiles = new Map<string, number>()

const remember = (path: string): () => void => {
  if (path === ":memory:") return () => {}
  const file = realpathSync(path)
  openFiles.set(file, (openFiles.get(file) ?? 0) + 1)
  return () => {
    const left = openFiles.get(file)! - 1
    if (left === 0) openFiles.delete(file)
    else openFiles.set(file, left)
  }
}

const prepareFile = (options: Options): void => {
  const refuse = (detail: string) => {
    throw new DatabaseError({ reason: { _tag: "Other", detail }, path: options.path, operation: "open" })
  }
  if (options.readOnly !== true) mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 })
  const found = statSync(options.path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) refuse("is a folder; name a file inside it")
  if (found === undefined) {
    if (options.readOnly === true) refuse("does not exist; check the path")
    // for this user only; SQLite gives the log the same permissions
    closeSync(openSync(options.path, "a", 0o600))
  } else if (!openFiles.has(realpathSync(options.path))) {
    const detail = findDamage(options)
    if (detail !== undefined) {
      throw new DatabaseError({ reason: { _tag: "Corrupt", detail }, path: options.path, operation: "open" })
    }
  }
  if (options.readOnly === true) return
  accessSync(options.path, constants.R_OK | constants.W_OK)
}

// 16 MiB of cache read as fast as 64 and wrote faster; memory-mapped files gained nothing, and turn a disk error or a
// shortened file into a crash of the process, so they stay off.
const configure = (connection: DatabaseSync, options: Options, checkpointPages: number): void => {
  connection.exec(`PRAGMA busy_timeout = ${Math.round(Duration.toMillis(options.busyTimeout ?? "5 seconds"))}`)
  connection.exec(`PRAGMA cache_size = -${Math.round((options.cacheSize ?? 16 * 1024 * 1024) / 1024)}`)
  connection.exec("PRAGMA mmap_size = 0")
  if (options.readOnly !== true) {
    if (options.path !== ":memory:") connection.exec("PRAGMA journal_mode = WAL")
    connection.exec(`PRAGMA synchronous = ${options.synchronous ?? "FULL"}`)
    // macOS: a plain fsync leaves the data in the cache of the drive
    connection.exec("PRAGMA fullfsync = ON")
    connection.exec("PRAGMA foreign_keys = ON")
    // the bound, should the scheduler never get a turn; the log file itself is kept, because overwriting it is cheaper
    // than growing a new one (one and a half times the commits per second)
    connection.exec(`PRAGMA wal_autocheckpoint = ${4 * checkpointPages}`)
    connection.exec(`PRAGMA journal_size_limit = ${8 * checkpointPages * 4096}`)
    // SQLite opens a file it may not write without a word, and even begins: try a write now, not at the first task
    connection.exec("BEGIN IMMEDIATE; PRAGMA user_version = 1; ROLLBACK")
  }
  connection.prepare("SELECT count(*) FROM sqlite_schema").get()
}
