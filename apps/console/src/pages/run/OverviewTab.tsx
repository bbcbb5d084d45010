/**
 * A task at a glance: what it was given, what it came to, what it waits for.
 */
import type { Task } from "@coppice/api/Api"
import { Link } from "wouter"
import { useEvents } from "../../api/useEvents.ts"
import { CopyButton } from "../../ui/CopyButton.tsx"
import { moment } from "../../ui/Durations.ts"
import { Json } from "../../ui/Json.tsx"
import { ErrorNote, Note } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Ago } from "../../ui/Time.tsx"
import { BudgetSection } from "./BudgetSection.tsx"
import { LifeFacts } from "./LifeFacts.tsx"
import { TaskQuestions } from "./TaskQuestions.tsx"
import { TraceLink } from "./TraceLink.tsx"
import { useResult } from "./useTaskDetails.ts"
import { WhySection } from "./WhySection.tsx"

const Outcome = ({ task }: { readonly task: Task }) => {
  const { data, error } = useResult(task)
  if (task.endedAt === null) return null
  if (error !== null) return <ErrorNote error={error} />
  if (data === undefined) return <Skeleton rows={3} />
  const { cancelled, completed, failed } = data
  return (
    <section className="detail-section">
      <h3>{completed === null ? "How it ended" : "Output"}</h3>
      {completed === null ? null : <Json value={completed.output} label="output" />}
      {failed === null ? null : (
        <Note tone="bad">
          <strong>{failed.reason}</strong>
          {` ${failed.message}`}
        </Note>
      )}
      {failed?.error == null ? null : <Json value={failed.error} label="error" />}
      {failed?.partial === undefined ? null : (
        <>
          <h3>What it had so far</h3>
          <Json value={failed.partial} label="partial result" />
        </>
      )}
      {cancelled === null
        ? null
        : (
          <Note tone="off">
            {`Cancelled by ${cancelled.by}${cancelled.reason === null ? "" : `: ${cancelled.reason}`}`}
          </Note>
        )}
    </section>
  )
}

const Input = ({ id }: { readonly id: string }) => {
  const { error, events } = useEvents(id)
  const first = events?.[0]?.event
  if (error !== null) return <ErrorNote error={error} />
  return (
    <section className="detail-section">
      <h3>Input</h3>
      {first?._tag === "Created" ? <Json value={first.input} label="input" /> : <Skeleton rows={3} />}
    </section>
  )
}

const Other = ({ id, label }: { readonly id: string; readonly label: string }) => (
  <>
    <dt>{label}</dt>
    <dd>
      <Link href={`/runs/${id}`} className="id">{id}</Link>
    </dd>
  </>
)

const Facts = ({ task }: { readonly task: Task }) => {
  const { deadline, id, settlement, spec } = task
  return (
    <dl className="facts">
      <dt>Id</dt>
      <dd className="row">
        <span className="id">{id}</span>
        <CopyButton text={id} label="Copy the id" />
      </dd>
      <LifeFacts task={task} />
      {deadline === null ? null : (
        <>
          <dt>Deadline</dt>
          <dd>
            {moment(deadline)}{" "}
            <span className="faint">
              (<Ago at={deadline} />)
            </span>
          </dd>
        </>
      )}
      {settlement === null ? null : (
        <>
          <dt>Rest</dt>
          <dd>{settlement.replace("_", " ")}</dd>
        </>
      )}
      <dt>By</dt>
      <dd>{spec.principal}</dd>
      <dt>Contract</dt>
      <dd className="id">{spec.version}{spec.code === undefined ? "" : `, code ${spec.code}`}</dd>
      {spec.retryOf === null ? null : <Other label="Retry of" id={spec.retryOf} />}
      {spec.forkOf === undefined ? null : <Other label="Fork of" id={spec.forkOf.task} />}
      <dt>Trace</dt>
      <dd>
        <TraceLink task={task} />
      </dd>
    </dl>
  )
}

export const OverviewTab = ({ onSelect, task }: { readonly task: Task; readonly onSelect: (id: string) => void }) => (
  <div className="tab-pad stack">
    {task.status === "input_required" ? <TaskQuestions task={task.id} /> : null}
    <WhySection task={task} onSelect={onSelect} />
    <Outcome task={task} />
    <Input id={task.id} />
    <BudgetSection task={task} />
    <section className="detail-section">
      <h3>Facts</h3>
      <Facts task={task} />
    </section>
  </div>
)
