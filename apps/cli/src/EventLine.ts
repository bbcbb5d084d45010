/**
 * A fact of the log as a line for people.
 *
 * ```text
 * 14:03:07.042  01kb2x9f4q  migrate  started  attempt 2
 * ```
 */
import type { Envelope, TaskEvent } from "@coppice/api/Api"
import * as DateTime from "effect/DateTime"
import type { Json } from "effect/Schema"
import { type Line, muted, spaced, type Span, span } from "./Line.ts"
import { failureOf, progressBar, settlementOf } from "./Nodes.ts"
import { shorten } from "./Text.ts"
import { clock, duration } from "./Times.ts"

const longestValue = 120

/** A value in little room. */
const brief = (value: Json): string => shorten(JSON.stringify(value) ?? "null", longestValue)

const attempt = (number: number): Span => muted(number === 0 ? "queued" : `attempt ${number}`)

const stepParts = (event: TaskEvent & { readonly _tag: "StepRecorded" }, at: number): ReadonlyArray<Span> => [
  span("step", "busy"),
  span(event.name, "strong"),
  muted(duration(at - event.startedAt)),
  event.exit._tag === "Success" ? muted(brief(event.exit.value)) : span(brief(event.exit.error), "bad")
]

type Response = (TaskEvent & { readonly _tag: "InputReceived" })["response"]

const actions = {
  accept: span("answered", "good"),
  decline: span("declined", "good"),
  cancel: span("dismissed", "good"),
  expired: span("unanswered in time", "bad"),
  undelivered: span("reached nobody in time", "bad")
} satisfies Record<Response["action"], Span>

const answerParts = ({ action, by, content, voters }: Response): ReadonlyArray<Span> => [
  actions[action],
  muted(`by ${voters?.join(", ") ?? by}`),
  ...(content === null ? [] : [muted(brief(content))])
]

type Asked = Extract<
  TaskEvent,
  { readonly _tag: "InputReminded" | "InputEscalated" | "InputVoted" | "InputDelegated" | "InputOffered" }
>

/** What becomes of a question that stays open. */
const askedParts = (event: Asked): ReadonlyArray<Span | undefined> => {
  switch (event._tag) {
    case "InputReminded":
      return [span(`reminder ${event.n}`, "wait"), muted(event.key)]
    case "InputEscalated":
      return [
        span("escalated", "wait"),
        span(`to ${event.to.join(", ")}`, "strong"),
        event.note === undefined ? undefined : span(event.note),
        muted(event.key)
      ]
    case "InputVoted":
      return [span("vote", "good"), muted(`by ${event.response.by}`), muted(brief(event.response.content))]
    case "InputDelegated":
      return [span("delegated", "wait"), span(`to ${event.to}`, "strong"), muted(`by ${event.by}`), muted(event.key)]
    case "InputOffered":
      return [
        span(event.how, event.how === "delivered" ? "good" : "bad"),
        muted(`by ${event.door}${event.to === undefined ? "" : ` to ${event.to}`}`),
        event.detail === undefined ? undefined : muted(event.detail)
      ]
  }
}

const steeringParts = (
  { budget, by, deadline, message, priority, undeliverable }: TaskEvent & { readonly _tag: "Steered" }
): ReadonlyArray<Span | undefined> => [
  span("steered", "wait"),
  muted(`by ${by}`),
  message === undefined ? undefined : span(shorten(message, longestValue)),
  priority === undefined ? undefined : muted(`priority ${priority}`),
  deadline === undefined ? undefined : muted(`deadline ${DateTime.formatIso(DateTime.makeUnsafe(deadline))}`),
  budget === undefined ? undefined : muted(`budget ${brief(budget)}`),
  undeliverable === undefined ? undefined : span(`not told: ${undeliverable}`, "bad")
]

const restParts = (event: TaskEvent & { readonly _tag: "Settled" }, at: number): ReadonlyArray<Span | undefined> => [
  span("at rest"),
  settlementOf(event.how),
  muted(`after ${duration(event.took)}`),
  event.server === undefined ? undefined : muted(`on ${event.server}`),
  event.retryAt === undefined
    ? undefined
    : muted(`told ${event.tries ?? 1} times, again in ${duration(Math.max(0, event.retryAt - at))}`)
]

/** Such as `3 calls` and `200 tokens`. */
const amountParts = (amounts: (TaskEvent & { readonly _tag: "Reserved" })["amounts"]): ReadonlyArray<Span> => {
  const parts = Object.entries(amounts).map(([measure, amount]) => span(`${amount} ${measure}`, "strong"))
  return parts.length === 0 ? [muted("nothing")] : parts
}

type Change = Extract<
  TaskEvent,
  { readonly _tag: "Released" | "Adopted" | "Steered" | "Upgraded" | "Reserved" | "Refunded" | "Partial" }
>

/** What changes a task's limits, its code or its result so far. */
const changeParts = (event: Change): ReadonlyArray<Span | undefined> => {
  switch (event._tag) {
    case "Released":
      return [
        span("outlives its parent"),
        muted(event.rule),
        event.to === undefined ? undefined : muted(`adopted by ${event.to}`)
      ]
    case "Adopted":
      return [span("adopts"), muted(event.child)]
    case "Steered":
      return steeringParts(event)
    case "Reserved":
      return [
        span(event.kept === true ? "spends" : "reserves", "wait"),
        ...amountParts(event.amounts),
        muted(`for ${event.id}`)
      ]
    case "Refunded":
      return [span("gets back"), ...amountParts(event.unused), muted(`from ${event.id}`)]
    case "Partial":
      return [span("result so far", "busy"), muted(brief(event.value))]
    case "Upgraded":
      return [
        span(event.choice === "migrate" ? "migrated" : "begins anew", "wait"),
        muted(`contract ${event.version}`),
        event.code === undefined ? undefined : muted(`code ${event.code}`),
        event.moves.length === 0 ? undefined : muted(brief(event.moves))
      ]
  }
}

const partsOf = (event: TaskEvent, at: number): ReadonlyArray<Span | undefined> => {
  switch (event._tag) {
    case "Created":
      return [span("created"), attempt(event.attempt), muted(brief(event.input))]
    case "Started":
      return [span("started", "busy"), attempt(event.attempt)]
    case "AttemptFailed":
      return [
        event.class === "rate_limited" ? span("sent away", "bad") : span("attempt failed", "bad"),
        attempt(event.attempt),
        span(event.message),
        event.retryAt === undefined ? undefined : muted(`again in ${duration(event.retryAt - at)}`)
      ]
    case "Progressed": {
      const said = event.progress.message
      return [
        span("progress", "busy"),
        span(progressBar(event.progress).map(({ text }) => text).join("")),
        said === null ? undefined : muted(said)
      ]
    }
    case "Logged":
      return [span(event.level, "busy"), muted(brief(event.data))]
    case "StepRecorded":
      return stepParts(event, at)
    case "StepIntended":
      return [
        span("begins step", "busy"),
        span(event.name, "strong"),
        muted("its outcome is unknown until it is recorded")
      ]
    case "StepReused":
      return [
        span("reuses"),
        event.as === undefined ? undefined : muted(event.as),
        span(event.name, "strong"),
        muted(`of ${event.from}`),
        muted(brief(event.result))
      ]
    case "TimerSet":
      return [span("timer set"), muted(event.key), muted(`fires in ${duration(event.due - at)}`)]
    case "TimerFired":
      return [span("timer fired"), muted(event.key)]
    case "InputRequested":
      return [span("asks", "wait"), span(event.request.message)]
    case "InputReceived":
      return answerParts(event.response)
    case "InputWithdrawn":
      return [span("question withdrawn", "wait"), muted(event.key)]
    case "InputReminded":
    case "InputEscalated":
    case "InputVoted":
    case "InputDelegated":
    case "InputOffered":
      return askedParts(event)
    default:
      return laterParts(event, at)
  }
}

/** The facts of a task's end, and those that are not of its own doing. */
type Later = Extract<TaskEvent, {
  readonly _tag:
    | "Completed"
    | "Failed"
    | "Cancelled"
    | "Settled"
    | "Released"
    | "Adopted"
    | "Steered"
    | "Reserved"
    | "Refunded"
    | "Partial"
    | "Upgraded"
}>

const laterParts = (event: Later, at: number): ReadonlyArray<Span | undefined> => {
  switch (event._tag) {
    case "Completed":
      return [span("completed", "good"), muted(brief(event.result))]
    case "Failed":
      return [span("failed", "bad"), span(`${failureOf(event)}: ${event.message}`)]
    case "Cancelled":
      return [
        span("cancelled", "wait"),
        muted(`by ${event.by}`),
        event.reason === null ? undefined : span(event.reason)
      ]
    case "Settled":
      return restParts(event, at)
    default:
      return changeParts(event)
  }
}

/** The fact in a line; `agent` is whose it is, when that is known. */
export const eventLine = ({ at, event, task }: Envelope, agent: string | undefined, now: number): Line =>
  spaced(
    muted(clock(at, now)),
    muted(task),
    agent === undefined ? undefined : span(agent, "strong"),
    ...partsOf(event, at)
  )
