/**
 * `coppice audit`: who decided what, and whether the record is whole.
 */
import type { AuditEntry } from "@coppice/api/AuditApi"
import * as Effect from "effect/Effect"
import { auditLines } from "../AuditLines.ts"
import { Connection } from "../Connection.ts"
import { exitCodes, Failure } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { line, span } from "../Line.ts"

export interface Options {
  readonly run: string | undefined
  readonly by: string | undefined
  readonly kind: AuditEntry["kind"] | undefined
  readonly limit: number
  readonly verify: boolean
  readonly json: boolean
}

/** Has the whole record read, and says where it does not follow from itself. */
const verified = Effect.fnUntraced(function*(json: boolean) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const { broken, entries, newest, oldest } = yield* call(client.audit.check())
  if (broken !== null) {
    return yield* new Failure({
      exit: exitCodes.failedTask,
      message: `Entry ${broken.n} of the audit does not follow from the one before it`,
      fix: "compare with a backup: an entry was changed, put in or taken out"
    })
  }
  if (json) return writeJson(out, { entries, oldest, newest })
  const range = newest === null ? "" : `, ${oldest!.n} to ${newest.n}; the newest one's hash is ${newest.hash}`
  writeLines(out, [line(span("✔ ", "good"), `${entries} entries, each follows from the one before${range}`)])
})

export const audit = Effect.fn("audit")(function*({ by, json, kind, limit, run, verify }: Options) {
  if (verify) return yield* verified(json)
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const query = { limit, ...run === undefined ? {} : { run }, ...by === undefined ? {} : { by } }
  const read = yield* call(client.audit.list({ query: { ...query, ...kind === undefined ? {} : { kind } } }))
  if (json) return writeJson(out, read)
  writeLines(out, auditLines(read.entries.toReversed()))
})
