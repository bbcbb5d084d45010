/**
 * What a webhook is told of a fact, as the question stood at that fact: the same fact makes the same message, so that what
 * is sent again after a crash is equal to what was sent before it.
 *
 * Neither the input of a task nor the content of an answer is in it: a chat is no place for them.
 */
import { answerers, isAmong, type Person } from "@coppice/task/People"
import { type Standing, untouched } from "@coppice/task/Policy"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope, InputRequest, TaskEvent } from "@coppice/task/TaskEvent"
import { replay, type TaskState } from "@coppice/task/TaskMachine"
import { type StoreError, type TaskStore } from "@coppice/task/TaskStore"
import type { Webhook, WebhookEvent } from "coppice/Webhooks"
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { AnswerLinks } from "./AnswerLinks.ts"

/** A message to one webhook. */
export interface Message {
  /** The same for every attempt to deliver it. */
  readonly id: string
  readonly event: WebhookEvent
  /** The open question it asks to answer; there is none when it tells of an end. */
  readonly asks: { readonly task: TaskId; readonly key: string } | undefined
  /** The people it reaches. */
  readonly to: ReadonlyArray<string>
  readonly body: string
}

/** A question in its place. */
interface Asked {
  readonly task: TaskId
  readonly run: TaskId
  readonly agent: string
  readonly request: InputRequest
  readonly standing: Standing
}

/** What happened to it. */
interface News {
  readonly event: WebhookEvent
  readonly text: (asked: Asked, to: string) => string
  readonly more?: JsonObject
}

/** How long a link holds, unless the question ends before. */
const linkLifetime = 7 * 24 * 60 * 60 * 1_000

const mostLinks = 20
const mostText = 2_000

/** One line, and not too long: it comes from an agent, and goes to a chat. */
const short = (text: string, most = mostText): string => {
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const line = text.replace(/[\u0000-\u001f\u007f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim()
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`
}

const iso = (millis: number): string => new Date(millis).toISOString()

const isForPerson = ({ mode }: InputRequest): boolean => mode === "form" || mode === "url"

/** Facts that may be told. Of others nothing is read. */
export const isTold = ({ event, run, task }: Envelope): boolean => {
  switch (event._tag) {
    case "InputRequested":
      return isForPerson(event.request)
    case "InputReminded":
    case "InputEscalated":
    case "InputDelegated":
    case "InputReceived":
    case "InputWithdrawn":
    case "Failed":
    case "Cancelled":
      return true
    case "Completed":
      return task === run
    default:
      return false
  }
}

type Received = TaskEvent & { readonly _tag: "InputReceived" }

const receivedNews = ({ response: { action, by } }: Received): News => {
  const isLate = action === "expired" || action === "undelivered"
  return {
    event: isLate ? "expired" : "answered",
    text: ({ agent, request }) =>
      isLate
        ? `Nobody answered ${agent} in time: ${request.message}`
        : `${by} answered ${agent} (${action}): ${request.message}`,
    more: { answer: { action, by } }
  }
}

const asks = ({ agent, request }: Asked, to: string): string =>
  `${agent} asks${to === "" ? "" : ` ${to}`}: ${request.message}`

/** What the fact says of a question, and of which; `undefined` when it says nothing of one. */
const newsOf = (event: TaskEvent): (News & { readonly key: string }) | undefined => {
  switch (event._tag) {
    case "InputRequested":
      return { key: event.request.key, event: "asked", text: asks }
    case "InputReminded": {
      const text = (asked: Asked, to: string) => `Still open: ${asks(asked, to)}`
      return { key: event.key, event: "reminded", text, more: { reminder: event.n } }
    }
    case "InputEscalated": {
      const { key, note, to } = event
      const text = (asked: Asked, all: string) => `${note === undefined ? "" : `${note}: `}${asks(asked, all)}`
      return { key, event: "escalated", text, more: { escalation: { to, ...note === undefined ? {} : { note } } } }
    }
    case "InputDelegated": {
      const { by, key, to } = event
      const text = ({ agent, request }: Asked) => `${by} asks ${to} to answer ${agent}: ${request.message}`
      return { key, event: "delegated", text, more: { delegation: { by, to } } }
    }
    case "InputReceived":
      return { key: event.key, ...receivedNews(event) }
    case "InputWithdrawn":
      return { key: event.key, ...withdrawn }
    default:
      return undefined
  }
}

const withdrawn: News = {
  event: "withdrawn",
  text: ({ agent, request }) => `${agent} no longer asks: ${request.message}`
}

const isOpening = (event: WebhookEvent): boolean =>
  event === "asked" || event === "reminded" || event === "escalated" || event === "delegated"

const askedIn = (state: TaskState | undefined, key: string): Asked | undefined => {
  const request = state?.inputs.find((input) => input.key === key)
  if (state === undefined || request === undefined || !isForPerson(request)) return undefined
  const standing = state.standings?.find((one) => one.key === key) ?? untouched(key)
  return { task: state.id, run: state.run, agent: state.agent, request, standing }
}

/** The questions the fact is news of. */
const told = (
  { event }: Envelope,
  before: TaskState | undefined,
  after: TaskState | undefined
): ReadonlyArray<readonly [Asked, News]> => {
  if (event._tag === "Failed" || event._tag === "Cancelled") {
    // whoever was asked by a task that is ended from outside is asked no more
    return (before?.inputs ?? []).flatMap(({ key }) => {
      const asked = askedIn(before, key)
      return asked === undefined ? [] : [[asked, withdrawn] as const]
    })
  }
  const news = newsOf(event)
  const asked = news === undefined ? undefined : askedIn(isOpening(news.event) ? after : before, news.key)
  return news === undefined || asked === undefined ? [] : [[asked, news]]
}

const endings: { readonly [Tag in TaskEvent["_tag"]]?: string } = {
  Completed: "completed",
  Failed: "failed",
  Cancelled: "cancelled"
}

/** Makes the messages of one service. */
export class Composer {
  private readonly people: ReadonlyMap<string, Person>
  private readonly links: AnswerLinks["Service"]
  private readonly store: TaskStore["Service"]
  private readonly origin: string

  constructor(services: {
    readonly people: ReadonlyMap<string, Person>
    readonly links: AnswerLinks["Service"]
    readonly store: TaskStore["Service"]
    /** Where the service listens. */
    readonly origin: string
  }) {
    this.people = services.people
    this.links = services.links
    this.store = services.store
    this.origin = services.origin
  }

  /** What this webhook is told of the fact; nothing when the run is forgotten meanwhile. */
  messages(webhook: Webhook, envelope: Envelope): Effect.Effect<ReadonlyArray<Message>, StoreError> {
    return Effect.map(this.store.journal(envelope.task), (journal) => {
      const facts = journal?.events.filter(({ seq }) => seq <= envelope.seq) ?? []
      if (facts.at(-1)?.seq !== envelope.seq) return []
      const before = replay(envelope.task, facts.slice(0, -1))
      const after = replay(envelope.task, facts)
      const questions = told(envelope, before, after)
        .flatMap(([asked, news]) => this.ofQuestion(webhook, envelope, asked, news))
      return [...questions, ...this.ofEnding(webhook, envelope, after)]
        .map((message, index) => ({ ...message, id: `${envelope.task}.${envelope.seq}.${index}` }))
    })
  }

  private ofEnding({ events }: Webhook, { at, event, run, task }: Envelope, state: TaskState | undefined) {
    const status = endings[event._tag]
    if (status === undefined || task !== run || state === undefined || !events.has("ended")) return []
    const text = short(`${state.agent} has ${status === "cancelled" ? "been cancelled" : status}`)
    const data = { text, run, agent: state.agent, status }
    return [{ event: "ended" as const, asks: undefined, to: [], body: toBody("run.ended", at, data) }]
  }

  private ofQuestion(webhook: Webhook, { at }: Envelope, asked: Asked, { event, more, text }: News) {
    const to = this.reached(webhook, asked)
    if (!webhook.events.has(event) || to === undefined) return []
    const { agent, request: { deadline, key, message, mode }, run, task } = asked
    const origin = webhook.service ?? this.origin
    const data = {
      text: short(text(asked, to.join(", "))),
      run,
      task,
      agent,
      key,
      question: { mode, message: short(message), deadline: deadline === null ? null : iso(deadline) },
      to,
      ...more,
      ...isOpening(event) ? { links: this.linksOf(webhook, asked, { to, at, origin }) } : {},
      inbox: `${origin}/inbox`
    }
    const asks = isOpening(event) ? { task, key } : undefined
    return [{ event, asks, to, body: toBody(`question.${event}`, at, data) }]
  }

  /** Who of those it reaches may answer; `undefined` when nobody of them may. */
  private reached({ to }: Webhook, { request, standing }: Asked): ReadonlyArray<string> | undefined {
    const may = answerers(this.people, request, standing)
    if (to === undefined) return may
    const reached = may.filter((name) => isAmong(this.people.get(name)!, to))
    return reached.length === 0 ? undefined : reached
  }

  /** Links only for people the webhook names: another's would be in a room he has not chosen. */
  private linksOf(
    webhook: Webhook,
    { request, task }: Asked,
    { at, origin, to }: { readonly to: ReadonlyArray<string>; readonly at: number; readonly origin: string }
  ) {
    const whom = this.people.size === 0 ? [null] : webhook.to === undefined ? [] : to.slice(0, mostLinks)
    const expires = Math.min(request.deadline ?? Infinity, at + linkLifetime)
    return whom.map((person) => ({
      person,
      url: this.links.url(origin, { task, key: request.key, person, expires }),
      expires: iso(expires)
    }))
  }
}

const toBody = (type: string, at: number, data: object): string => JSON.stringify({ type, timestamp: iso(at), data })
