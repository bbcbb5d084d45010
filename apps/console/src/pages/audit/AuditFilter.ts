/**
 * Which decisions are shown, as the address says it: `?run=01kb&by=ann&kind=answered`.
 */
import type { DecisionKind } from "@coppice/api/AuditApi"

export interface AuditFilter {
  readonly run: string
  readonly by: string
  readonly kind: DecisionKind | ""
}

/** How each kind of decision is said. */
export const words: Readonly<Record<DecisionKind, string>> = {
  submitted: "Started",
  answered: "Answered",
  voted: "Voted",
  delegated: "Delegated",
  steered: "Steered",
  cancelled: "Cancelled",
  deleted: "Deleted",
  refused: "Refused"
}

export const kinds = Object.keys(words) as ReadonlyArray<DecisionKind>

/** The filter an address stands for. What it does not know it passes over. */
export const parse = (search: string): AuditFilter => {
  const query = new URLSearchParams(search)
  const kind = query.get("kind")
  return {
    run: query.get("run") ?? "",
    by: query.get("by") ?? "",
    kind: kinds.find((one) => one === kind) ?? ""
  }
}

/** What is set of it: for the address, and for the service. */
export const toQuery = (filter: AuditFilter): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== "")
  )

/** The search part of the address, without its question mark. */
export const format = (filter: AuditFilter): string => new URLSearchParams(toQuery(filter)).toString()
