/**
 * The schema of the SQL store, one step per release that changed it. A step is never edited once released; the store's
 * `user_version` counts the steps it has had.
 *
 * `events` is the truth and only ever grows, until a whole run is deleted. Every other table can be rebuilt from it.
 * `data` is a fact without its type. `input` is the input of `Created`, apart from the rest of that fact because every
 * read of a task needs the rest.
 * Indexes are few and, where they can be, partial: a task that ended well leaves every index but its own, its parent's
 * and, for a root, those of roots.
 */
export const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE events (
    seq       INTEGER PRIMARY KEY,
    task      TEXT NOT NULL,
    run       TEXT NOT NULL,
    at        INTEGER NOT NULL,
    type      TEXT NOT NULL,
    sum       INTEGER NOT NULL,
    input_sum INTEGER,
    data      TEXT NOT NULL,
    input     TEXT
  ) STRICT;
  -- in the order of seq, which is the rowid
  CREATE INDEX events_task ON events (task);

  CREATE TABLE tasks (
    id          TEXT PRIMARY KEY,
    run         TEXT NOT NULL,
    parent      TEXT,
    key         TEXT,
    agent       TEXT NOT NULL,
    principal   TEXT NOT NULL,
    status      TEXT NOT NULL,
    message     TEXT,
    reason      TEXT,
    parked      INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    deadline    INTEGER,
    expires_at  INTEGER,
    settlement  TEXT,
    settled_at  INTEGER,
    created_seq INTEGER NOT NULL,
    ended_seq   INTEGER,
    settled_seq INTEGER,
    live        TEXT,
    sum         INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX tasks_parent ON tasks (parent, id) WHERE parent IS NOT NULL;
  CREATE INDEX tasks_root ON tasks (id) WHERE parent IS NULL;
  CREATE INDEX tasks_active ON tasks (id) WHERE ended_at IS NULL;
  CREATE INDEX tasks_runnable ON tasks (id) WHERE parked = 0 AND ended_at IS NULL;
  CREATE INDEX tasks_unsettled ON tasks (id) WHERE ended_at IS NOT NULL AND settlement IS NULL;
  CREATE INDEX tasks_unhappy ON tasks (id) WHERE status IN ('failed', 'cancelled');
  CREATE INDEX tasks_agent ON tasks (agent, id);
  CREATE INDEX tasks_expiring ON tasks (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE inputs (
    task TEXT NOT NULL,
    key  TEXT NOT NULL,
    run  TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    PRIMARY KEY (task, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inputs_run ON inputs (run);

  CREATE TABLE timers (
    task TEXT NOT NULL,
    key  TEXT NOT NULL,
    due  INTEGER NOT NULL,
    sum  INTEGER NOT NULL,
    PRIMARY KEY (task, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX timers_due ON timers (due);

  CREATE TABLE receipts (
    principal TEXT NOT NULL,
    agent     TEXT NOT NULL,
    key       TEXT NOT NULL,
    task      TEXT NOT NULL,
    digest    TEXT NOT NULL,
    sum       INTEGER NOT NULL,
    PRIMARY KEY (principal, agent, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX receipts_task ON receipts (task);

  CREATE TABLE artifacts (
    digest     TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,
    bytes      BLOB NOT NULL
  ) STRICT;
  CREATE TABLE artifact_runs (
    run    TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (run, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX artifact_runs_digest ON artifact_runs (digest, run);

  CREATE TABLE cursors (
    consumer TEXT PRIMARY KEY,
    seq      INTEGER NOT NULL,
    sum      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE notes (
    kind    TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    expires INTEGER,
    sum     INTEGER NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX notes_expiring ON notes (expires) WHERE expires IS NOT NULL;
  -- seq: where the log ended when facts were last deleted, so that no number is ever used twice
  CREATE TABLE owner (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
  INSERT INTO owner (id, epoch, seq) VALUES (1, 0, 0);
  `,
  `
  -- not made from facts: it outlives them
  CREATE TABLE audit (
    n      INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    by     TEXT NOT NULL,
    task   TEXT,
    run    TEXT,
    agent  TEXT,
    detail TEXT NOT NULL,
    hash   TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_run ON audit (run) WHERE run IS NOT NULL;
  `
]
