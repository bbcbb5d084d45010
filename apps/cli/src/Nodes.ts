/**
 * Tasks as the screen shows them: which sign, which colour, and what to say in a few words.
 */
import type { Task } from "@coppice/api/Api"
import type { Elsewhere } from "@coppice/api/TasksApi"
import { muted, type Role, type Span, span } from "./Line.ts"
import { duration } from "./Times.ts"

/** What the screen needs of a task; a `Task` is one. Those another service tells of have its name before their id. */
export type Node =
  & Pick<Elsewhere["nodes"][number], "id" | "parent" | "server">
  & Pick<
    Task,
    | "agent"
    | "status"
    | "statusMessage"
    | "reason"
    | "attempt"
    | "progress"
    | "createdAt"
    | "endedAt"
    | "deadline"
    | "settlement"
  >

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

/** The sign of a task; `beat` turns the wheel of those that work, in a live picture. */
export const sign = (node: Node, beat?: number): Span => {
  switch (node.status) {
    case "working":
      if (node.attempt === 0) return span("○", "muted")
      return span(beat === undefined ? "●" : spinner[beat % spinner.length]!, "busy")
    case "input_required":
      return span("?", "wait")
    case "completed":
      return span("✔", "good")
    case "failed":
      return span("✖", "bad")
    case "cancelled":
      return span(node.settlement === null ? "◌" : "⊘", "wait")
  }
}

const roles: Readonly<Record<Node["status"], Role>> = {
  working: "busy",
  input_required: "wait",
  completed: "good",
  failed: "bad",
  cancelled: "wait"
}

/** The state in a word or two. */
export const stateOf = (node: Node): Span => {
  if (node.status === "working" && node.attempt === 0) return muted("queued")
  if (node.status === "input_required") return span("needs input", "wait")
  if (node.status === "cancelled" && node.settlement === null) return span("stopping", "wait")
  return span(node.status, roles[node.status])
}

export const isActive = (node: Node): boolean => node.endedAt === null

/** From its creation to its end, or to now. */
export const tookOf = (node: Node, now: number): number => (node.endedAt ?? now) - node.createdAt

const cells = 10

/** `▕██████░░░░▏ 6/10`, or the bare number when no total is known. */
export const progressBar = (progress: NonNullable<Node["progress"]>): ReadonlyArray<Span> => {
  const { progress: done, total } = progress
  if (total === null || total <= 0) return [span(String(round(done)), "busy")]
  const share = Math.min(1, Math.max(0, done / total))
  const full = Math.floor(share * cells)
  return [
    muted("▕"),
    span("█".repeat(full), "busy"),
    muted("░".repeat(cells - full)),
    muted("▏"),
    span(` ${round(done)}/${round(total)}`)
  ]
}

const round = (value: number): number => Math.round(value * 100) / 100

const failureWords: Readonly<Record<NonNullable<Node["reason"]>, string>> = {
  agent_error: "the agent's own error",
  defect: "a defect",
  deadline: "the deadline passed",
  budget: "the budget is used up",
  quarantined: "the agent is quarantined",
  replay_mismatch: "its code no longer matches its log",
  supervision: "its supervisor gave up"
}

/** Why it failed, in words. */
export const failureOf = (node: Pick<Node, "reason">): string =>
  node.reason === null ? "unknown reason" : failureWords[node.reason]

/** What is worth saying beyond the state: what it waits for, what it does, why it failed. */
export const remarkOf = (node: Node): Span | undefined => {
  const said = node.statusMessage ?? undefined
  switch (node.status) {
    case "working":
      return said === undefined ? undefined : muted(said)
    case "input_required":
      return span(said ?? "a question", "wait")
    case "completed":
      return undefined
    case "failed": {
      const why = failureOf(node)
      return span(said === undefined || said.toLowerCase() === why ? why : `${why}: ${said}`, "bad")
    }
    case "cancelled":
      return said === undefined ? undefined : muted(said)
  }
}

/** How a cancelled task came to rest, in words. */
export const settlementOf = (settlement: Node["settlement"]): Span => {
  switch (settlement) {
    case null:
      return span("still stopping", "wait")
    case "stopped":
      return span("stopped", "good")
    case "finished_before":
      return muted("finished before")
    case "refused":
      return span("refused", "bad")
    case "unreachable":
      return span("unreachable", "bad")
    case "unknown":
      return span("unknown", "bad")
  }
}

/** `attempt 2` from the second on. */
export const attemptOf = (node: Node): Span | undefined =>
  node.attempt > 1 ? span(`attempt ${node.attempt}`, "wait") : undefined

/** Time left, while there is a deadline to meet. */
export const deadlineOf = (node: Node, now: number): Span | undefined => {
  if (node.deadline === null || !isActive(node)) return undefined
  const left = node.deadline - now
  return left > 0 ? muted(`${duration(left)} left`) : span("overdue", "bad")
}

/** The id in so many characters, behind the way to where it is. */
export const shortId = (id: string, length: number): string => {
  const from = id.lastIndexOf("/") + 1
  return id.slice(0, from) + id.slice(from, from + length)
}

/** How many characters of these ids tell them apart, in the whole store as far as one can know: ids begin with time. */
export const shortIdLength = (ids: ReadonlyArray<string>): number => {
  const sorted = [...ids].sort()
  let length = 10
  for (let index = 1; index < sorted.length; index++) {
    const [before, after] = [sorted[index - 1]!, sorted[index]!]
    let common = 0
    while (common < after.length && before[common] === after[common]) common++
    if (before !== after) length = Math.max(length, common + 1)
  }
  return length
}
