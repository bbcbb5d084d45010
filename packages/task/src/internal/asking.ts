/**
 * What may happen to an open question: an answer, a vote, a reminder, its end. Pure.
 */
import { canonical } from "../Payload.ts"
import { type ExactAction, nextDue, type Offer, type Standing, untouched } from "../Policy.ts"
import type { Command } from "../TaskCommand.ts"
import type { InputRequest, InputResponse, TaskEvent } from "../TaskEvent.ts"
import type { TaskState } from "../TaskMachine.ts"

type Of<Tag extends TaskEvent["_tag"]> = Extract<TaskEvent, { readonly _tag: Tag }>

/** Facts about a question that stays open. */
type StandingEvent = Of<"InputReminded" | "InputEscalated" | "InputVoted" | "InputDelegated" | "InputOffered">

/** Wishes about an open question. */
type Wish = Extract<
  Command,
  { readonly _tag: "Respond" | "WithdrawInput" | "TendInput" | "Delegate" | "OfferInput" }
>

/** The task's open question under this key. */
export const openInput = ({ inputs }: Pick<TaskState, "inputs">, key: string): InputRequest | undefined =>
  inputs.find((request) => request.key === key)

/** What became so far of an open question. */
export const standingOf = ({ standings }: Pick<TaskState, "standings">, key: string): Standing =>
  standings?.find((standing) => standing.key === key) ?? untouched(key)

/** The state with another standing of a question; `undefined` when there is nothing to say of it. */
export const stood = (state: TaskState, key: string, standing: Standing | undefined): TaskState => {
  if (state.standings === undefined && standing === undefined) return state
  const { standings = [], ...rest } = state
  const others = standings.filter((other) => other.key !== key)
  const all = standing === undefined ? others : [...others, standing]
  return all.length === 0 ? rest : { ...rest, standings: all }
}

/** The state after a fact about a question that stays open. */
export const moved = (state: TaskState, at: number, event: StandingEvent): TaskState =>
  stood(state, event.key, evolveStanding(standingOf(state, event.key), at, event))

/** The facts that follow from a wish about an open question. */
export const follow = (request: InputRequest, standing: Standing, wish: Wish): ReadonlyArray<TaskEvent> => {
  const { key } = request
  switch (wish._tag) {
    case "Respond":
      return answer(request, standing, wish.response)
    case "WithdrawInput":
      return [{ _tag: "InputWithdrawn", key }]
    case "TendInput":
      return tend(request, standing, wish.now)
    case "Delegate": {
      const { by, to } = wish
      const last = standing.delegations.findLast((one) => one.by === by || one.to === by)
      return last?.by === by && last.to === to ? [] : [{ _tag: "InputDelegated", key, by, to }]
    }
    case "OfferInput":
      return isKnown(standing, wish.offer) ? [] : [{ _tag: "InputOffered", key, ...wish.offer }]
  }
}

/** Offers that are remembered of one question. */
const offerLimit = 64

const isEqual = (a: InputResponse["content"], b: InputResponse["content"]): boolean => canonical(a) === canonical(b)

const holding = ({ digest, expires }: ExactAction) => ({ digest, expires })

/**
 * The facts of an answer. Where several have to accept, it is a vote, and with the last that is needed the answer; a
 * person has one vote, and may change it. The same vote again is no fact.
 */
const answer = (
  { approval, key, policy }: InputRequest,
  { votes }: Standing,
  given: InputResponse
): ReadonlyArray<TaskEvent> => {
  const response = approval === undefined || given.action !== "accept"
    ? given
    : { ...given, approval: holding(approval) }
  const quorum = policy?.quorum ?? 1
  if (response.action !== "accept" || quorum <= 1) return [{ _tag: "InputReceived", key, response }]
  const { by, content } = response
  if (votes.some((vote) => vote.by === by && isEqual(vote.content, content))) return []
  const voted = { _tag: "InputVoted", key, response } as const
  const voters = votes.filter((vote) => isEqual(vote.content, content)).map((vote) => vote.by)
  if (voters.length + 1 < quorum) return [voted]
  return [voted, { _tag: "InputReceived", key, response: { ...response, voters: [...voters, by] } }]
}

/** Whether anybody is known to have seen it. */
const hasReached = ({ delegations, offers, votes }: Standing): boolean =>
  votes.length > 0 || delegations.length > 0 || offers.some(({ how }) => how === "delivered")

const ending = ({ key, policy }: InputRequest, standing: Standing): TaskEvent => {
  const silence = policy?.silence
  const by = "policy"
  if (silence?.action === "accept") {
    return { _tag: "InputReceived", key, response: { action: "accept", content: silence.content, by } }
  }
  const action = silence?.action ?? (hasReached(standing) ? "expired" : "undelivered")
  return { _tag: "InputReceived", key, response: { action, content: null, by } }
}

/**
 * The facts of what is due by `now`. Reminders that were missed are one; after the deadline there is only the end.
 */
const tend = (request: InputRequest, standing: Standing, now: number): ReadonlyArray<TaskEvent> => {
  const { deadline, key, policy } = request
  if (deadline !== null && deadline <= now) return [ending(request, standing)]
  const events: Array<TaskEvent> = []
  for (let n = standing.escalated;; n++) {
    const due = policy?.escalate?.[n]
    if (due === undefined || due.at > now) break
    const { note, to } = due
    events.push({ _tag: "InputEscalated", key, to, ...note === undefined ? {} : { note } })
  }
  const n = passed(request, now)
  if (n > standing.reminded) events.push({ _tag: "InputReminded", key, n })
  return events
}

/** How many of its reminders are over at `now`. */
const passed = ({ policy }: InputRequest, now: number): number => policy?.remind?.filter((at) => at <= now).length ?? 0

const isSameOffer = (a: Offer, b: Offer): boolean => a.door === b.door && a.to === b.to && a.how === b.how

/** A door that says the same again says nothing. */
const isKnown = ({ offers }: Standing, offer: Offer): boolean =>
  offers.some((other) => isSameOffer(other, offer) && other.detail === offer.detail)

/** What a question begins with: one that is asked again does not remind of what is past. */
export const begun = (request: InputRequest, at: number): Standing | undefined => {
  const reminded = passed(request, at)
  return reminded === 0 ? undefined : { ...untouched(request.key), reminded }
}

const evolveStanding = (standing: Standing, at: number, event: StandingEvent): Standing => {
  switch (event._tag) {
    case "InputReminded":
      return { ...standing, reminded: event.n }
    case "InputEscalated":
      return { ...standing, escalated: standing.escalated + 1 }
    case "InputVoted": {
      const { by, content } = event.response
      return { ...standing, votes: [...standing.votes.filter((vote) => vote.by !== by), { by, at, content }] }
    }
    case "InputDelegated": {
      // one right is one vote
      const votes = standing.votes.filter((vote) => vote.by !== event.by)
      return { ...standing, votes, delegations: [...standing.delegations, { by: event.by, to: event.to, at }] }
    }
    case "InputOffered": {
      const { _tag, key: _, ...offer } = event
      const others = standing.offers.filter((other) => !isSameOffer(other, offer))
      return { ...standing, offers: [...others, { ...offer, at }].slice(-offerLimit) }
    }
  }
}

/** The key of the timer of a question. */
export const timerOf = (key: string): string => `question:${key}`

/** The question a timer is of; `undefined` for other timers. */
export const questionOf = (timer: string): string | undefined =>
  timer.startsWith("question:") ? timer.slice("question:".length) : undefined

/** When a question has to be looked at next. */
export const dueAt = (request: InputRequest, standing: Standing | undefined): number =>
  nextDue(request, standing ?? untouched(request.key))?.at ?? Infinity
