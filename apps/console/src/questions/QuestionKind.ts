/**
 * What kind of question it is: an agent's own, or one of those the runtime asks.
 */
import type { InputRequest } from "@coppice/api/Api"
import type { IconName } from "../ui/Icon.tsx"

export interface QuestionKind {
  readonly name: "question" | "approval" | "url" | "outcome" | "budget" | "upgrade" | "client"
  readonly title: string
  readonly icon: IconName
  /** What to think of before answering. */
  readonly hint?: string
  /** What accepting is called. */
  readonly accept: string
}

const kinds: Readonly<Record<QuestionKind["name"], Omit<QuestionKind, "name">>> = {
  question: { title: "Question", icon: "question", accept: "Accept" },
  approval: {
    title: "Approval",
    icon: "check",
    accept: "Approve",
    hint: "Your approval holds for exactly this action. If anything of it changes, you are asked again."
  },
  url: {
    title: "Page to open",
    icon: "exit",
    accept: "Accept: I have done it",
    hint: "What you enter there stays between you and that page. Coppice sees nothing of it."
  },
  outcome: {
    title: "Unknown outcome",
    icon: "bang",
    accept: "Accept",
    hint:
      "Something was begun and nobody has seen it end. Look where it would have happened before you answer: it may be done twice, or not at all."
  },
  budget: {
    title: "Budget",
    icon: "clock",
    accept: "Accept: go on",
    hint: "Until you answer, nothing more is spent. When you decline, the work ends with what it has so far."
  },
  upgrade: {
    title: "Changed code",
    icon: "fork",
    accept: "Accept",
    hint: "The code has changed while this task was waiting, and it no longer fits what the task has done."
  },
  client: {
    title: "For the client",
    icon: "chat",
    accept: "Accept",
    hint: "Only the client that called can answer this."
  }
}

const nameOf = ({ about, approval, key, mode }: InputRequest): QuestionKind["name"] => {
  if (mode === "sampling" || mode === "roots") return "client"
  if (mode === "url") return "url"
  if (approval !== undefined) return "approval"
  if (about === "outcome_unknown") return "outcome"
  // no agent's own question has such a key
  if (key === "budget:soft") return "budget"
  return key.startsWith("upgrade:") ? "upgrade" : "question"
}

export const kindOf = (request: InputRequest): QuestionKind => {
  const name = nameOf(request)
  return { name, ...kinds[name] }
}
