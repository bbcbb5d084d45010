/**
 * Every question that waits for a person, oldest first. Each has an address of its own.
 */
import { useEffect } from "react"
import { Link, useLocation } from "wouter"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { useShortcut } from "../../ui/useShortcut.ts"
import { EndedPanel } from "./EndedPanel.tsx"
import { addressOf, idOf, selectedIn } from "./Gone.ts"
import { Notices } from "./Notices.tsx"
import { QuestionDetail } from "./QuestionDetail.tsx"
import { QuestionList } from "./QuestionList.tsx"
import { useInboxPage } from "./useInboxPage.ts"

/** As many as the service tells at once. */
const most = 1_000

const useSelected = (): string | undefined => {
  // the router has decoded a part of the address already
  useLocation()
  return selectedIn(location.pathname)
}

const Nobody = () => (
  <Empty icon="check" title="Nobody waits for an answer">
    <p>
      When an agent asks a person, its question appears here, in <code>coppice inbox</code>{" "}
      and in the MCP host that called. Whichever answers first counts.
    </p>
  </Empty>
)

const Unknown = ({ task }: { readonly task: string }) => (
  <Empty icon="stop" title="This question is not open">
    <p>It was answered or withdrawn, or it never was.</p>
    <Link href={`/runs/${task}`}>See the task</Link>
  </Empty>
)

export const InboxPage = () => {
  const { answered, ended, error, questions, refused } = useInboxPage()
  const [, navigate] = useLocation()
  const selected = useSelected()
  const at = questions?.findIndex((question) => idOf(question) === selected) ?? -1
  const question = questions?.[at]
  const over = ended.find((one) => idOf(one.question) === selected)
  const first = questions?.[0]
  const go = (to: number) => {
    const next = questions?.[Math.max(0, Math.min(to, questions.length - 1))]
    if (next !== undefined) navigate(addressOf(next))
  }
  useShortcut("j", () => go(at + 1))
  useShortcut("k", () => go(at - 1))
  useEffect(() => {
    // where list and question stand side by side one is always open
    if (selected === undefined && first !== undefined && matchMedia("(min-width: 901px)").matches) {
      navigate(addressOf(first), { replace: true })
    }
  }, [first, navigate, selected])
  const isEmpty = questions?.length === 0
  return (
    <main className={`page page-fixed inbox ${selected === undefined ? "" : "inbox-one"}`}>
      <div className="inbox-side">
        <div className="page-head inbox-top">
          <h1>Inbox</h1>
          {questions === undefined || isEmpty ? null : (
            <span className="muted num" role="status">
              {questions.length >= most ? `${most.toLocaleString()}, maybe more` : `${questions.length} open`}
            </span>
          )}
        </div>
        {error === null ? null : (
          <div className="inbox-error">
            <ErrorNote error={error} />
          </div>
        )}
        <Notices ended={ended} selected={selected} />
        {questions === undefined && error === null ? <Skeleton rows={6} /> : null}
        {questions === undefined || isEmpty ? null : <QuestionList questions={questions} selected={selected} />}
        {isEmpty && selected === undefined ? <Nobody /> : null}
      </div>
      {selected === undefined ? null : (
        <section className="inbox-main" aria-label="The question">
          <Link href="/inbox" className="inbox-back">
            <span className="chevron chevron-back">
              <Icon name="right" />
            </span>{" "}
            All questions
          </Link>
          {question !== undefined
            ? (
              <QuestionDetail
                key={selected}
                question={question}
                onAnswered={(answer) => answered(question, answer)}
                onRefused={(failure) => refused(question, failure)}
              />
            )
            : over !== undefined
            ? <EndedPanel key={selected} ended={over} onNext={first === undefined ? undefined : () => go(0)} />
            : questions === undefined
            ? <Skeleton rows={5} />
            : <Unknown task={selected.split(" ")[0]!} />}
        </section>
      )}
    </main>
  )
}
