/**
 * The task store in SQL, over a small synchronous driver.
 *
 * The driver is a port (`SqlDriver`): `packages/sqlite` has the one for `node:sqlite`. Statements are prepared once; a
 * commit is one transaction of plain inserts and updates, in which a task created and ended within the same batch costs
 * one row. The driver's calls are synchronous, so the event loop stands still for the length of one transaction.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AuditEntry, AuditQuery } from "./Audit.ts"
import * as Failpoint from "./Failpoint.ts"
import { chain } from "./internal/auditing.ts"
import { ofColumns, ofEvent, ofText } from "./internal/checksum.ts"
import { digest as digestOf } from "./internal/digest.ts"
import { migrations } from "./internal/migrations.ts"
import { Removal } from "./internal/removal.ts"
import {
  toAudit,
  toCalls,
  toChild,
  toCursor,
  toData,
  toEnvelope,
  toExpiry,
  toHistory,
  toInput,
  toLive,
  toMessage,
  toNote,
  toOpenInput,
  toReceipt,
  toRow,
  toSum,
  toTimer
} from "./internal/rows.ts"
import { select, type Statements, statements } from "./internal/statements.ts"
import { findDamage } from "./internal/verify.ts"
import { isTerminal, type TaskId, type TaskStatus } from "./Task.ts"
import type { Envelope, TaskEvent } from "./TaskEvent.ts"
import { isEnding } from "./TaskEvent.ts"
import {
  type Batch,
  type EventQuery,
  StoreError,
  type StoreErrorReason,
  type TaskQuery,
  type TaskRow,
  TaskStore
} from "./TaskStore.ts"

/** What a column may hold. */
export type SqlValue = null | number | bigint | string | Uint8Array

/** A prepared statement; every method throws the driver's error. */
export interface SqlStatement {
  readonly run: (...params: ReadonlyArray<SqlValue>) => unknown
  readonly all: (...params: ReadonlyArray<SqlValue>) => Array<any>
  readonly get: (...params: ReadonlyArray<SqlValue>) => any
}

/**
 * A synchronous SQL connection this process owns alone. Errors it throws carry a `reason` with a `_tag` that is one of
 * the store's reasons, and a `message` for a person.
 */
export class SqlDriver extends Context.Service<SqlDriver, {
  readonly prepare: (sql: string) => SqlStatement
  readonly exec: (sql: string) => void
  readonly transaction: <A>(body: () => A) => A
}>()("@coppice/task/SqlTaskStore/SqlDriver") {}

const reasons = new Set<string>(
  ["Locked", "Corrupt", "NewerSchema", "DiskFull", "ReadOnly", "Io", "Busy", "Fenced"] satisfies Array<StoreErrorReason>
)

const toStoreError = (cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause
  const tag = (cause as { readonly reason?: { readonly _tag?: string } } | undefined)?.reason?._tag ?? "Other"
  const message = cause instanceof Error ? cause.message : String(cause)
  return new StoreError({ reason: reasons.has(tag) ? tag as StoreErrorReason : "Other", message, cause })
}

const attempt = <A>(body: () => A): Effect.Effect<A, StoreError> => Effect.try({ try: body, catch: toStoreError })

/** Brings an empty or older database to this release's schema; refuses a newer one. */
export const migrate = (driver: SqlDriver["Service"]): void => {
  const found = (driver.prepare("PRAGMA user_version").get() as { readonly user_version: number }).user_version
  if (found > migrations.length) {
    throw new StoreError({
      reason: "NewerSchema",
      message: `The store has schema ${found}, this release knows up to ${migrations.length}; ` +
        "start it with the newer release, or restore a backup"
    })
  }
  for (let version = found; version < migrations.length; version++) {
    driver.transaction(() => {
      driver.exec(migrations[version]!)
      driver.exec(`PRAGMA user_version = ${version + 1}`)
    })
  }
}

const fenced = () =>
  new StoreError({ reason: "Fenced", message: "Another process took over the store; this one must stop" })

const eventValues = ({ at, event, run, seq, task }: Envelope): ReadonlyArray<SqlValue> => {
  const type = event._tag
  const data = toData(event)
  const input = type === "Created" ? JSON.stringify(event.input) : null
  const sum = ofEvent({ seq, task, run, at, type }, data)
  return [seq, task, run, at, type, sum, input === null ? null : ofText(input), data, input]
}

const taskValues = (row: TaskRow): ReadonlyArray<SqlValue> => {
  const { state } = row
  const expiry = toExpiry(row)
  const live = toLive(row)
  const message = toMessage(row)
  return [
    state.id,
    state.run,
    state.parent,
    state.key,
    state.agent,
    state.spec.principal,
    state.status,
    message,
    state.reason,
    row.parked ? 1 : 0,
    state.attempt,
    state.createdAt,
    state.updatedAt,
    state.endedAt,
    state.deadline,
    expiry,
    state.settlement,
    state.settledAt,
    row.createdSeq,
    row.endedSeq,
    row.settledSeq,
    live,
    toSum(row, expiry, message, live)
  ]
}

const auditValues = ({ agent, at, by, detail, hash, kind, n, run, task }: AuditEntry): ReadonlyArray<SqlValue> => [
  n,
  at,
  kind,
  by,
  task,
  run,
  agent,
  JSON.stringify(detail),
  hash
]

class Writer {
  private readonly sql: Statements
  constructor(sql: Statements) {
    this.sql = sql
  }

  assertEpoch(epoch: number): void {
    const owner = this.sql.epoch.get() as { readonly epoch: number }
    if (owner.epoch !== epoch) throw fenced()
  }

  write(batch: Batch): void {
    this.assertEpoch(batch.epoch)
    this.sql.insertTasks(batch.created, taskValues)
    const firstSeq = batch.events[0]?.seq ?? Infinity
    for (const row of batch.changed) this.update(row, firstSeq)
    this.sql.insertEvents(batch.events, eventValues)
    this.inputs(batch)
    this.others(batch)
  }

  /** A row whose end was written before `firstSeq` changes no more but to settle, and in what its children give back. */
  private update(row: TaskRow, firstSeq: number): void {
    const { endedSeq, settledSeq, state } = row
    const { attempt, endedAt, id, reason, settledAt, settlement, status, updatedAt } = state
    const parked = row.parked ? 1 : 0
    const expiry = toExpiry(row)
    const live = toLive(row)
    const message = toMessage(row)
    const sum = toSum(row, expiry, message, live)
    const { setDeadline, updateActive, updateEnded, updateSettled } = this.sql
    if (state.steered !== undefined) setDeadline.run(state.deadline, id)
    if (endedSeq === null) updateActive.run(status, message, parked, attempt, updatedAt, live, sum, id)
    else if (endedSeq < firstSeq) updateSettled.run(parked, updatedAt, settlement, settledAt, settledSeq, live, sum, id)
    else {
      updateEnded.run(
        status,
        message,
        reason,
        parked,
        attempt,
        updatedAt,
        endedAt,
        expiry,
        settlement,
        settledAt,
        endedSeq,
        settledSeq,
        live,
        sum,
        id
      )
    }
  }

  private inputs(batch: Batch): void {
    // tasks that cannot have an open question: the row of a task that ends in the batch that made it is all there is
    const fresh = new Set<TaskId>()
    for (const row of batch.created) fresh.add(row.state.id)
    let areOpen: boolean | undefined
    for (const { event, run, seq, task } of batch.events) {
      if (event._tag === "InputRequested") {
        fresh.delete(task)
        areOpen = true
        this.sql.insertInput.run(task, event.request.key, run, seq)
      } else if (event._tag === "InputReceived" || event._tag === "InputWithdrawn") {
        this.sql.deleteInput.run(task, event.key)
      } else if (isEnding(event._tag) && !fresh.has(task) && (areOpen ??= this.areOpen())) {
        this.sql.deleteInputs.run(task)
      }
    }
  }

  /** Whether anybody is asked anything at all. */
  private areOpen(): boolean {
    return this.sql.anyInput.get() !== undefined
  }

  private others(batch: Batch): void {
    const { sql } = this
    for (const id of batch.woken) this.wake(id)
    for (const { due, key, task } of batch.timersSet) sql.setTimer.run(task, key, due, ofColumns(task, key, due))
    for (const { key, task } of batch.timersCleared) {
      if (key === null) sql.clearTimers.run(task)
      else sql.clearTimer.run(task, key)
    }
    for (const { agent, digest, key, principal, task } of batch.receipts) {
      sql.insertReceipt.run(principal, agent, key, task, digest, ofColumns(principal, agent, key, task, digest))
    }
    for (const { bytes, digest, mediaType, run } of batch.artifacts) {
      sql.insertArtifact.run(digest, mediaType, bytes)
      sql.insertArtifactRun.run(run, digest)
    }
    for (const [consumer, seq] of batch.cursors) sql.setCursor.run(consumer, seq, ofColumns(consumer, seq))
    const { decisions = [] } = batch
    if (decisions.length > 0) sql.insertAudit(chain(sql.lastAudit.get(), decisions), auditValues)
    for (const { at, expires, key, kind, value } of batch.notes ?? []) {
      sql.expireNotes.run(at)
      if (value === null) sql.deleteNote.run(kind, key)
      else sql.setNote.run(kind, key, value, expires, ofColumns(kind, key, value))
    }
  }

  private wake(id: TaskId): void {
    const found = this.sql.task.get(id)
    if (found === undefined || found.ended_at !== null) return
    this.update({ ...toRow(found), parked: false }, Infinity)
  }
}

/** Conditions that let a partial index answer: SQLite uses one only when its own condition is written out. */
const indexFor = (status: ReadonlyArray<TaskStatus>): ReadonlyArray<string> => {
  if (status.length === 0) return []
  if (status.every((name) => !isTerminal(name))) return ["t.ended_at IS NULL"]
  return status.every((name) => name === "failed" || name === "cancelled")
    ? ["t.status IN ('failed', 'cancelled')"]
    : []
}

/** Conditions of a query that has only what was asked for. */
const conditions = () => {
  const where: Array<string> = []
  const params: Array<SqlValue> = []
  const add = (text: string, ...values: Array<SqlValue>) => {
    where.push(text)
    params.push(...values)
  }
  const text = () => where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`
  return { add, params, text }
}

const auditSql = ({ before, by, kind, limit, run }: AuditQuery): readonly [string, Array<SqlValue>] => {
  const { add, params, text } = conditions()
  if (before !== undefined) add("n < ?", before)
  if (run !== undefined) add("run = ?", run)
  if (by !== undefined) add("by = ?", by)
  if (kind !== undefined) add("kind = ?", kind)
  return [`SELECT * FROM audit${text()} ORDER BY n DESC LIMIT ?`, [...params, limit]]
}

const listSql = (query: TaskQuery): readonly [string, Array<SqlValue>] => {
  const { add, params, text } = conditions()
  if (query.status !== undefined) {
    add(`t.status IN (${query.status.map(() => "?").join(", ")})`, ...query.status)
    for (const condition of indexFor(query.status)) add(condition)
  }
  if (query.agent !== undefined) add("t.agent = ?", query.agent)
  if (query.parent !== undefined) add("t.parent = ?", query.parent)
  if (query.principal !== undefined) add("t.principal = ?", query.principal)
  if (query.rootsOnly === true) add("t.parent IS NULL")
  if (query.createdAfter !== undefined) add("t.created_at > ?", query.createdAfter)
  if (query.createdBefore !== undefined) add("t.created_at < ?", query.createdBefore)
  if (query.cursor !== undefined) add("t.id < ?", query.cursor)
  return [`${select}${text()} ORDER BY t.id DESC LIMIT ?`, [...params, query.limit]]
}

/** Below this distance from the end of the log, reading it through and filtering beats walking the run's tree. */
const scanLimit = 5_000

const queries = (driver: SqlDriver["Service"], sql: Statements) => {
  const headSeq = () => (sql.head.get() as { readonly seq: number }).seq
  const eventRows = ({ limit, run, since, task }: EventQuery): Array<any> => {
    if (task !== undefined) {
      return sql.taskEvents.all(task, since, limit).filter((row) => run === undefined || row.run === run)
    }
    if (run === undefined) return sql.allEvents.all(since, limit)
    return headSeq() - since < scanLimit
      ? sql.runEventsByScan.all(since, run, limit)
      : sql.runEventsByTree.all(run, since, limit)
  }
  const list = (query: TaskQuery) => {
    const [text, params] = listSql(query)
    return driver.prepare(text).all(...params).map(toRow)
  }
  const journal = (id: TaskId) => {
    const rows = sql.history.all(id)
    return rows.length === 0 ? undefined : { events: toHistory(rows), children: sql.children.all(id).map(toChild) }
  }
  const artifact = (digest: string) => {
    const row = sql.artifact.get(digest)
    if (row === undefined) return undefined
    const bytes = row.bytes as Uint8Array
    if (digestOf(bytes) !== digest) {
      throw new StoreError({ reason: "Corrupt", message: `Artifact ${digest} is damaged; restore a backup` })
    }
    return { digest, run: row.run as TaskId, mediaType: row.media_type as string, bytes }
  }
  const audit = (query: AuditQuery) => {
    const [text, params] = auditSql(query)
    return driver.prepare(text).all(...params).map(toAudit)
  }
  return { headSeq, eventRows, list, journal, artifact, audit }
}

/** The first row's value through `f`, or `undefined` when there is none. */
const first = <A>(row: any, f: (row: any) => A): A | undefined => row === undefined ? undefined : f(row)

const make = (driver: SqlDriver["Service"]): TaskStore["Service"] => {
  const sql = statements(driver)
  const writer = new Writer(sql)
  const read = queries(driver, sql)
  let opened = -1

  const open = () => {
    sql.raiseEpoch.run()
    opened = (sql.epoch.get() as { readonly epoch: number }).epoch
    return { seq: read.headSeq(), epoch: opened }
  }

  const deleteRuns = Effect.fnUntraced(function*(runs: ReadonlyArray<TaskId>) {
    const removal = new Removal(sql, runs)
    const piece = () => {
      writer.assertEpoch(opened)
      return removal.piece()
    }
    while (yield* attempt(() => driver.transaction(piece))) {
      Failpoint.hit("removal.after")
      yield* Effect.yieldNow
    }
    return { tasks: removal.tasks, kept: removal.kept }
  })

  return {
    open: attempt(() => driver.transaction(open)),
    commit: (batch) => attempt(() => driver.transaction(() => writer.write(batch))),
    load: (id) => attempt(() => first(sql.task.get(id), toRow)),
    journal: (id) => attempt(() => read.journal(id)),
    input: (id) => attempt(() => first(sql.input.get(id), (row) => toInput(row.seq, row.input, row.input_sum))),
    ending: (id) => attempt(() => first(sql.ending.get(id), (row): TaskEvent => toEnvelope(row).event)),
    subtree: (id) => attempt(() => sql.subtree.all(id).map(toRow)),
    list: (query) => attempt(() => read.list(query)),
    calls: (newest) => attempt(() => sql.calls.all(newest).map(toCalls)),
    events: (query) => attempt(() => read.eventRows(query).map(toEnvelope)),
    openInputs: ({ limit, run }) =>
      attempt(() => (run === undefined ? sql.inputs.all(limit) : sql.runInputs.all(run, limit)).map(toOpenInput)),
    findIds: (prefix, limit) =>
      attempt(() => sql.findIds.all(prefix, `${prefix}~`, limit).map((row) => row.id as TaskId)),
    receipt: (principal, agent, key) => attempt(() => first(sql.receipt.get(principal, agent, key), toReceipt)),
    runnable: (cursor, limit) => attempt(() => sql.runnable.all(cursor ?? "", limit).map(toRow)),
    unsettled: (limit) => attempt(() => sql.unsettled.all(limit).map(toRow)),
    timersDue: (now, limit) => attempt(() => sql.timersDue.all(now, limit).map(toTimer)),
    nextTimer: attempt(() => (sql.nextTimer.get() as { readonly due: number | null }).due ?? undefined),
    expired: (now, limit) => attempt(() => sql.expired.all(now, limit).map((row) => row.id as TaskId)),
    deleteRuns,
    artifact: (digest) => attempt(() => read.artifact(digest)),
    cursor: (consumer) => attempt(() => first(sql.cursor.get(consumer), toCursor) ?? 0),
    audit: (query) => attempt(() => read.audit(query)),
    forgetAudit: (before) => attempt(() => sql.forgetAudit.all(before).length),
    note: (kind, key) => attempt(() => first(sql.note.get(kind, key), toNote)),
    counts: attempt(() => ({ ...sql.counts.get() }))
  }
}

/** The store over the driver, migrated to this release's schema. */
export const layer: Layer.Layer<TaskStore, StoreError, SqlDriver> = Layer.effect(
  TaskStore,
  Effect.gen(function*() {
    const driver = yield* SqlDriver
    return yield* attempt(() => {
      migrate(driver)
      return make(driver)
    })
  })
)

/**
 * Reads the whole store and says what is wrong with it; an empty list means sound. Beyond the structure of the file it
 * compares every row with its checksum and every task with its facts.
 *
 * **Gotchas**
 *
 * It takes about a minute for a million tasks, and nothing else runs meanwhile: it is for a store nobody uses.
 */
export const verify: Effect.Effect<ReadonlyArray<string>, StoreError, SqlDriver> = Effect.flatMap(
  SqlDriver,
  (driver) => attempt(() => findDamage(driver, statements(driver)))
)
