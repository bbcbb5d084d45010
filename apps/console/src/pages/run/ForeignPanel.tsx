/**
 * A task that runs on another Coppice: what that one tells of it.
 */
import { moment } from "../../ui/Durations.ts"
import { Note } from "../../ui/Note.tsx"
import { Status } from "../../ui/Status.tsx"
import { LifeFacts } from "./LifeFacts.tsx"
import type { TreeTask } from "./TreeModel.ts"

export const ForeignPanel = ({ task }: { readonly task: TreeTask }) => {
  const { agent, deadline, id, server, statusMessage } = task
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
          <LifeFacts task={task} />
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
