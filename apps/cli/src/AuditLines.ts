/**
 * Who decided what, a line each.
 */
import type { AuditEntry } from "@coppice/api/AuditApi"
import { type Line, line, muted, span } from "./Line.ts"

const words: Record<AuditEntry["kind"], string> = {
  submitted: "submitted",
  answered: "answered",
  voted: "voted",
  delegated: "delegated",
  steered: "steered",
  cancelled: "cancelled",
  deleted: "deleted",
  refused: "was refused"
}

const detailOf = ({ detail }: AuditEntry): string =>
  Object.entries(detail).map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ")

const auditLine = (entry: AuditEntry): Line => {
  const { agent, at, by, kind, n, task } = entry
  return line(
    muted(`${String(n).padStart(6)}  ${new Date(at).toISOString()}  `),
    span(by, "strong"),
    span(` ${words[kind]}`, kind === "refused" || kind === "cancelled" ? "bad" : "plain"),
    span(`${agent === null ? "" : ` ${agent}`}${task === null ? "" : ` ${task}`}`),
    muted(Object.keys(entry.detail).length === 0 ? "" : `  ${detailOf(entry)}`)
  )
}

/** The entries, oldest first. */
export const auditLines = (entries: ReadonlyArray<AuditEntry>): ReadonlyArray<Line> =>
  entries.length === 0 ? [line(muted("Nobody has decided anything that was asked for."))] : entries.map(auditLine)
