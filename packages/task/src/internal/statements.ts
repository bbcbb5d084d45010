import type { SqlDriver, SqlStatement, SqlValue } from "../SqlTaskStore.ts"
import { settlementTimer } from "../TaskStore.ts"

/** A task's columns and its `Created` fact. A left join: a row whose fact is gone has to be noticed, not skipped. */
export const select =
  "SELECT t.*, c.data AS created, c.sum AS created_sum FROM tasks t LEFT JOIN events c ON c.seq = t.created_seq"

const tree = `WITH RECURSIVE tree (id) AS (
  SELECT id FROM tasks WHERE id = ? UNION ALL SELECT t.id FROM tasks t JOIN tree ON t.parent = tree.id)`

const inputs = `SELECT t.*, c.data AS created, c.sum AS created_sum, i.key AS asked_key, e.seq AS asked_seq,
  e.at AS asked_at, e.type AS asked_type, e.data AS asked_data, e.sum AS asked_sum
  FROM inputs i JOIN tasks t ON t.id = i.task LEFT JOIN events c ON c.seq = t.created_seq LEFT JOIN events e ON e.seq = i.seq`

/** Every statement of the SQL store, prepared once. */
export const statements = (driver: SqlDriver["Service"]) => {
  const sql = (text: string): SqlStatement => driver.prepare(text)
  return { ...writes(sql), ...reads(sql), ...deletes(sql) }
}

type Prepare = (text: string) => SqlStatement

/** Rows that one statement inserts: calling it costs half as much as what it does. */
const atOnce = 8

/** Inserts rows of these columns. */
const inserter = (sql: Prepare, table: string, columns: ReadonlyArray<string>) => {
  const row = `(${columns.map(() => "?").join(", ")})`
  const insert = (count: number) =>
    sql(`INSERT INTO ${table} (${columns.join(", ")}) VALUES ${Array.from({ length: count }, () => row).join(", ")}`)
  const one = insert(1)
  const many = insert(atOnce)
  return <A>(items: ReadonlyArray<A>, values: (item: A) => ReadonlyArray<SqlValue>): void => {
    const whole = items.length - items.length % atOnce
    for (let i = 0; i < whole; i += atOnce) many.run(...items.slice(i, i + atOnce).flatMap(values))
    for (let i = whole; i < items.length; i++) one.run(...values(items[i]!))
  }
}

const auditColumns = ["n", "at", "kind", "by", "task", "run", "agent", "detail", "hash"]

const eventColumns = ["seq", "task", "run", "at", "type", "sum", "input_sum", "data", "input"]
const taskColumns = [
  ...["id", "run", "parent", "key", "agent", "principal", "status", "message", "reason", "parked", "attempt"],
  ...["created_at", "updated_at", "ended_at", "deadline", "expires_at", "settlement", "settled_at"],
  ...["created_seq", "ended_seq", "settled_seq", "live", "sum"]
]

const writes = (sql: Prepare) => ({
  raiseEpoch: sql("UPDATE owner SET epoch = epoch + 1 WHERE id = 1"),
  insertEvents: inserter(sql, "events", eventColumns),
  insertAudit: inserter(sql, "audit", auditColumns),
  insertTasks: inserter(sql, "tasks", taskColumns),
  // three, because SQLite writes every index anew that a column it is given belongs to
  updateActive: sql(
    `UPDATE tasks SET status = ?, message = ?, parked = ?, attempt = ?, updated_at = ?, live = ?, sum = ?
    WHERE id = ?`
  ),
  updateEnded: sql(`UPDATE tasks SET status = ?, message = ?, reason = ?, parked = ?, attempt = ?, updated_at = ?,
    ended_at = ?, expires_at = ?, settlement = ?, settled_at = ?, ended_seq = ?, settled_seq = ?, live = ?, sum = ?
    WHERE id = ?`),
  updateSettled: sql(`UPDATE tasks SET parked = ?, updated_at = ?, settlement = ?, settled_at = ?, settled_seq = ?,
    live = ?, sum = ? WHERE id = ?`),
  setDeadline: sql("UPDATE tasks SET deadline = ? WHERE id = ?"),
  insertInput: sql("INSERT INTO inputs (task, key, run, seq) VALUES (?, ?, ?, ?)"),
  deleteInput: sql("DELETE FROM inputs WHERE task = ? AND key = ?"),
  setTimer: sql("INSERT OR REPLACE INTO timers (task, key, due, sum) VALUES (?, ?, ?, ?)"),
  clearTimer: sql("DELETE FROM timers WHERE task = ? AND key = ?"),
  clearTimers: sql(`DELETE FROM timers WHERE task = ? AND key <> '${settlementTimer}'`),
  insertReceipt: sql("INSERT INTO receipts (principal, agent, key, task, digest, sum) VALUES (?, ?, ?, ?, ?, ?)"),
  insertArtifact: sql("INSERT OR IGNORE INTO artifacts (digest, media_type, bytes) VALUES (?, ?, ?)"),
  insertArtifactRun: sql("INSERT OR IGNORE INTO artifact_runs (run, digest) VALUES (?, ?)"),
  setCursor: sql("INSERT OR REPLACE INTO cursors (consumer, seq, sum) VALUES (?, ?, ?)"),
  setNote: sql("INSERT OR REPLACE INTO notes (kind, key, value, expires, sum) VALUES (?, ?, ?, ?, ?)"),
  forgetAudit: sql("DELETE FROM audit WHERE at < ? AND n < (SELECT max(n) FROM audit) RETURNING n"),
  expireNotes: sql("DELETE FROM notes WHERE expires <= ?"),
  deleteNote: sql("DELETE FROM notes WHERE kind = ? AND key = ?")
})

const reads = (sql: Prepare) => ({
  epoch: sql("SELECT epoch FROM owner WHERE id = 1"),
  head: sql("SELECT max(seq, coalesce((SELECT max(seq) FROM events), 0)) AS seq FROM owner WHERE id = 1"),
  task: sql(`${select} WHERE t.id = ?`),
  // no LIMIT: SQLite plans a statement anew whenever a bound limit is bound again, for more than the rows cost
  history: sql("SELECT * FROM events WHERE task = ? ORDER BY seq"),
  taskEvents: sql("SELECT * FROM events WHERE task = ? AND seq > ? ORDER BY seq LIMIT ?"),
  allEvents: sql("SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?"),
  runEventsByScan: sql("SELECT * FROM events WHERE seq > ? AND run = ? ORDER BY seq LIMIT ?"),
  runEventsByTree: sql(`${tree} SELECT e.* FROM tree
    CROSS JOIN events e ON e.task = tree.id WHERE e.seq > ? ORDER BY e.seq LIMIT ?`),
  children: sql(`SELECT t.*, c.data AS created, c.sum AS created_sum, e.seq AS ending_seq, e.at AS ending_at,
    e.type AS ending_type, e.data AS ending_data, e.sum AS ending_sum
    FROM tasks t LEFT JOIN events c ON c.seq = t.created_seq LEFT JOIN events e ON e.seq = t.ended_seq
    WHERE t.parent = ? ORDER BY t.id`),
  input: sql("SELECT e.seq, e.input, e.input_sum FROM tasks t JOIN events e ON e.seq = t.created_seq WHERE t.id = ?"),
  ending: sql("SELECT e.* FROM tasks t JOIN events e ON e.seq = t.ended_seq WHERE t.id = ?"),
  // a join in this order keeps the order of the recursion: parents before children
  subtree: sql(`${tree} SELECT t.*, c.data AS created, c.sum AS created_sum FROM tree
    CROSS JOIN tasks t ON t.id = tree.id LEFT JOIN events c ON c.seq = t.created_seq`),
  inputs: sql(`${inputs} ORDER BY i.task, i.key LIMIT ?`),
  anyInput: sql("SELECT 1 FROM inputs LIMIT 1"),
  runInputs: sql(`${inputs} WHERE i.run = ? ORDER BY i.task, i.key LIMIT ?`),
  findIds: sql("SELECT id FROM tasks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"),
  receipt: sql("SELECT * FROM receipts WHERE principal = ? AND agent = ? AND key = ?"),
  runnable: sql(`${select} WHERE t.parked = 0 AND t.ended_at IS NULL AND t.id > ? ORDER BY t.id LIMIT ?`),
  unsettled: sql(`${select} WHERE t.ended_at IS NOT NULL AND t.settlement IS NULL ORDER BY t.id LIMIT ?`),
  timersDue: sql("SELECT * FROM timers WHERE due <= ? ORDER BY due LIMIT ?"),
  nextTimer: sql("SELECT min(due) AS due FROM timers"),
  expired: sql("SELECT id FROM tasks WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"),
  artifact: sql(`SELECT a.media_type, a.bytes, min(r.run) AS run FROM artifacts a JOIN artifact_runs r
    ON r.digest = a.digest WHERE a.digest = ? GROUP BY a.digest`),
  cursor: sql("SELECT * FROM cursors WHERE consumer = ?"),
  calls: sql(`SELECT p.agent AS caller, c.agent AS callee, c.status, count(*) AS count
    FROM (SELECT parent, agent, status FROM tasks ORDER BY id DESC LIMIT ?) c LEFT JOIN tasks p ON p.id = c.parent
    GROUP BY p.agent, c.agent, c.status`),
  auditAfter: sql("SELECT * FROM audit WHERE n > ? ORDER BY n LIMIT ?"),
  lastAudit: sql("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1"),
  note: sql("SELECT * FROM notes WHERE kind = ? AND key = ?"),
  tasksAfter: sql(`${select} WHERE t.id > ? ORDER BY t.id LIMIT ?`),
  counts: sql(`SELECT (SELECT count(*) FROM tasks) AS tasks,
    (SELECT count(*) FROM tasks WHERE ended_at IS NULL) AS active, (SELECT count(*) FROM events) AS events`)
})

const deletes = (sql: Prepare) => ({
  keepHead: sql("UPDATE owner SET seq = max(seq, coalesce((SELECT max(seq) FROM events), 0)) WHERE id = 1"),
  rest: sql("SELECT id, settlement FROM tasks WHERE id = ?"),
  restBelow: sql("SELECT id, settlement FROM tasks WHERE parent = ? AND id > ? ORDER BY id LIMIT 100"),
  deleteEvents: sql("DELETE FROM events WHERE task = ?"),
  deleteInputs: sql("DELETE FROM inputs WHERE task = ?"),
  deleteTimers: sql("DELETE FROM timers WHERE task = ?"),
  deleteReceipts: sql("DELETE FROM receipts WHERE task = ?"),
  artifactOf: sql("SELECT digest FROM artifact_runs WHERE run = ? LIMIT 1"),
  deleteArtifactRun: sql("DELETE FROM artifact_runs WHERE run = ? AND digest = ?"),
  deleteArtifact: sql(`DELETE FROM artifacts WHERE digest = ?
    AND NOT EXISTS (SELECT 1 FROM artifact_runs r WHERE r.digest = ?)`),
  deleteTask: sql("DELETE FROM tasks WHERE id = ?")
})

export type Statements = ReturnType<typeof statements>
