/**
 * One process owns a database file.
 *
 * Two processes on one task log would each believe they own every run. The lock is the operating system's: an exclusive
 * transaction held open on a side file, so it is gone the moment the process is, however it died. It stops at one
 * machine; owners on several machines are the business of a database server.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { DatabaseError, fromUnknown } from "./DatabaseError.ts"

/**
 * Takes ownership of the database file at `path` until the scope closes, or fails with `Locked`.
 *
 * **Details**
 *
 * `<path>.lock` carries the lock and stays empty; `<path>.owner` tells a refused process who holds it. A killed owner
 * leaves both behind, and neither means anything without the lock.
 *
 * **Gotchas**
 *
 * Acquire before opening the database, in the same scope, so that the database is closed before another process can own
 * it. Never open `<path>.lock` by other means in the owning process: on POSIX, closing any descriptor of a file drops
 * the locks the process has on it.
 */
export const acquire: (path: string) => Effect.Effect<void, DatabaseError, Scope.Scope> = Effect.fn(
  "FileOwner.acquire"
)(function*(path: string) {
  if (path === ":memory:") return
  yield* Effect.acquireRelease(
    Effect.try({
      try: () => lock(path),
      catch: (cause) => fromUnknown(cause, { path, operation: "acquire" })
    }),
    (held) => Effect.sync(() => release(held))
  )
})

interface Held {
  readonly connection: DatabaseSync
  readonly ownerFile: string
}

interface Owner {
  readonly pid: number
  readonly since: string
}

// Two processes that start together may refuse each other once; trying again this long lets exactly one of them win, and
// a refusal still feels immediate.
const patienceMillis = 100

const lock = (path: string): Held => {
  const file = resolved(path)
  const ownerFile = `${file}.owner`
  const connection = new DatabaseSync(`${file}.lock`, { timeout: patienceMillis })
  try {
    connection.exec("BEGIN EXCLUSIVE")
    writeOwner(ownerFile)
    return { connection, ownerFile }
  } catch (cause) {
    connection.close()
    const error = fromUnknown(cause, { path, operation: "acquire" })
    throw error.reason._tag === "Busy" ? refusal(path, ownerFile, cause) : error
  }
}

const release = (held: Held): void => {
  rmSync(held.ownerFile, { force: true })
  held.connection.close()
}

const refusal = (path: string, ownerFile: string, cause: unknown): DatabaseError => {
  const owner = readOwner(ownerFile)
  const reason = { _tag: "Locked", pid: owner?.pid, since: owner?.since } as const
  return new DatabaseError({ reason, path, operation: "acquire", cause })
}

// two names of one file must meet at one lock
const resolved = (path: string): string => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return join(realpathSync(dirname(path)), basename(path))
  if (!found.isDirectory()) return realpathSync(path)
  const reason = { _tag: "Other", detail: "is a folder; name a file inside it" } as const
  throw new DatabaseError({ reason, path, operation: "acquire" })
}

const writeOwner = (ownerFile: string): void => {
  const since = DateTime.formatIso(DateTime.makeUnsafe(Math.floor(performance.timeOrigin)))
  const owner: Owner = { pid: process.pid, since }
  const draft = `${ownerFile}.${process.pid}`
  writeFileSync(draft, JSON.stringify(owner), { mode: 0o600 })
  renameSync(draft, ownerFile)
}

// What a killed owner left behind names a process that is gone; then nobody is named.
const readOwner = (ownerFile: string): Owner | undefined => {
  try {
    const { pid, since } = JSON.parse(readFileSync(ownerFile, "utf8"))
    return Number.isInteger(pid) && typeof since === "string" && isAlive(pid) ? { pid, since } : undefined
  } catch {
    return undefined
  }
}

// signal 0 asks without sending; a process of another user answers EPERM, and lives
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}
