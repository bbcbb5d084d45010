/**
 * Who may answer a question, what has become of it so far, and what happens to it next by itself.
 */
import type { Question } from "@coppice/api/InboxApi"
import type { ReactNode } from "react"
import { Ago, Countdown } from "../ui/Time.tsx"
import { doors, hoursIn, silenceOf } from "./PolicyText.ts"

const Row = ({ children, name }: { readonly name: string; readonly children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)

const Votes = ({ quorum, standing }: { readonly quorum: number; readonly standing: Question["standing"] }) => (
  <Row name="Votes">
    <span className="votes" role="img" aria-label={`${standing.votes.length} of ${quorum}`}>
      {Array.from(
        { length: quorum },
        (_, at) => <span key={at} className={at < standing.votes.length ? "vote" : "vote vote-open"} />
      )}
    </span>{" "}
    {standing.votes.length} of {quorum} have accepted
    {standing.votes.map(({ at, by }) => (
      <span key={by} className="policy-line">
        {by}, <Ago at={at} />
      </span>
    ))}
  </Row>
)

const Next = ({ request: { policy }, standing }: Question) => {
  const reminder = policy?.remind?.toSorted((a, b) => a - b)[standing.reminded]
  const escalation = policy?.escalate?.[standing.escalated]
  return (
    <>
      {reminder === undefined ? null : (
        <Row name="Next reminder">
          <Countdown to={reminder} />
        </Row>
      )}
      {escalation === undefined ? null : (
        <Row name="Then also">
          {escalation.to.join(", ")}, <Countdown to={escalation.at} />
          {escalation.note === undefined ? null : <span className="policy-line muted">{escalation.note}</span>}
        </Row>
      )}
    </>
  )
}

export const PolicyPanel = (question: Question) => {
  const { may, request: { deadline, policy }, standing } = question
  const quorum = policy?.quorum ?? 1
  const asked = may.length > 0 ? may : policy?.to
  return (
    <dl className="facts policy">
      {asked === undefined ? null : <Row name="May answer">{asked.join(", ")}</Row>}
      {quorum > 1 ? <Votes quorum={quorum} standing={standing} /> : null}
      {standing.delegations.length === 0 ? null : (
        <Row name="Delegated">
          {standing.delegations.map(({ at, by, to }) => (
            <span key={at} className="policy-line">
              {by} → {to}, <Ago at={at} />
            </span>
          ))}
        </Row>
      )}
      <Next {...question} />
      {deadline === null ? null : (
        <Row name="Expires">
          <Countdown to={deadline} />
          <span className="policy-line muted">{silenceOf(policy)}</span>
        </Row>
      )}
      {policy?.hours === undefined ? null : <Row name="Hours">{hoursIn(policy.hours)}</Row>}
      {standing.offers.length === 0 ? null : (
        <Row name="Shown at">
          {doors(standing.offers).map(({ at, detail, door, isDelivered }) => (
            <span key={door} className={`policy-line ${isDelivered ? "" : "muted"}`}>
              {door} {isDelivered ? "" : "did not show it "}
              <Ago at={at} />
              {detail === undefined ? null : <span className="muted">{` (${detail})`}</span>}
            </span>
          ))}
        </Row>
      )}
    </dl>
  )
}

/** Whether there is anything to say. */
export const hasPolicy = ({ may, request: { deadline, policy }, standing }: Question): boolean =>
  may.length > 0 || deadline !== null || policy !== undefined || standing.offers.length > 0 ||
  standing.delegations.length > 0
