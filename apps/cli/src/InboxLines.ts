/**
 * The questions that wait for a person, and how to answer each.
 */
import type { Question } from "@coppice/api/InboxApi"
import { fieldsOf, hintOf } from "./Form.ts"
import { questionLines } from "./FormLines.ts"
import { empty, type Line, line, muted } from "./Line.ts"
import { duration } from "./Times.ts"

const fieldsLine = ({ request }: Question): ReadonlyArray<Line> => {
  const fields = request.mode === "form" ? fieldsOf(request.schema) : []
  return fields.length === 0
    ? []
    : [line(muted(`  ${fields.map((field) => `${field.title}: ${hintOf(field)}`).join(" · ")}`))]
}

/** Which doors have shown it to somebody, and which could not. */
const doorLines = ({ standing: { offers } }: Question): ReadonlyArray<Line> => {
  const at = (how: "delivered" | "undelivered") => [
    ...new Set(
      offers.filter((offer) => offer.how === how).map(({ door, to }) => to === undefined ? door : `${door} (${to})`)
    )
  ]
  const [shown, failed] = [at("delivered"), at("undelivered")]
  return [
    ...shown.length === 0 ? [] : [line(muted(`  shown by ${shown.join(", ")}`))],
    ...failed.length === 0 ? [] : [line(muted(`  not delivered by ${failed.join(", ")}`))]
  ]
}

const steps = { reminder: "reminds", escalation: "escalates", deadline: "ends" }

const votesPart = ({ request, standing: { votes } }: Question): string | undefined => {
  const quorum = request.policy?.quorum ?? 1
  if (quorum === 1) return undefined
  const who = votes.length === 0 ? "" : `: ${votes.map(({ by }) => by).join(", ")}`
  return `${votes.length} of ${quorum} agreed${who}`
}

const silencePart = ({ request: { policy } }: Question): string => {
  const silence = policy?.silence
  return silence === undefined
    ? ""
    : silence.action === "decline"
    ? ", as a no"
    : ` as ${JSON.stringify(silence.content)}`
}

/** Who may answer, who has, and what happens next: what a question without rules has none of. */
const rulesLine = (question: Question, now: number): ReadonlyArray<Line> => {
  const { may, next, request, standing } = question
  const asked = may.length > 0 ? may : request.policy?.to ?? []
  const parts = [
    asked.length === 0 ? undefined : `may answer: ${asked.join(", ")}`,
    votesPart(question),
    ...standing.delegations.map(({ by, to }) => `${by} → ${to}`),
    next === undefined ? undefined : `${steps[next.what]} in ${duration(next.at - now)}`,
    request.deadline === null || next?.what === "deadline" ? undefined : `ends in ${duration(request.deadline - now)}`
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? [] : [line(muted(`  ${parts.join(" · ")}${silencePart(question)}`))]
}

/** The way to this question: with its key only when the task asks several. */
const command = (question: Question, questions: ReadonlyArray<Question>): string => {
  const isOnly = questions.filter(({ task }) => task === question.task).length === 1
  return `coppice answer ${question.task}${isOnly ? "" : ` --key ${JSON.stringify(question.request.key)}`}`
}

/** The inbox, the oldest question first. */
export const inboxLines = (questions: ReadonlyArray<Question>, now: number, width: number): ReadonlyArray<Line> => {
  if (questions.length === 0) return [line(muted("Nobody waits for an answer."))]
  return [...questions].sort((a, b) => a.since - b.since).flatMap((question, index) => [
    ...(index === 0 ? [] : [empty]),
    ...questionLines(question, now, width),
    ...fieldsLine(question),
    ...rulesLine(question, now),
    ...doorLines(question),
    line(muted(`  → ${command(question, questions)}`))
  ])
}
