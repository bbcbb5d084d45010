/**
 * Where a recorded run can be left: its steps, calls, pauses and questions, in the order of the log.
 */
import type { Envelope } from "@coppice/api/Api"

export interface ForkPoint {
  readonly at: string
  readonly title: string
}

export interface Answered {
  readonly key: string
  readonly message: string
}

const pointIn = ({ event, seq }: Envelope): ForkPoint | undefined => {
  switch (event._tag) {
    case "StepRecorded":
    case "StepReused":
      return { at: event.key, title: `step ${event.name}` }
    case "TimerSet":
      return event.key === "deadline" ? undefined : { at: event.key, title: `pause ${event.key}` }
    case "InputRequested":
      return { at: event.request.key, title: `question: ${event.request.message.slice(0, 80)}` }
    case "AttemptFailed":
      return { at: String(seq), title: `attempt ${event.attempt} failed` }
    default:
      return undefined
  }
}

/** Each once, where it came first. */
export const points = (events: ReadonlyArray<Envelope>): ReadonlyArray<ForkPoint> => {
  const seen = new Set<string>()
  return events.flatMap((envelope) => {
    const point = pointIn(envelope)
    if (point === undefined || seen.has(point.at)) return []
    seen.add(point.at)
    return [point]
  })
}

/** Questions with an answer, which may be another one. */
export const answered = (events: ReadonlyArray<Envelope>): ReadonlyArray<Answered> => {
  const messages = new Map<string, string>()
  for (const { event } of events) {
    if (event._tag === "InputRequested") messages.set(event.request.key, event.request.message)
  }
  return events.flatMap(({ event }) =>
    event._tag === "InputReceived" ? [{ key: event.key, message: messages.get(event.key) ?? event.key }] : []
  )
}
