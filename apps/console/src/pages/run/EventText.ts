/**
 * A fact in one line, for people.
 */
import type { TaskEvent } from "@coppice/api/Api"
import { duration, moment } from "../../ui/Durations.ts"

const longest = 240

const brief = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? ""
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** What happened, without the name of the fact. */
export const textOf = (event: TaskEvent): string => {
  switch (event._tag) {
    case "Created":
      return brief(event.input)
    case "Started":
      return `attempt ${event.attempt}`
    case "AttemptFailed":
      return `attempt ${event.attempt}: ${event.message}`
    case "Progressed": {
      const { message, progress, total } = event.progress
      return `${progress}${total === null ? "" : `/${total}`} ${message ?? ""}`
    }
    case "Logged":
      return `${event.level} ${brief(event.data)}`
    case "StepIntended":
      return event.name
    case "StepRecorded":
      return `${event.name} → ${event.exit._tag === "Success" ? brief(event.exit.value) : brief(event.exit.error)}`
    case "StepReused":
      return `${event.name} → ${brief(event.result)}`
    case "TimerSet":
      return `${event.key} until ${moment(event.due)}`
    case "InputRequested":
      return event.request.message
    case "InputReceived":
      return `${event.response.action} by ${event.response.by} ${
        event.response.content === null ? "" : brief(event.response.content)
      }`
    case "Completed":
      return brief(event.result)
    case "Failed":
      return `${event.reason}: ${event.message}`
    case "Cancelled":
      return `by ${event.by}${event.reason === null ? "" : `: ${event.reason}`}`
    case "Settled":
      return `${event.how} after ${duration(event.took)}`
    case "Steered":
      return `by ${event.by}${event.message === undefined ? "" : `: ${event.message}`}`
    default: {
      const { _tag, ...rest } = event
      return brief(rest)
    }
  }
}

const tones: Readonly<Partial<Record<TaskEvent["_tag"], "bad" | "good" | "waiting" | "off">>> = {
  AttemptFailed: "bad",
  Failed: "bad",
  Completed: "good",
  InputRequested: "waiting",
  Cancelled: "off"
}

/** The colour that goes with the name of a fact, which says the same. */
export const toneOf = ({ _tag }: TaskEvent): string => tones[_tag] ?? "plain"
