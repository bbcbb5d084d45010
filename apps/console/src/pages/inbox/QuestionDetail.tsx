/**
 * One question: who asks, what exactly, what it is about, and the answer.
 */
import type { Answer, Question } from "@coppice/api/InboxApi"
import { Link } from "wouter"
import { AnswerForm } from "../../questions/AnswerForm.tsx"
import { ApprovalPanel } from "../../questions/ApprovalPanel.tsx"
import { DelegateForm } from "../../questions/DelegateForm.tsx"
import { hasPolicy, PolicyPanel } from "../../questions/PolicyPanel.tsx"
import { kindOf } from "../../questions/QuestionKind.ts"
import { UrlPanel } from "../../questions/UrlPanel.tsx"
import { useMay, useWho } from "../../session/useSession.ts"
import { Icon } from "../../ui/Icon.tsx"
import { Note } from "../../ui/Note.tsx"
import { Ago } from "../../ui/Time.tsx"

const Path = ({ agent, path, run, task }: Question) => {
  const askers = path.length === 0 ? [{ agent, task }] : path
  return (
    <nav aria-label="Who asks, from the run down to the task">
      <ol className="path">
        {askers.map((asker) => (
          <li key={asker.task}>
            <Link href={asker.task === run ? `/runs/${run}` : `/runs/${run}?task=${asker.task}`}>{asker.agent}</Link>
          </li>
        ))}
      </ol>
    </nav>
  )
}

/** Names that stand for the service's owner, who may answer everything. */
const owners: ReadonlySet<string> = new Set(["console", "local"])

const Entitled = ({ may }: Question) => {
  const who = useWho()
  return may.length === 0 || owners.has(who) || may.includes(who)
    ? null
    : <Note tone="waiting">This is not asked of you ({who}), so your answer may be refused.</Note>
}

export const QuestionDetail = ({ onAnswered, onRefused, question }: {
  readonly question: Question
  readonly onAnswered: (answer: Answer) => void
  readonly onRefused: (error: Error) => void
}) => {
  const mayAnswer = useMay("approve")
  const { request, since, task } = question
  const kind = kindOf(request)
  const isCode = kind.name === "upgrade"
  return (
    <article className="inbox-question stack" aria-labelledby="question">
      <header className="stack inbox-head">
        <div className="row inbox-kind">
          <span className={`status tone-${kind.name === "outcome" ? "bad" : "waiting"}`}>
            <Icon name={kind.icon} /> {kind.title}
          </span>
          <span className="muted">
            asked <Ago at={since} />
          </span>
          <span className="grow" />
          <span className="id clip" title="The question's key">{request.key}</span>
        </div>
        <Path {...question} />
      </header>
      <h2 id="question" className={isCode ? "inbox-message mono" : "inbox-message"}>{request.message}</h2>
      {kind.hint === undefined || kind.name === "client" ? null : <p className="muted">{kind.hint}</p>}
      {request.approval === undefined ? null : <ApprovalPanel approval={request.approval} />}
      {request.mode === "url" ? <UrlPanel url={request.url ?? ""} /> : null}
      <Entitled {...question} />
      {mayAnswer
        ? <AnswerForm task={task} request={request} onAnswered={onAnswered} onRefused={onRefused} />
        : <Note>You may look, not answer.</Note>}
      {hasPolicy(question) ? <PolicyPanel {...question} /> : null}
      {mayAnswer && question.may.length > 0 ? <DelegateForm question={question} /> : null}
    </article>
  )
}
