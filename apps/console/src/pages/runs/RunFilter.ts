/**
 * Which runs are shown, as the address says it: `?status=failed&agent=review&q=01kb&all=1`.
 *
 * The service filters by status, agent and whether tasks below roots count; the text is looked for in what has been read.
 */
import type { Task, TaskStatus } from "@coppice/api/Api"
import type { ListFilter } from "../../api/Runs.ts"

export interface RunFilter extends ListFilter {
  /** The beginning of an id, or a part of an agent's name or of the status message. */
  readonly text: string
}

export const statuses: ReadonlyArray<TaskStatus> = ["working", "input_required", "completed", "failed", "cancelled"]

/** The filter an address stands for. What it does not know it passes over. */
export const parse = (search: string): RunFilter => {
  const query = new URLSearchParams(search)
  const wanted = new Set(query.getAll("status"))
  return {
    status: statuses.filter((status) => wanted.has(status)),
    agent: query.get("agent") ?? "",
    text: query.get("q") ?? "",
    roots: query.get("all") !== "1"
  }
}

/** The search part of the address, without its question mark. */
export const format = ({ agent, roots, status, text }: RunFilter): string => {
  const query = new URLSearchParams()
  for (const one of status) query.append("status", one)
  if (agent !== "") query.set("agent", agent)
  if (text !== "") query.set("q", text)
  if (!roots) query.set("all", "1")
  return query.toString()
}

export const isEmpty = (filter: RunFilter): boolean => format({ ...filter, roots: true }) === ""

export const toggled = (filter: RunFilter, status: TaskStatus): RunFilter => ({
  ...filter,
  status: statuses.filter((other) => filter.status.includes(other) !== (other === status))
})

/** Whether the text is in the task. */
export const matches = (
  text: string,
  { agent, id, statusMessage }: Pick<Task, "agent" | "statusMessage"> & { readonly id: string }
): boolean => {
  const wanted = text.trim().toLowerCase()
  return wanted === "" || id.startsWith(wanted) || agent.toLowerCase().includes(wanted) ||
    statusMessage?.toLowerCase().includes(wanted) === true
}
