import type { Question } from "@coppice/api/InboxApi"
import { useEffect, useRef } from "react"
import { Link } from "wouter"
import { kindOf } from "../../questions/QuestionKind.ts"
import { Icon } from "../../ui/Icon.tsx"
import { Ago, Countdown } from "../../ui/Time.tsx"
import { addressOf, idOf } from "./Gone.ts"

const Item = ({ isSelected, question }: { readonly question: Question; readonly isSelected: boolean }) => {
  const ref = useRef<HTMLAnchorElement>(null)
  const { agent, request, since, standing } = question
  const kind = kindOf(request)
  const quorum = request.policy?.quorum ?? 1
  useEffect(() => {
    if (isSelected) ref.current?.scrollIntoView({ block: "nearest" })
  }, [isSelected])
  return (
    <li>
      <Link ref={ref} href={addressOf(question)} className="inbox-item" aria-current={isSelected ? "true" : undefined}>
        <span className={`inbox-icon tone-${kind.name === "outcome" ? "bad" : "waiting"}`} title={kind.title}>
          <Icon name={kind.icon} />
          <span className="hidden-visually">{kind.title}</span>
        </span>
        <span className="grow">
          <span className="row">
            <strong className="clip grow">{agent}</strong>
            <span className="faint inbox-age">
              <Ago at={since} />
            </span>
          </span>
          <span className="inbox-line">{request.message}</span>
          <span className="inbox-more">
            {request.deadline === null ? null : (
              <span className="row">
                <Icon name="clock" size={12} /> <Countdown to={request.deadline} />
              </span>
            )}
            {quorum === 1 ? null : <span>{standing.votes.length} of {quorum} votes</span>}
          </span>
        </span>
      </Link>
    </li>
  )
}

/** The open questions, oldest first. */
export const QuestionList = ({ questions, selected }: {
  readonly questions: ReadonlyArray<Question>
  readonly selected: string | undefined
}) => (
  <ul className="inbox-items" aria-label="Open questions, oldest first">
    {questions.map((question) => (
      <Item key={idOf(question)} question={question} isSelected={idOf(question) === selected} />
    ))}
  </ul>
)
