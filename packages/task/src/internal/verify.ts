import { isDeepStrictEqual } from "node:util"
import type { AuditEntry } from "../Audit.ts"
import type { SqlDriver } from "../SqlTaskStore.ts"
import { replay } from "../TaskMachine.ts"
import { brokenAt } from "./auditing.ts"
import { toAudit, toEnvelope, toRow } from "./rows.ts"
import type { Statements } from "./statements.ts"

const page = 1_000

/** At most this many findings: a store that is damaged at all is not read to its end. */
const enough = 20

/** What is wrong with a store, in words. */
export const findDamage = (driver: SqlDriver["Service"], sql: Statements): ReadonlyArray<string> => {
  const found: Array<string> = []
  const note = (body: () => void): void => {
    try {
      body()
    } catch (cause) {
      found.push(cause instanceof Error ? cause.message : String(cause))
    }
  }
  note(() => {
    const lines = driver.prepare("PRAGMA integrity_check").all().map((row) => String(row.integrity_check))
    found.push(...lines.filter((line) => line !== "ok"))
  })
  note(() => {
    for (let since = 0;;) {
      const rows = sql.allEvents.all(since, page)
      for (const row of rows) note(() => void toEnvelope(row))
      if (rows.length < page || found.length > enough) return
      since = rows.at(-1).seq
    }
  })
  note(() => {
    for (let after = "";;) {
      const rows = sql.tasksAfter.all(after, page)
      for (const row of rows) note(() => compare(sql, row))
      if (rows.length < page || found.length > enough) return
      after = rows.at(-1).id
    }
  })
  note(() => {
    for (let last: ReadonlyArray<AuditEntry> = [];;) {
      const rows = sql.auditAfter.all(last[0]?.n ?? 0, page).map(toAudit)
      const broken = brokenAt([...last, ...rows])
      if (broken !== undefined) throw new Error(`Entry ${broken.n} of the audit does not follow from the one before it`)
      if (rows.length < page) return
      last = rows.slice(-1)
    }
  })
  return found.slice(0, enough)
}

const compare = (sql: Statements, row: any): void => {
  const { state } = toRow(row)
  const told = replay(state.id, sql.taskEvents.all(state.id, 0, -1).map(toEnvelope))
  if (!isDeepStrictEqual(told, state)) throw new Error(`Task ${state.id} is not what its facts say`)
}
