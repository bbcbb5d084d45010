/**
 * Questions that are no longer open, and what became of each.
 */
import type { Envelope } from "@coppice/api/Api"
import type { Question } from "@coppice/api/InboxApi"

/** A question's own name: keys are unique only within a task. */
export const idOf = ({ request, task }: Pick<Question, "task" | "request">): string => `${task} ${request.key}`

export const addressOf = ({ request, task }: Pick<Question, "task" | "request">): string =>
  `/inbox/${task}/${encodeURIComponent(request.key)}`

/** The question an address stands for, whether there is one or not. */
export const selectedIn = (pathname: string): string | undefined => {
  const [, task, key] = /^\/inbox\/([^/]+)\/([^/]+)$/.exec(pathname) ?? []
  try {
    return task === undefined || key === undefined
      ? undefined
      : `${decodeURIComponent(task)} ${decodeURIComponent(key)}`
  } catch {
    return undefined
  }
}

export interface Gone {
  readonly question: Question
  readonly at: number
  /** Who ended it and how, in words. */
  readonly what: string
}

const verbs = {
  accept: "accepted it",
  decline: "declined it",
  cancel: "closed it",
  expired: "let it expire",
  undelivered: "never saw it"
} as const

const answered = (
  { action, by, voters }: Extract<Envelope["event"], { readonly _tag: "InputReceived" }>["response"]
) => {
  if (action === "expired") return "Nobody answered in time"
  if (action === "undelivered") return "The time to answer is over, and it never reached anybody"
  if (by === "policy") {
    return `Nobody answered in time, and by its policy it counts as ${action === "accept" ? "accepted" : "declined"}`
  }
  return `${voters === undefined || voters.length < 2 ? by : voters.join(", ")} ${verbs[action]}`
}

/** What a fact means for a question of its task; `undefined` when it stays open. */
const meaning = ({ event }: Envelope, key: string): string | undefined => {
  switch (event._tag) {
    case "InputReceived":
      return event.key === key ? answered(event.response) : undefined
    case "InputWithdrawn":
      return event.key === key ? "It was withdrawn: nobody waits for the answer any more" : undefined
    case "Cancelled":
      return `Its task was cancelled by ${event.by}`
    case "Failed":
      return `Its task failed: ${event.message}`
    case "Completed":
      return "Its task has completed without the answer"
    default:
      return undefined
  }
}

/** Those of the open questions that these facts end. */
export const goneBy = (open: ReadonlyArray<Question>, facts: ReadonlyArray<Envelope>): ReadonlyArray<Gone> =>
  open.flatMap((question) => {
    for (const fact of facts) {
      if (fact.task !== question.task) continue
      const what = meaning(fact, question.request.key)
      if (what !== undefined) return [{ question, what, at: fact.at }]
    }
    return []
  })
