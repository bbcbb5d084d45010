import type { SqlDriver, SqlStatement } from "../SqlTaskStore.ts"

/** Every statement of the SQL store, prepared once. */
export const statements = (driver: SqlDriver["Service"], select: string) => {
  const sql = (text: string): SqlStatement => driver.prepare(text)
  const tree = `WITH RECURSIVE tree (id) AS (
    SELECT id FROM tasks WHERE id = ? UNION ALL SELECT t.id FROM tasks t JOIN tree ON t.parent = tree.id)`
  const envelope = "seq, task, run, at, data"
  return {
    epoch: sql("SELECT epoch FROM owner WHERE id = 1"),
    raiseEpoch: sql("UPDATE owner SET epoch = epoch + 1 WHERE id = 1"),
    head: sql("SELECT max(seq) AS seq FROM events"),
    insertEvent: sql("INSERT INTO events (seq, task, run, at, type, data) VALUES (?, ?, ?, ?, ?, ?)"),
    insertTask: sql(`INSERT INTO tasks (id, run, parent, key, agent, status, parked, attempt, created_at, updated_at,
      ended_at, deadline, expires_at, settlement, settled_at, created_seq, ended_seq, settled_seq, live)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updateTask: sql(`UPDATE tasks SET status = ?, parked = ?, attempt = ?, updated_at = ?, ended_at = ?, expires_at = ?,
      settlement = ?, settled_at = ?, ended_seq = ?, settled_seq = ?, live = ? WHERE id = ?`),
    wake: sql("UPDATE tasks SET parked = 0 WHERE id = ? AND ended_at IS NULL"),
    insertInput: sql("INSERT INTO inputs (task, key, run, since, request) VALUES (?, ?, ?, ?, ?)"),
    deleteInput: sql("DELETE FROM inputs WHERE task = ? AND key = ?"),
    deleteInputs: sql("DELETE FROM inputs WHERE task = ?"),
    setTimer: sql("INSERT OR REPLACE INTO timers (task, key, due) VALUES (?, ?, ?)"),
    clearTimer: sql("DELETE FROM timers WHERE task = ? AND key = ?"),
    clearTimers: sql("DELETE FROM timers WHERE task = ?"),
    insertReceipt: sql("INSERT INTO receipts (principal, agent, key, task, digest) VALUES (?, ?, ?, ?, ?)"),
    insertArtifact: sql("INSERT OR IGNORE INTO artifacts (digest, run, media_type, bytes) VALUES (?, ?, ?, ?)"),
    setCursor: sql("INSERT INTO cursors (consumer, seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq"),
    task: sql(`${select} WHERE t.id = ?`),
    taskEvents: sql(`SELECT ${envelope} FROM events WHERE task = ? AND seq > ? ORDER BY seq LIMIT ?`),
    allEvents: sql(`SELECT ${envelope} FROM events WHERE seq > ? ORDER BY seq LIMIT ?`),
    runEventsByScan: sql(`SELECT ${envelope} FROM events WHERE seq > ? AND run = ? ORDER BY seq LIMIT ?`),
    runEventsByTree: sql(`${tree} SELECT e.seq, e.task, e.run, e.at, e.data FROM tree
      CROSS JOIN events e ON e.task = tree.id WHERE e.seq > ? ORDER BY e.seq LIMIT ?`),
    children: sql(`SELECT t.id, t.key, t.agent, t.status, t.settled_seq, t.settled_at, e.data AS ending
      FROM tasks t LEFT JOIN events e ON e.seq = t.ended_seq WHERE t.parent = ?`),
    created: sql("SELECT e.data FROM tasks t JOIN events e ON e.seq = t.created_seq WHERE t.id = ?"),
    ending: sql("SELECT e.data FROM tasks t JOIN events e ON e.seq = t.ended_seq WHERE t.id = ?"),
    // a join in this order keeps the order of the recursion: parents before children
    subtree: sql(`${tree} SELECT t.*, json_extract(c.data, '$.spec') AS spec FROM tree
      CROSS JOIN tasks t ON t.id = tree.id CROSS JOIN events c ON c.seq = t.created_seq`),
    subtreeIds: sql(`${tree} SELECT id FROM tree`),
    inputs: sql(`SELECT i.*, t.agent FROM inputs i JOIN tasks t ON t.id = i.task ORDER BY i.task, i.key LIMIT ?`),
    runInputs: sql(`SELECT i.*, t.agent FROM inputs i JOIN tasks t ON t.id = i.task WHERE i.run = ?
      ORDER BY i.task, i.key LIMIT ?`),
    findIds: sql("SELECT id FROM tasks WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"),
    receipt: sql("SELECT task, digest FROM receipts WHERE principal = ? AND agent = ? AND key = ?"),
    runnable: sql(`${select} WHERE t.parked = 0 AND t.ended_at IS NULL AND t.id > ? ORDER BY t.id LIMIT ?`),
    unsettled: sql(`${select} WHERE t.ended_at IS NOT NULL AND t.settlement IS NULL ORDER BY t.id LIMIT ?`),
    timersDue: sql("SELECT task, key, due FROM timers WHERE due <= ? ORDER BY due LIMIT ?"),
    nextTimer: sql("SELECT min(due) AS due FROM timers"),
    expired: sql("SELECT id FROM tasks WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"),
    deleteEvents: sql("DELETE FROM events WHERE task = ?"),
    deleteReceipts: sql("DELETE FROM receipts WHERE task = ?"),
    deleteArtifacts: sql("DELETE FROM artifacts WHERE run = ?"),
    deleteTask: sql("DELETE FROM tasks WHERE id = ?"),
    artifact: sql("SELECT run, media_type, bytes FROM artifacts WHERE digest = ?"),
    cursor: sql("SELECT seq FROM cursors WHERE consumer = ?"),
    counts: sql(`SELECT (SELECT count(*) FROM tasks) AS tasks,
      (SELECT count(*) FROM tasks WHERE ended_at IS NULL) AS active, (SELECT count(*) FROM events) AS events`)
  }
}

export type Statements = ReturnType<typeof statements>
