/**
 * The page behind an answer link: one question, without a session. Loading it answers nothing.
 */
import type { LinkedQuestion } from "@coppice/api/LinkApi"
import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { send } from "../../api/Http.ts"
import { AnswerForm } from "../../questions/AnswerForm.tsx"
import { ApprovalPanel } from "../../questions/ApprovalPanel.tsx"
import { kindOf } from "../../questions/QuestionKind.ts"
import { UrlPanel } from "../../questions/UrlPanel.tsx"
import { Brand } from "../../shell/Brand.tsx"
import { ErrorNote, Note } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Countdown } from "../../ui/Time.tsx"
import { takeLinkToken } from "./LinkToken.ts"

const said = {
  accept: "Your answer was taken.",
  decline: "You declined, and that was taken.",
  cancel: "You closed the question without an answer."
} as const

const Question = ({ question, token }: { readonly question: LinkedQuestion; readonly token: string }) => {
  const [action, setAction] = useState<keyof typeof said>()
  const { agent, person, request, task } = question
  const { approval, deadline, message, mode, url } = request
  const { hint } = kindOf(request)
  return (
    <div className="stack">
      <h1>{agent} asks{person === null ? "" : ` ${person}`}</h1>
      <p className="answer-message">{message}</p>
      {approval === undefined ? null : <ApprovalPanel approval={approval} />}
      {mode === "url" && url !== null ? <UrlPanel url={url} /> : null}
      {hint === undefined || action !== undefined ? null : <p className="muted">{hint}</p>}
      {deadline === null || action !== undefined
        ? null
        : (
          <p className="muted">
            Expires <Countdown to={deadline} />
          </p>
        )}
      {action === undefined
        ? <AnswerForm task={task} request={request} link={token} onAnswered={({ action }) => setAction(action)} />
        : <Note tone="good">{said[action]} You may close this page.</Note>}
    </div>
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
