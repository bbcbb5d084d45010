/**
 * The `effect/sql` client over `node:sqlite`.
 *
 * For everything that is not hot: migrations, reports, the tables of libraries. It runs on the connection of a `Database`
 * so that one process has one connection, one cache and one view of a failed disk. It stops at statements: what they
 * mean, and who may open the file, is decided elsewhere.
 */
import * as Cache from "effect/Cache"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { SQLInputValue, StatementSync } from "node:sqlite"
import * as Database from "./Database.ts"
import type { DatabaseError } from "./DatabaseError.ts"

/**
 * Builds a client on the connection of an open database.
 *
 * **Details**
 *
 * Failures are `SqlError`; the `DatabaseError` behind one is the `cause` of its reason. Read 64-bit integers by
 * providing `SqlClient.SafeIntegers`.
 *
 * **Gotchas**
 *
 * There is one connection behind one permit. A query issued while a stream of the same client is consumed waits for
 * ever, unless both run in `withTransaction`. While a `withTransaction` is open, writes of the `Database` fail with
 * `Busy`: keep it short. Every statement blocks the event loop while it runs.
 */
export const fromDatabase: (
  database: Database.Database,
  options?: { readonly prepareCacheSize?: number | undefined }
) => Effect.Effect<SqlClient.SqlClient, never, Scope.Scope | Reactivity.Reactivity> = Effect.fnUntraced(
  function*(database, options) {
    const prepared = yield* Cache.make({
      capacity: options?.prepareCacheSize ?? 500,
      timeToLive: Duration.infinity,
      lookup: (sql: string) => prepare(database, sql)
    })
    const connection = makeConnection(database, (sql) => Cache.get(prepared, sql))
    return yield* SqlClient.make({
      ...SqlClient.makeSqliteAcquirers<Connection>({
        connection: Effect.succeed(connection),
        semaphore: yield* Semaphore.make(1),
        isTransaction: () => database.connection.isTransaction
      }),
      driver: "sqlite-node",
      compiler: Statement.makeCompilerSqlite(),
      prepareTransactionControls: true,
      beginTransaction: "BEGIN IMMEDIATE",
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      spanAttributes: [["db.system.name", "sqlite"]]
    })
  }
)

/**
 * Provides a client on the connection of an open database.
 */
export const layerDatabase = (database: Database.Database): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(SqlClient.SqlClient, fromDatabase(database)).pipe(Layer.provide(Reactivity.layer))

/**
 * Opens a database file and provides a client on it.
 */
export const layer = (options: Database.Options): Layer.Layer<SqlClient.SqlClient, DatabaseError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.flatMap(Database.open(options), (database) => fromDatabase(database, options))
  )
    .pipe(Layer.provide(Reactivity.layer))

type Mode = "rows" | "raw" | "values"
type Prepare = (sql: string) => Effect.Effect<StatementSync, SqlError>
type Transform = (<A extends object>(row: ReadonlyArray<A>) => ReadonlyArray<A>) | undefined

const makeConnection = (database: Database.Database, cached: Prepare): Connection => {
  const once: Prepare = (sql) => prepare(database, sql)
  const run = (find: Prepare, sql: string, params: ReadonlyArray<unknown>, mode: Mode) =>
    Effect.withFiber<any, SqlError>((fiber) => {
      const safeIntegers = Context.get(fiber.context, SqlClient.SafeIntegers)
      return Effect.flatMap(
        find(sql),
        (statement) => attempt(database, "execute", () => execute(statement, params, mode, safeIntegers))
      )
    })
  return {
    execute: (sql, params, transform) => transformed(run(cached, sql, params, "rows"), transform),
    executeRaw: (sql, params) => run(cached, sql, params, "raw"),
    executeValues: (sql, params) => run(cached, sql, params, "values"),
    executeUnprepared: (sql, params, transform) => transformed(run(once, sql, params, "rows"), transform),
    executeValuesUnprepared: (sql, params) => run(once, sql, params, "values"),
    executeStream: (sql, params, transform) => stream(database, sql, params, transform)
  }
}

const execute = (statement: StatementSync, params: ReadonlyArray<unknown>, mode: Mode, safeIntegers: boolean) => {
  const values = params as ReadonlyArray<SQLInputValue>
  const returnsRows = statement.columns().length > 0
  // run() also reads the last rowid, and throws after the write when that exceeds 2^53 (Node 26)
  statement.setReadBigInts(returnsRows ? safeIntegers : true)
  statement.setReturnArrays(mode === "values")
  if (returnsRows) return statement.all(...values)
  const { changes, lastInsertRowid } = statement.run(...values)
  return mode === "raw" ? { changes: Number(changes), lastInsertRowid } : []
}

// A statement of its own, because a shared one would be reset by the same text; its cursor is released, or a stream that
// ends early would keep its snapshot open and the log growing.
const stream = (
  database: Database.Database,
  sql: string,
  params: ReadonlyArray<unknown>,
  transform: Transform
): Stream.Stream<any, SqlError> =>
  Stream.unwrap(Effect.gen(function*() {
    const statement = yield* prepare(database, sql)
    statement.setReadBigInts(yield* SqlClient.SafeIntegers)
    const cursor = yield* Effect.acquireRelease(
      attempt(database, "execute", () => statement.iterate(...params as ReadonlyArray<SQLInputValue>)),
      (cursor) => Effect.sync(() => cursor.return?.())
    )
    const rows = Stream.paginate(undefined, () => attempt(database, "execute", () => take(cursor)))
    return transform === undefined ? rows : Stream.mapArray(rows, (chunk) => transform(chunk) as any)
  }))

const take = (cursor: Iterator<object>): readonly [ReadonlyArray<object>, Option.Option<undefined>] => {
  const rows: Array<object> = []
  while (rows.length < 128) {
    const next = cursor.next()
    if (next.done === true) return [rows, Option.none()]
    rows.push(next.value)
  }
  return [rows, Option.some(undefined)]
}

const transformed = (rows: Effect.Effect<any, SqlError>, transform: Transform) =>
  transform === undefined ? rows : Effect.map(rows, transform)

const prepare = (database: Database.Database, sql: string): Effect.Effect<StatementSync, SqlError> =>
  attempt(database, "prepare", () => database.connection.prepare(sql))

const attempt = <A>(database: Database.Database, operation: string, body: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({ try: body, catch: (cause) => sqlError(database, operation, cause) })

// The `DatabaseError` stays the cause, dressed as the classifier of Effect wants it: `errno` is what node:sqlite calls
// `errcode`, and a primary key that is taken counts as a unique violation, as it does on Postgres.
const sqlError = (database: Database.Database, operation: string, cause: unknown): SqlError => {
  const error = database.error(cause, operation)
  const code = Predicate.hasProperty(error.cause, "errcode") ? error.cause.errcode : undefined
  const { reason } = error
  const unique = reason._tag === "Constraint" && reason.kind === "unique"
  const constraint = unique ? { constraint: reason.detail.replace(/^.*constraint failed: /, "") } : {}
  const classifiable = Object.assign(error, { errno: unique ? SQLITE_CONSTRAINT_UNIQUE : code, ...constraint })
  return new SqlError({ reason: classifySqliteError(classifiable, { message: error.message, operation }) })
}

const SQLITE_CONSTRAINT_UNIQUE = 19 | (8 << 8)
