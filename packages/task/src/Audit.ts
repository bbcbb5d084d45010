/**
 * Who decided what: one entry for each decision of a person or a caller, chained by hashes.
 *
 * An entry is written in the transaction of the fact it tells of, so neither exists without the other, and it outlives the
 * run it tells of. It holds no content: an answer is named by its digest.
 *
 * ```text
 *   hash = SHA-256 of the entry before's hash and the entry   (base64url)
 * ```
 *
 * **Gotchas**
 *
 * The chain shows that an entry was changed, put in between or taken out. Whoever can write the whole file can also write a
 * whole new chain: keep the newest hash elsewhere to notice that.
 */
import * as Schema from "effect/Schema"
import { TaskId } from "./Task.ts"

/** What was decided. `refused`: somebody without the right asked for something. */
export const DecisionKind = Schema.Literals([
  "submitted",
  "answered",
  "voted",
  "delegated",
  "steered",
  "cancelled",
  "deleted",
  "refused"
])
export type DecisionKind = typeof DecisionKind.Type

/** A decision, before it has its place. `at` in Unix milliseconds; `task` is `null` for what concerns no task. */
export const Decision = Schema.Struct({
  at: Schema.Finite,
  kind: DecisionKind,
  /** Who: a principal, a person, or the door they came through. */
  by: Schema.String,
  task: Schema.NullOr(TaskId),
  run: Schema.NullOr(TaskId),
  agent: Schema.NullOr(Schema.String),
  detail: Schema.JsonObject
})
export type Decision = typeof Decision.Type

/** An entry in its place: `n` counts up from 1 without a gap. */
export const AuditEntry = Schema.Struct({ n: Schema.Int, ...Decision.fields, hash: Schema.String })
export type AuditEntry = typeof AuditEntry.Type

/** A filter, newest first. `before` is the `n` to continue below; `limit` at most 1,000. */
export interface AuditQuery {
  readonly before?: number | undefined
  readonly run?: TaskId | undefined
  readonly by?: string | undefined
  readonly kind?: DecisionKind | undefined
  readonly limit: number
}

/** What a reading of the whole record found: how many entries there are, and the first that does not follow, if any. */
export const AuditCheck = Schema.Struct({
  entries: Schema.Int,
  oldest: Schema.NullOr(AuditEntry),
  newest: Schema.NullOr(AuditEntry),
  broken: Schema.NullOr(AuditEntry)
})
export type AuditCheck = typeof AuditCheck.Type
