/**
 * The open questions, oldest first, and what became of those that were open a moment ago.
 */
import type { Answer, Question } from "@coppice/api/InboxApi"
import { useEffect, useMemo, useRef, useState } from "react"
import { Failure } from "../../api/Http.ts"
import * as ServerClock from "../../api/ServerClock.ts"
import { useInbox } from "../../api/useService.ts"
import { useFacts } from "../../live/Live.tsx"
import { type Gone, goneBy, idOf } from "./Gone.ts"

/** How many of those that are gone are remembered. */
const mostGone = 50

const own: Readonly<Record<Answer["action"], string>> = {
  accept: "You accepted it",
  decline: "You declined it",
  cancel: "You closed it without an answer"
}

/** Codes of a service that has had an answer already, or has nobody left who waits for one; `undefined`: in its words. */
const late: ReadonlyMap<string, string | undefined> = new Map([
  ["already_answered", undefined],
  ["no_open_question", "It was answered or withdrawn meanwhile"],
  ["already_ended", "Its task has ended meanwhile"]
])

/** Now, but never before it was asked, whatever the clocks say. */
const endOf = ({ since }: Question): number => Math.max(since, ServerClock.now())

export interface Ended extends Gone {
  /** `mine`: answered in this page. `late`: answered here, but somebody was faster. */
  readonly how: "mine" | "late" | "elsewhere"
}

export const useInboxPage = () => {
  const { data, error } = useInbox()
  const [ended, setEnded] = useState<ReadonlyArray<Ended>>([])
  const questions = useMemo(() => {
    const over = new Map(ended.map(({ at, question }) => [idOf(question), at]))
    return data?.questions
      // what a fact has ended is gone at once; the inbox itself is read again a moment later
      .filter((question) => (over.get(idOf(question)) ?? -Infinity) < question.since)
      .toSorted((a, b) => a.since - b.since)
  }, [data, ended])
  const open = useRef<ReadonlyArray<Question>>([])
  useEffect(() => {
    open.current = questions ?? []
  }, [questions])

  const end = (gone: ReadonlyArray<Ended>) => {
    if (gone.length > 0) setEnded((before) => [...gone, ...before].slice(0, mostGone))
  }
  useFacts(({ facts }) => end(goneBy(open.current, facts).map((gone) => ({ ...gone, how: "elsewhere" }))))

  const answered = (question: Question, { action }: Answer) => {
    const isVote = action === "accept" && (question.request.policy?.quorum ?? 1) > 1
    if (!isVote) end([{ question, what: own[action], at: endOf(question), how: "mine" }])
  }
  const refused = (question: Question, failure: Error) => {
    if (!(failure instanceof Failure) || !late.has(failure.problem.code)) return
    const { code } = failure.problem
    const how = code === "already_answered" ? "late" : "elsewhere"
    end([{ question, what: late.get(code) ?? failure.message, at: endOf(question), how }])
  }
  return { questions, ended, error, answered, refused }
}
