/**
 * A history as lines to read.
 */
import type { TaskEvent } from "@coppice/task/TaskEvent"
import { describeFault } from "./faults.ts"
import type { Entry, History, Reply, Wish } from "./history.ts"

const short = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text === undefined ? "" : text.length > 100 ? `${text.slice(0, 97)}…` : text
}

/** Tasks by the order of their creation, as `shop.3`: their ids differ in a character or two. */
type Names = (task: string) => string

const namesIn = (history: History): Names => {
  const names = new Map<string, string>()
  const counts = new Map<string, number>()
  for (const { envelope: { task }, node } of history.facts()) {
    if (names.has(task)) continue
    const count = (counts.get(node) ?? 0) + 1
    counts.set(node, count)
    names.set(task, `${node}.${count}`)
  }
  return (task) => names.get(task) ?? task
}

const factText = (event: TaskEvent, idOf: Names): string => {
  switch (event._tag) {
    case "Created":
      return `Created ${event.agent} ${short(event.input)}${
        event.parent === null ? "" : ` below ${idOf(event.parent)}`
      }`
    case "StepRecorded":
      return `StepRecorded ${event.key} ${short(event.exit)}`
    case "InputRequested":
      return `InputRequested ${event.request.key}`
    default: {
      const { _tag, ...rest } = event
      return `${_tag} ${short(rest)}`
    }
  }
}

const wishText = (wish: Wish, idOf: Names): string =>
  wish.verb === "submit"
    ? `submit ${wish.agent} ${wish.key}`
    : `${wish.verb} ${idOf(wish.task)}${
      wish.verb === "respond"
        ? ` ${wish.key}`
        : wish.verb === "steer"
        ? ` ${short(wish.steering)}`
        : wish.verb === "fork"
        ? ` at ${wish.place}`
        : ""
    }`

const replyText = (reply: Reply, idOf: Names): string => {
  switch (reply._tag) {
    case "Task":
      return `task ${idOf(reply.task)} ${reply.status}`
    case "Ending":
      return `${reply.event._tag} ${short(reply.event)}`
    case "Report":
      return reply.report.converged ? "report, converged" : "report, not converged"
    case "Refused":
      return `refused, ${reply.detail}`
    case "Unknown":
      return `no reply, ${reply.why}`
  }
}

const entryText = (entry: Entry, idOf: Names): string => {
  switch (entry._tag) {
    case "Fact":
      return `${entry.node}  ${entry.envelope.seq} ${idOf(entry.envelope.task)} ${factText(entry.envelope.event, idOf)}`
    case "Asked":
      return `${entry.client} asks ${entry.node}: ${wishText(entry.wish, idOf)}`
    case "Told":
      return `${entry.client} hears of ${wishText(entry.wish, idOf)}: ${replyText(entry.reply, idOf)}`
    case "Acted":
      return `${entry.node}  calls ${entry.service} ${short(entry.request)}: ${entry.phase}${
        entry.key === null ? ", no key" : ` ${entry.key.slice(21)}`
      }`
    case "Served":
      return `${entry.server}  run ${entry.run} of ${entry.tool} for ${idOf(entry.task ?? "nobody")} ${entry.phase} ${
        short(entry.value)
      }`
    case "Struck":
      return `FAULT ${describeFault(entry.fault)}`
    case "Lived":
      return `${entry.node}  life ${entry.life} ${entry.what}${entry.why === "" ? "" : `: ${entry.why}`}`
    case "Pried":
      return `${entry.principal} tries ${entry.method} of ${idOf(entry.task)} at ${entry.node}: ${short(entry.reply)}`
    case "Sent":
      return `${entry.from} → ${entry.to}  ${short(entry.text)}`
  }
}

/** One line for each thing that happened. */
export const trace = (history: History): ReadonlyArray<string> => {
  const names = namesIn(history)
  return history.entries.map((entry) => `${entry.at.toFixed(3).padStart(14)} ms  ${entryText(entry, names)}`)
}
