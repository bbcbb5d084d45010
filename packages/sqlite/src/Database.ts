/**
 * One SQLite file behind a small synchronous handle.
 *
 * The task log commits in groups and cannot afford a fiber per statement, so this handle is plain function calls over
 * prepared statements; `SqliteClient` builds an `effect/sql` client on the same connection for everything that is not
 * hot. Methods throw `DatabaseError`, and `attempt` brings them into `Effect`. It stops where meaning begins: no schema,
 * no migrations, no retries, and no ownership (`FileOwner` decides which process may open the file).
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { DatabaseSync } from "node:sqlite"
import { DatabaseError, fromUnknown } from "./DatabaseError.ts"
import { Handle } from "./internal/handle.ts"

export { DatabaseError } from "./DatabaseError.ts"

/**
 * What a statement takes and what a column holds.
 */
export type Value = null | number | bigint | string | Uint8Array

/**
 * A row, unless the caller names a narrower type at `prepare`.
 */
export type Row = { readonly [column: string]: Value }

/**
 * What a write changed.
 */
export interface Changes {
  readonly changes: number
  readonly lastInsertRowid: bigint
}

/**
 * A prepared statement; every method throws `DatabaseError`.
 *
 * **Gotchas**
 *
 * A cursor of `iterate` that is neither finished nor returned keeps its read snapshot open, and the write-ahead log
 * grows until it is: consume it in a `for … of`, which returns it on `break` and on throw.
 */
export interface Statement<R = Row> {
  readonly run: (...params: ReadonlyArray<Value>) => Changes
  readonly all: (...params: ReadonlyArray<Value>) => Array<R>
  readonly get: (...params: ReadonlyArray<Value>) => R | undefined
  readonly iterate: (...params: ReadonlyArray<Value>) => IterableIterator<R>
}

/**
 * How far a checkpoint came: pages in the log, and how many of them are in the database file.
 */
export interface Checkpoint {
  readonly busy: boolean
  readonly logged: number
  readonly checkpointed: number
}

/**
 * An open database file; every method throws `DatabaseError`.
 */
export interface Database {
  readonly path: string

  /** The connection itself, for `SqliteClient` and for backups. */
  readonly connection: DatabaseSync

  /** The first disk failure; once there is one, reads go on and every write is refused with it. */
  readonly failure: DatabaseError | undefined

  /**
   * Returns the statement of this text, prepared once and kept.
   *
   * **Gotchas**
   *
   * Integers beyond 2^53 throw when read, unless `bigints` is set, which turns every integer of the row into a bigint.
   */
  readonly prepare: <R = Row>(sql: string, options?: { readonly bigints?: boolean | undefined }) => Statement<R>

  /** Runs statements that take no parameters and return no rows, such as a migration. */
  readonly exec: (sql: string) => void

  /**
   * Runs `body` between `BEGIN IMMEDIATE` and `COMMIT`, and rolls back when it throws; inside another transaction it is
   * a savepoint, so a body that throws undoes only itself.
   *
   * **Details**
   *
   * What `body` throws is thrown unchanged. When this returns, at `synchronous: "FULL"`, the changes are on the disk.
   * After a failure the handle is usable again. While a transaction of a `SqlClient` is open on the same connection,
   * this and every other write fails with `Busy` instead of joining it.
   *
   * **Gotchas**
   *
   * `body` must be synchronous: a promise would let other work into the transaction, so returning one is an error.
   */
  readonly transaction: <A>(body: () => A) => A

  /** Copies the write-ahead log into the database file. `PASSIVE` waits for nobody, `TRUNCATE` also empties the log. */
  readonly checkpoint: (mode?: "PASSIVE" | "FULL" | "RESTART" | "TRUNCATE") => Checkpoint

  /**
   * Reads the whole file and returns what is wrong with its structure; an empty list means sound.
   *
   * **Gotchas**
   *
   * It blocks for seconds per gigabyte. SQLite keeps no checksums of pages, so a changed byte inside a value is not
   * noticed here: values that matter carry a `Checksum` of their own.
   */
  readonly integrityCheck: (mode?: "full" | "quick") => ReadonlyArray<string>

  /** Reads a pragma, or sets it and returns what SQLite answers. */
  readonly pragma: (name: string, value?: string | number) => Value | undefined

  /**
   * Names what the connection threw, and stops all writing when the disk failed. For code that uses `connection` itself.
   */
  readonly error: (cause: unknown, operation: string) => DatabaseError
}

/**
 * How a database file is opened.
 *
 * **Details**
 *
 * - `path` may be `:memory:`. A missing folder is created, for this user only.
 * - `readOnly` opens a file that another process may own; nothing is created or configured.
 * - `synchronous` is `FULL` unless said otherwise: a commit returns after its sync. `NORMAL` may lose the last commits
 *   at a power cut, and is then unable to tell that loss from damage.
 * - `busyTimeout` (5 seconds) blocks the event loop while another process holds a lock.
 * - `cacheSize` (16 MiB) is the page cache in bytes.
 * - `checkpointPages` (1,000) is the length of the log at which it is copied into the file, after the commit that
 *   reached it has been answered; at four times that it happens inside a commit.
 */
export interface Options {
  readonly path: string
  readonly readOnly?: boolean | undefined
  readonly synchronous?: "OFF" | "NORMAL" | "FULL" | "EXTRA" | undefined
  readonly busyTimeout?: Duration.Input | undefined
  readonly cacheSize?: number | undefined
  readonly checkpointPages?: number | undefined
  readonly prepareCacheSize?: number | undefined
}

/**
 * Opens a database file, and closes it with the scope.
 *
 * **Details**
 *
 * A damaged header or write-ahead log fails with `Corrupt`. SQLite itself would silently drop every commit behind the
 * first damaged frame of the log; a torn last commit, which nobody was told of, is dropped as SQLite does.
 */
export const open: (options: Options) => Effect.Effect<Database, DatabaseError, Scope.Scope> = Effect.fn(
  "Database.open"
)(function*(options: Options) {
  const handle = yield* Effect.acquireRelease(
    Effect.try({
      try: () => new Handle(options),
      catch: (cause) => fromUnknown(cause, { path: options.path, operation: "open" })
    }),
    (handle) => Effect.sync(() => handle.close())
  )
  yield* Effect.forkScoped(checkpointWhenDue(handle))
  return handle
})

/**
 * Runs synchronous work on a database: a thrown `DatabaseError` becomes a failure, anything else thrown is a defect.
 */
export const attempt = <A>(body: () => A): Effect.Effect<A, DatabaseError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      return cause instanceof DatabaseError ? Effect.fail(cause) : Effect.die(cause)
    }
  })

// Two turns of the scheduler later, so that whoever waited for the commit has been answered before the pages are copied.
// A failure needs no handling here: a full disk, or a transaction of somebody else, is met again after the next commit,
// and a broken disk is kept in `failure`.
const checkpointWhenDue = (handle: Handle): Effect.Effect<never> =>
  handle.checkpointDue.await.pipe(
    Effect.andThen(Effect.yieldNow),
    Effect.andThen(Effect.yieldNow),
    Effect.andThen(Effect.ignore(attempt(() => handle.checkpointNow()))),
    Effect.forever
  )
