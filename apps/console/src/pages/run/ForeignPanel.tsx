/**
 * A task that runs on another Coppice: what that one tells of it.
 */
import { moment } from "../../ui/Durations.ts"
import { Note } from "../../ui/Note.tsx"
import { Status } from "../../ui/Status.tsx"
import { Ago, Lasted } from "../../ui/Time.tsx"
import type { TreeTask } from "./TreeModel.ts"

export const ForeignPanel = ({ task }: { readonly task: TreeTask }) => {
  const { agent, attempt, createdAt, deadline, endedAt, id, server, statusMessage } = task
  return (
    <section className="detail" aria-label={`Task ${agent}`}>
      <div className="detail-head">
        <div className="row">
          <h2 className="clip">{agent}</h2>
          <Status task={task} />
        </div>
      </div>
      <div className="tab-pad stack">
        <Note>
          {`This task runs on ${server ?? "another service"}; its facts and what can be done with it are there.`}
        </Note>
        {statusMessage === null ? null : <p>{statusMessage}</p>}
        <dl className="facts">
          <dt>Id there</dt>
          <dd className="id">{id}</dd>
          <dt>Begun</dt>
          <dd>
            {moment(createdAt)}{" "}
            <span className="faint">
              (<Ago at={createdAt} />)
            </span>
          </dd>
          <dt>{endedAt === null ? "So far" : "Took"}</dt>
          <dd>
            <Lasted from={createdAt} to={endedAt} />
          </dd>
          <dt>Attempts</dt>
          <dd className="num">{attempt}</dd>
          {deadline === null ? null : (
            <>
              <dt>Deadline</dt>
              <dd>{moment(deadline)}</dd>
            </>
          )}
        </dl>
      </div>
    </section>
  )
}
