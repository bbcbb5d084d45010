import type { Task } from "@coppice/api/Api"
import type { Wait } from "@coppice/api/TasksApi"
import { Ago } from "../../ui/Time.tsx"
import { useWhy } from "./useTaskDetails.ts"

const WaitItem = ({ wait: { agent, due, fix, message, on, since, task, who }, onSelect }: {
  readonly wait: Wait
  readonly onSelect: (id: string) => void
}) => (
  <li className="wait">
    <span className={`wait-on${on === "person" ? " tone-text-waiting" : ""}`}>{on}</span>
    <div className="grow">
      <p>{message}</p>
      <p className="muted">
        <button type="button" className="link" onClick={() => onSelect(task)}>{agent}</button>
        {", "}
        <Ago at={since} />
        {`; ${who} can end it`}
        {due === null ? null : (
          <>
            {", due "}
            <Ago at={due} />
          </>
        )}
      </p>
      {fix === null ? null : <p className="muted">→ {fix}</p>}
    </div>
  </li>
)

const key = ({ key, on, task }: Wait): string => `${task} ${on} ${key ?? ""}`

/** What a task waits for in the end, however deep below it that is. */
export const WhySection = ({ onSelect, task }: { readonly task: Task; readonly onSelect: (id: string) => void }) => {
  const { data } = useWhy(task)
  if (data === undefined || task.endedAt !== null) return null
  const waits = data.causes.length > 0 ? data.causes : data.waits
  if (waits.length === 0) return null
  return (
    <section className="detail-section">
      <h3>Waits for</h3>
      <ul className="waits">
        {waits.slice(0, 12).map((wait) => <WaitItem key={key(wait)} wait={wait} onSelect={onSelect} />)}
      </ul>
      {waits.length > 12 ? <p className="muted">{`and ${waits.length - 12} more`}</p> : null}
    </section>
  )
}
