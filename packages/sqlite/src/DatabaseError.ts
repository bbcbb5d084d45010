/**
 * The one error of this package.
 *
 * Every failure of a database file, whatever SQLite or the file system calls it, arrives as a `DatabaseError` with a
 * `reason`. The reasons are what a caller can decide on; the original error stays in `cause`. Classification lives here
 * and nowhere else.
 */
import * as Data from "effect/Data"
import * as Predicate from "effect/Predicate"

/**
 * Why a database operation failed.
 *
 * **Details**
 *
 * - `Locked`: another process owns the file.
 * - `Corrupt`: the file, or its write-ahead log, is damaged.
 * - `NewerSchema`: the file was written by a newer release.
 * - `DiskFull`: no room was left; the handle stays usable and recovers once there is room again.
 * - `ReadOnly`: the file, or its folder, may not be written.
 * - `Io`: the operating system failed a read, a write or a sync; the handle refuses every further write.
 * - `Constraint`: a row broke a constraint of the schema.
 * - `Busy`: a lock inside the database was not free in time.
 * - `Other`: anything else, such as a syntax error, a value that cannot be bound, or a path that is a folder.
 */
export type Reason =
  | { readonly _tag: "Locked"; readonly pid: number | undefined; readonly since: string | undefined }
  | { readonly _tag: "Corrupt"; readonly detail: string }
  | { readonly _tag: "NewerSchema"; readonly found: number; readonly supported: number }
  | { readonly _tag: "DiskFull" }
  | { readonly _tag: "ReadOnly" }
  | { readonly _tag: "Io"; readonly detail: string }
  | { readonly _tag: "Constraint"; readonly kind: ConstraintKind; readonly detail: string }
  | { readonly _tag: "Busy" }
  | { readonly _tag: "Other"; readonly detail: string }

/**
 * Which kind of constraint a row broke.
 */
export type ConstraintKind = "unique" | "foreign key" | "not null" | "check" | "other"

/**
 * A failed operation on a database file.
 *
 * **Details**
 *
 * `message` is one line that names the file and what to do about it.
 *
 * **Gotchas**
 *
 * After an `Io` failure of a commit the outcome is unknown: the changes may be there after the next start.
 */
export class DatabaseError extends Data.TaggedError("DatabaseError")<{
  readonly reason: Reason
  readonly path: string
  readonly operation: string
  readonly cause?: unknown
}> {
  override get message(): string {
    return `${this.path}: ${explain(this.reason)}`
  }

  /** Whether the same operation may succeed later, in this process and with this handle. */
  get isRetryable(): boolean {
    return this.reason._tag === "Busy" || this.reason._tag === "DiskFull"
  }
}

/**
 * Turns whatever `node:sqlite` or `node:fs` threw into a `DatabaseError`; one that is a `DatabaseError` already is
 * returned as it is.
 */
export const fromUnknown = (
  cause: unknown,
  context: { readonly path: string; readonly operation: string }
): DatabaseError => {
  if (cause instanceof DatabaseError) return cause
  return new DatabaseError({ reason: reasonOf(cause), path: context.path, operation: context.operation, cause })
}

const explain = (reason: Reason): string => {
  switch (reason._tag) {
    case "Locked":
      return `in use by ${describeOwner(reason.pid, reason.since)}; stop that process or choose another file`
    case "Corrupt":
      return `damaged (${reason.detail}); restore a backup, or move the file, its -wal and its -shm away to start empty`
    case "NewerSchema":
      return `has schema ${reason.found}, but this release knows only up to ${reason.supported}; upgrade it`
    case "DiskFull":
      return "the disk is full; free some space, no restart is needed"
    case "ReadOnly":
      return "may not be written; give this user write permission on the file and its folder"
    case "Io":
      return `the disk failed (${reason.detail}) and writing has stopped; check the disk, then restart`
    case "Constraint":
      return `a row was refused (${reason.detail}); it conflicts with what is stored`
    case "Busy":
      return "a lock in the database was not free in time; try again"
    case "Other":
      return reason.detail
  }
}

const describeOwner = (pid: number | undefined, since: string | undefined): string =>
  pid === undefined ? "another process" : since === undefined ? `process ${pid}` : `process ${pid} since ${since}`

const reasonOf = (cause: unknown): Reason => {
  const detail = Predicate.hasProperty(cause, "message") ? String(cause.message) : String(cause)
  const code = Predicate.hasProperty(cause, "errcode") ? cause.errcode : undefined
  if (typeof code === "number") return sqliteReason(code, detail)
  const systemCode = Predicate.hasProperty(cause, "syscall") && Predicate.hasProperty(cause, "code")
  return systemCode ? systemReason(String(cause.code), detail) : { _tag: "Other", detail }
}

// Extended result codes of SQLite: the low byte is the kind, the next one the detail.
const IOERR_NOMEM = 10 | (12 << 8)
const IOERR_SHMSIZE = 10 | (19 << 8)
const IOERR_DATA = 10 | (32 << 8)
const IOERR_CORRUPTFS = 10 | (33 << 8)

const sqliteReason = (code: number, detail: string): Reason => {
  switch (code) {
    case IOERR_NOMEM:
      return { _tag: "Other", detail: "not enough memory" }
    // the shared index of the log could not grow: it lies beside the file, so it is the disk that ran out
    case IOERR_SHMSIZE:
      return { _tag: "DiskFull" }
    case IOERR_DATA:
    case IOERR_CORRUPTFS:
      return { _tag: "Corrupt", detail }
  }
  switch (code & 0xff) {
    case 3:
    case 8:
      return { _tag: "ReadOnly" }
    case 5:
    case 6:
      return { _tag: "Busy" }
    case 10:
      return { _tag: "Io", detail }
    case 11:
    case 26:
      return { _tag: "Corrupt", detail }
    case 13:
      return { _tag: "DiskFull" }
    case 14:
      return { _tag: "Other", detail: `${detail}; check the permissions of its folder and the limit of open files` }
    case 19:
      return { _tag: "Constraint", kind: constraintKind(code), detail }
    default:
      return { _tag: "Other", detail }
  }
}

const systemReason = (code: string, detail: string): Reason => {
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return { _tag: "ReadOnly" }
    case "ENOSPC":
    case "EDQUOT":
      return { _tag: "DiskFull" }
    case "EIO":
      return { _tag: "Io", detail }
    default:
      return { _tag: "Other", detail }
  }
}

const constraintKind = (code: number): ConstraintKind => {
  switch (code >> 8) {
    case 1:
      return "check"
    case 3:
      return "foreign key"
    case 5:
      return "not null"
    case 6: // primary key
    case 8: // unique index
    case 10: // rowid
      return "unique"
    default:
      return "other"
  }
}
