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
import type { Json } from "effect/Schema"
import { migrations } from "./internal/migrations.ts"
import { type Statements, statements } from "./internal/statements.ts"
import { expiresAt, isTerminal, type TaskId } from "./Task.ts"
import type { Envelope, TaskEvent } from "./TaskEvent.ts"
import { isEnding } from "./TaskEvent.ts"
import {
  type Batch,
  type ChildRecord,
  type EventQuery,
  type OpenInput,
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

interface Live {
  readonly statusMessage: TaskRow["state"]["statusMessage"]
  readonly reason: TaskRow["state"]["reason"]
  readonly progress: TaskRow["state"]["progress"]
  readonly inputs: TaskRow["state"]["inputs"]
}

const toLive = ({ state }: TaskRow): string | null =>
  state.statusMessage === null && state.reason === null && state.progress === null && state.inputs.length === 0
    ? null
    : JSON.stringify(
      {
        statusMessage: state.statusMessage,
        reason: state.reason,
        progress: state.progress,
        inputs: state.inputs
      } satisfies Live
    )

const nothingLive: Live = { statusMessage: null, reason: null, progress: null, inputs: [] }

const toRow = (row: any): TaskRow => {
  const live: Live = row.live === null ? nothingLive : JSON.parse(row.live)
  return {
    state: {
      id: row.id,
      run: row.run,
      parent: row.parent,
      key: row.key,
      agent: row.agent,
      status: row.status,
      attempt: row.attempt,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      endedAt: row.ended_at,
      deadline: row.deadline,
      settlement: row.settlement,
      settledAt: row.settled_at,
      spec: JSON.parse(row.spec),
      ...live
    },
    parked: row.parked === 1,
    createdSeq: row.created_seq,
    endedSeq: row.ended_seq,
    settledSeq: row.settled_seq
  }
}

const toEnvelope = (row: any): Envelope => ({
  seq: row.seq,
  task: row.task,
  run: row.run,
  at: row.at,
  event: JSON.parse(row.data)
})

const expiry = ({ state }: TaskRow): number | null => state.parent === null ? expiresAt(state) : null

class Writer {
  private readonly sql: Statements
  constructor(sql: Statements) {
    this.sql = sql
  }

  write(batch: Batch): void {
    const { sql } = this
    const owner = sql.epoch.get() as { readonly epoch: number }
    if (owner.epoch !== batch.epoch) {
      throw new StoreError({ reason: "Fenced", message: "Another process took over the store; this one must stop" })
    }
    const created = batch.created.length > 0 ? new Set<string>() : undefined
    for (const row of batch.created) {
      created!.add(row.state.id)
      this.insert(row)
    }
    for (const row of batch.changed) this.update(row)
    for (const envelope of batch.events) this.event(envelope, created)
    for (const id of batch.woken) sql.wake.run(id)
    for (const { due, key, task } of batch.timersSet) sql.setTimer.run(task, key, due)
    for (const { key, task } of batch.timersCleared) {
      if (key === null) sql.clearTimers.run(task)
      else sql.clearTimer.run(task, key)
    }
    for (const { agent, digest, key, principal, task } of batch.receipts) {
      sql.insertReceipt.run(principal, agent, key, task, digest)
    }
    for (const { bytes, digest, mediaType, run } of batch.artifacts) sql.insertArtifact.run(digest, run, mediaType, bytes)
    for (const [consumer, seq] of batch.cursors) sql.setCursor.run(consumer, seq)
  }

  private insert(row: TaskRow): void {
    const { state } = row
    this.sql.insertTask.run(
      state.id, state.run, state.parent, state.key, state.agent, state.status, row.parked ? 1 : 0, state.attempt,
      state.createdAt, state.updatedAt, state.endedAt, state.deadline, expiry(row), state.settlement, state.settledAt,
      row.createdSeq, row.endedSeq, row.settledSeq, toLive(row)
    )
  }

  private update(row: TaskRow): void {
    const { state } = row
    this.sql.updateTask.run(
      state.status, row.parked ? 1 : 0, state.attempt, state.updatedAt, state.endedAt, expiry(row), state.settlement,
      state.settledAt, row.endedSeq, row.settledSeq, toLive(row), state.id
    )
  }

  private event({ at, event, run, seq, task }: Envelope, created: Set<string> | undefined): void {
    const { sql } = this
    sql.insertEvent.run(seq, task, run, at, event._tag, JSON.stringify(event))
    switch (event._tag) {
      case "InputRequested":
        sql.insertInput.run(task, event.request.key, run, at, JSON.stringify(event.request))
        return
      case "InputReceived":
      case "InputWithdrawn":
        sql.deleteInput.run(task, event.key)
        return
      default:
        if (isEnding(event._tag) && created?.has(task) !== true) sql.deleteInputs.run(task)
    }
  }
}

const select = `SELECT t.*, json_extract(c.data, '$.spec') AS spec FROM tasks t JOIN events c ON c.seq = t.created_seq`

const listSql = (query: TaskQuery): readonly [string, Array<SqlValue>] => {
  const where: Array<string> = []
  const params: Array<SqlValue> = []
  const add = (text: string, ...values: Array<SqlValue>) => {
    where.push(text)
    params.push(...values)
  }
  if (query.status !== undefined) {
    add(`t.status IN (${query.status.map(() => "?").join(", ")})`, ...query.status)
    if (query.status.length > 0 && query.status.every((status) => !isTerminal(status))) add("t.ended_at IS NULL")
  }
  if (query.agent !== undefined) add("t.agent = ?", query.agent)
  if (query.parent !== undefined) add("t.parent = ?", query.parent)
  if (query.principal !== undefined) add("json_extract(c.data, '$.spec.principal') = ?", query.principal)
  if (query.rootsOnly === true) add("t.parent IS NULL")
  if (query.createdAfter !== undefined) add("t.created_at > ?", query.createdAfter)
  if (query.createdBefore !== undefined) add("t.created_at < ?", query.createdBefore)
  if (query.cursor !== undefined) add("t.id < ?", query.cursor)
  const condition = where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`
  return [`${select}${condition} ORDER BY t.id DESC LIMIT ?`, [...params, query.limit]]
}

/** Below this distance from the end of the log, reading it through and filtering beats walking the run's tree. */
const scanLimit = 5_000

const make = (driver: SqlDriver["Service"]): TaskStore["Service"] => {
  const sql = statements(driver, select)
  const writer = new Writer(sql)
  const commit = (batch: Batch) => driver.transaction(() => writer.write(batch))
  const headSeq = () => (sql.head.get() as { readonly seq: number | null }).seq ?? 0

  const eventRows = (query: EventQuery): Array<any> => {
    if (query.task !== undefined) return sql.taskEvents.all(query.task, query.since, query.limit)
    if (query.run === undefined) return sql.allEvents.all(query.since, query.limit)
    return headSeq() - query.since < scanLimit
      ? sql.runEventsByScan.all(query.since, query.run, query.limit)
      : sql.runEventsByTree.all(query.run, query.since, query.limit)
  }

  const toChild = (row: any): ChildRecord => ({
    id: row.id,
    key: row.key,
    agent: row.agent,
    status: row.status,
    settledSeq: row.settled_seq,
    settledAt: row.settled_at,
    ending: row.ending === null ? null : JSON.parse(row.ending)
  })

  return {
    open: attempt(() =>
      driver.transaction(() => {
        sql.raiseEpoch.run()
        return { seq: headSeq(), epoch: (sql.epoch.get() as { readonly epoch: number }).epoch }
      })
    ),
    commit: (batch) => attempt(() => commit(batch)),
    load: (id) =>
      attempt(() => {
        const row = sql.task.get(id)
        return row === undefined ? undefined : toRow(row)
      }),
    journal: (id) =>
      attempt(() => {
        const row = sql.task.get(id)
        if (row === undefined) return undefined
        return {
          row: toRow(row),
          events: sql.taskEvents.all(id, 0, -1).map(toEnvelope),
          children: sql.children.all(id).map(toChild)
        }
      }),
    input: (id) =>
      attempt(() => {
        const row = sql.created.get(id) as { readonly data: string } | undefined
        return row === undefined ? undefined : (JSON.parse(row.data) as { readonly input: Json }).input
      }),
    ending: (id) =>
      attempt(() => {
        const row = sql.ending.get(id) as { readonly data: string } | undefined
        return row === undefined ? undefined : JSON.parse(row.data) as TaskEvent
      }),
    subtree: (id) => attempt(() => sql.subtree.all(id).map(toRow)),
    list: (query) =>
      attempt(() => {
        const [text, params] = listSql(query)
        return driver.prepare(text).all(...params).map(toRow)
      }),
    events: (query) => attempt(() => eventRows(query).map(toEnvelope)),
    openInputs: ({ limit, run }) =>
      attempt(() =>
        (run === undefined ? sql.inputs.all(limit) : sql.runInputs.all(run, limit)).map((row): OpenInput => ({
          task: row.task,
          run: row.run,
          agent: row.agent,
          since: row.since,
          request: JSON.parse(row.request)
        }))
      ),
    findIds: (prefix, limit) =>
      attempt(() => sql.findIds.all(prefix, `${prefix}~`, limit).map((row) => row.id as TaskId)),
    receipt: (principal, agent, key) =>
      attempt(() => {
        const row = sql.receipt.get(principal, agent, key)
        return row === undefined ? undefined : { principal, agent, key, task: row.task, digest: row.digest }
      }),
    runnable: (cursor, limit) => attempt(() => sql.runnable.all(cursor ?? "", limit).map(toRow)),
    unsettled: (limit) => attempt(() => sql.unsettled.all(limit).map(toRow)),
    timersDue: (now, limit) => attempt(() => sql.timersDue.all(now, limit)),
    nextTimer: attempt(() => (sql.nextTimer.get() as { readonly due: number | null }).due ?? undefined),
    expired: (now, limit) => attempt(() => sql.expired.all(now, limit).map((row) => row.id as TaskId)),
    deleteRun: (run) => attempt(() => driver.transaction(() => deleteRun(sql, run))),
    artifact: (digest) =>
      attempt(() => {
        const row = sql.artifact.get(digest)
        return row === undefined
          ? undefined
          : { digest, run: row.run, mediaType: row.media_type, bytes: row.bytes as Uint8Array }
      }),
    cursor: (consumer) =>
      attempt(() => (sql.cursor.get(consumer) as { readonly seq: number } | undefined)?.seq ?? 0),
    counts: attempt(() => sql.counts.get())
  }
}

const deleteRun = (sql: Statements, run: TaskId): number => {
  const ids = sql.subtreeIds.all(run).map((row) => row.id as TaskId)
  for (const id of ids) {
    sql.deleteEvents.run(id)
    sql.deleteInputs.run(id)
    sql.clearTimers.run(id)
    sql.deleteReceipts.run(id)
    sql.deleteTask.run(id)
  }
  sql.deleteArtifacts.run(run)
  return ids.length
}

/** The store over the driver, migrated to this release's schema. */
export const layer: Layer.Layer<TaskStore, StoreError, SqlDriver> = Layer.effect(
  TaskStore,
  Effect.gen(function*() {
    const driver = yield* SqlDriver
    yield* attempt(() => migrate(driver))
    return make(driver)
  })
)
