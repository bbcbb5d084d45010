/**
 * What the log of a remote task says of the attempts before.
 */
import type { CancelReport } from "@coppice/task/CancelReport"
import type { Envelope, InputResponse } from "@coppice/task/TaskEvent"
import type { Json } from "effect/Schema"
import type { Steered } from "./Tellings.ts"

export interface Recorded {
  readonly steps: ReadonlyMap<string, Json>
  readonly answers: ReadonlyMap<string, InputResponse>
  /** The server has asked something. */
  readonly hasAsked: boolean
  /** An attempt began. */
  readonly hasBegun: boolean
  readonly failures: number
  /** When the next attempt may begin, while the last one failed. */
  readonly retryAt: number
  /** What the server told last of its part of a cancelled tree. */
  readonly below?: CancelReport | undefined
  /** What the task was told, by its place in the log. */
  readonly said: ReadonlyMap<number, Steered>
}

export const recorded = (events: ReadonlyArray<Envelope>): Recorded => {
  const steps = new Map<string, Json>()
  const answers = new Map<string, InputResponse>()
  let failures = 0
  let retryAt = 0
  let below: CancelReport | undefined
  let hasAsked = false
  let hasBegun = false
  const said = new Map<number, Steered>()
  for (const { event, seq } of events) {
    if (event._tag === "Steered") said.set(seq, event)
    if (event._tag === "InputRequested" && event.request.about === undefined) hasAsked = true
    if (event._tag === "Started" || (event._tag === "Created" && event.attempt > 0)) hasBegun = true
    if (event._tag === "StepRecorded" && event.exit._tag === "Success") steps.set(event.key, event.exit.value)
    else if (event._tag === "InputReceived") answers.set(event.key, event.response)
    else if (event._tag === "AttemptFailed") {
      failures++
      retryAt = event.retryAt ?? 0
    } else if (event._tag === "Settled") below = event.below ?? below
  }
  return { steps, answers, hasAsked, hasBegun, failures, retryAt, below, said }
}
