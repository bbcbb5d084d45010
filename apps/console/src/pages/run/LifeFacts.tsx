/**
 * When a task began, how long it lasts and in which attempt it is: rows of a list of facts.
 */
import type { Task } from "@coppice/api/Api"
import { moment } from "../../ui/Durations.ts"
import { Ago, Lasted } from "../../ui/Time.tsx"

export const LifeFacts = ({ task }: { readonly task: Pick<Task, "attempt" | "createdAt" | "endedAt"> }) => {
  const { attempt, createdAt, endedAt } = task
  return (
    <>
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
    </>
  )
}
