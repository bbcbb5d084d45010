/**
 * Who may answer a question, until when, and what happens meanwhile: data beside the question, with absolute times.
 *
 * A policy is fixed when the question is asked. What became of it since (votes, reminders, who was added) is its
 * *standing*, a projection of the facts about the question. Times are Unix milliseconds.
 */
import * as Schema from "effect/Schema"
import { Hours } from "./Hours.ts"
import { wholeMillis } from "./internal/millis.ts"

/** From `at` on these may answer, too, and are told; whoever could before still can. */
export const Escalation = Schema.Struct({
  at: Schema.Finite,
  to: Schema.Array(Schema.String),
  /** What they are told beside the question. */
  note: Schema.optionalKey(Schema.String)
})
export type Escalation = typeof Escalation.Type

/** What counts as the answer when the question's deadline passes. */
export const Silence = Schema.Union([
  Schema.Struct({ action: Schema.Literal("accept"), content: Schema.Json }),
  Schema.Struct({ action: Schema.Literal("decline") })
])
export type Silence = typeof Silence.Type

/** The rules of one question. */
export const Policy = Schema.Struct({
  /** Who may answer: names of people, or `@role`. [whoever may approve at all] */
  to: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How many different people have to accept, with equal content. One who declines or dismisses it ends it. [1] */
  quorum: Schema.optionalKey(Schema.Int),
  /** When everyone is told again. */
  remind: Schema.optionalKey(Schema.Array(Schema.Finite)),
  escalate: Schema.optionalKey(Schema.Array(Escalation)),
  /** At the deadline. [it is `expired`, or `undelivered` when it never reached anybody] */
  silence: Schema.optionalKey(Silence),
  /** The hours its times were counted in, for display. */
  hours: Schema.optionalKey(Hours)
}).annotate({ identifier: "Policy" })
export type Policy = typeof Policy.Type

/** The one action an approval is for. `digest` is what its use is compared with. */
export const ExactAction = Schema.Struct({
  tool: Schema.String,
  arguments: Schema.Json,
  /** Version of the rules under which the action needs an approval. */
  policy: Schema.String,
  digest: Schema.String,
  /** The approval holds no longer than until then. */
  expires: Schema.NullOr(Schema.Finite)
}).annotate({ identifier: "ExactAction" })
export type ExactAction = typeof ExactAction.Type

/** That a door has shown the question to somebody, or could not. */
export const Offer = Schema.Struct({
  /** `console`, `cli`, `link`, `mcp:<session or principal>`, `webhook:<name>`. */
  door: Schema.String,
  to: Schema.optionalKey(Schema.String),
  how: Schema.Literals(["delivered", "undelivered"]),
  detail: Schema.optionalKey(Schema.String)
})
export type Offer = typeof Offer.Type

/** What became of an open question so far. */
export const Standing = Schema.Struct({
  key: Schema.String,
  /** How many reminders are over, sent or passed by. */
  reminded: Schema.Int,
  /** How many escalations are in force. */
  escalated: Schema.Int,
  /** Who has accepted, of a question that needs several. */
  votes: Schema.Array(Schema.Struct({ by: Schema.String, at: Schema.Finite, content: Schema.NullOr(Schema.Json) })),
  /** Who gave their right to whom, in order. */
  delegations: Schema.Array(Schema.Struct({ by: Schema.String, to: Schema.String, at: Schema.Finite })),
  /** What each door has said about each person, the last 64. */
  offers: Schema.Array(Schema.Struct({ ...Offer.fields, at: Schema.Finite }))
}).annotate({ identifier: "Standing" })
export type Standing = typeof Standing.Type

/** The part of a question that has times. */
interface Timed {
  readonly deadline: number | null
  readonly policy?: Policy | undefined
}

/** The standing of a question that was just asked. */
export const untouched = (key: string): Standing => ({
  key,
  reminded: 0,
  escalated: 0,
  votes: [],
  delegations: [],
  offers: []
})

/** What happens next to an open question by itself, and when. */
export const Due = Schema.Struct({
  what: Schema.Literals(["reminder", "escalation", "deadline"]),
  at: Schema.Finite
})
export type Due = typeof Due.Type

/** The next that is due; `undefined` when nothing ever will be. */
export const nextDue = ({ deadline, policy }: Timed, { escalated, reminded }: Standing): Due | undefined => {
  const remind = policy?.remind?.toSorted((a, b) => a - b)[reminded]
  const escalate = policy?.escalate?.[escalated]?.at
  const dues: Array<Due> = []
  // at one moment the deadline comes first: there is nobody left to remind
  if (deadline !== null) dues.push({ what: "deadline", at: wholeMillis(deadline) })
  if (escalate !== undefined) dues.push({ what: "escalation", at: wholeMillis(escalate) })
  if (remind !== undefined) dues.push({ what: "reminder", at: wholeMillis(remind) })
  return dues.length === 0 ? undefined : dues.reduce((first, due) => due.at < first.at ? due : first)
}

/** Who may answer by the policy alone: `undefined` stands for everyone who may approve. Delegations are not in it. */
export const askedOf = ({ policy }: Timed, { escalated }: Standing): ReadonlyArray<string> | undefined =>
  policy?.to === undefined
    ? undefined
    : [...policy.to, ...(policy.escalate ?? []).slice(0, escalated).flatMap(({ to }) => to)]
