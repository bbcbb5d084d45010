import type { Task } from "@coppice/api/Api"
import type { Wait } from "@coppice/api/TasksApi"
import { Ago } from "../../ui/Time.tsx"
import { useWhy } from "./useTaskDetails.ts"

/** Waits that differ in nothing a person would tell apart, and one of them. */
interface Group {
  readonly wait: Wait
  readonly count: number
}

/** The most groups that are listed. */
const most = 8

/** Alike are waits of one agent for one kind of thing; what a person is asked is told each. */
export const grouped = (waits: ReadonlyArray<Wait>): ReadonlyArray<Group> => {
  const groups = new Map<string, Group>()
  for (const wait of waits) {
    const { agent, key, on, task } = wait
    const name = on === "person" ? `${task} ${key ?? ""}` : `${agent} ${on}`
    const known = groups.get(name)
    groups.set(name, known === undefined ? { wait, count: 1 } : { ...known, count: known.count + 1 })
  }
  return [...groups.values()]
}

const WaitItem = ({ group: { count, wait: { agent, due, fix, message, on, since, task, who } }, onSelect }: {
  readonly group: Group
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
        {count === 1 ? "" : `; and ${count - 1} more like it`}
      </p>
      {fix === null ? null : <p className="muted">→ {fix}</p>}
    </div>
  </li>
)

/** What a task waits for in the end, however deep below it that is. Its own question stands above, with its form. */
export const WhySection = ({ onSelect, task }: { readonly task: Task; readonly onSelect: (id: string) => void }) => {
  const { data } = useWhy(task)
  if (data === undefined || task.endedAt !== null) return null
  const waits = data.causes.length > 0 ? data.causes : data.waits
  const groups = grouped(waits.filter((wait) => wait.on !== "person" || wait.task !== task.id))
  if (groups.length === 0) return null
  return (
    <section className="detail-section">
      <h3>Waits for</h3>
      <ul className="waits">
        {groups.slice(0, most).map((group) => (
          <WaitItem
            key={`${group.wait.task} ${group.wait.on} ${group.wait.key ?? ""}`}
            group={group}
            onSelect={onSelect}
          />
        ))}
      </ul>
      {groups.length > most ? <p className="muted">{`and ${groups.length - most} more`}</p> : null}
    </section>
  )
}
