/**
 * The page behind an answer link: one question, without a session. Loading it answers nothing.
 */
import type { LinkedQuestion } from "@coppice/api/LinkApi"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { send } from "../../api/Http.ts"
import { Brand } from "../../shell/Brand.tsx"
import { moment } from "../../ui/Durations.ts"
import { ErrorNote, Note } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { type Answered, AnswerForm } from "./AnswerForm.tsx"
import { takeLinkToken } from "./LinkToken.ts"

const said: Readonly<Record<string, string>> = {
  accept: "Your answer has been recorded.",
  decline: "You declined; that has been recorded.",
  cancel: "You dismissed the question; that has been recorded."
}

const Question = ({ question, token }: { readonly question: LinkedQuestion; readonly token: string }) => {
  const [answered, setAnswered] = useState<Answered>()
  const { agent, person, request } = question
  return (
    <>
      <h1>{agent} asks{person === null ? "" : ` ${person}`}</h1>
      <p className="message">{request.message}</p>
      {request.deadline === null ? null : <p className="muted">Open until {moment(request.deadline)}</p>}
      {answered === undefined
        ? <AnswerForm token={token} question={question} onAnswered={setAnswered} />
        : <Note tone="good">{said[answered.action] ?? answered.action}</Note>}
    </>
  )
}

const Opened = ({ token }: { readonly token: string }) => {
  const { data, error } = useQuery({
    queryKey: ["link"],
    queryFn: () => send<LinkedQuestion>("POST", "/link/open", { token }),
    staleTime: Infinity
  })
  if (data !== undefined) return <Question question={data} token={token} />
  return error === null ? <Skeleton rows={4} /> : <ErrorNote error={error} />
}

export const AnswerPage = () => {
  const [token] = useState(takeLinkToken)
  return (
    <main className="gate">
      <div className="card gate-card">
        <div className="brand">
          <Brand />
        </div>
        {token === undefined
          ? <Note tone="bad">This address is no answer link. Open the link of the message again, whole.</Note>
          : <Opened token={token} />}
      </div>
    </main>
  )
}
