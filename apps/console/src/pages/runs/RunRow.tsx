import type { Task } from "@coppice/api/Api"
import { memo, type Ref } from "react"
import { Link } from "wouter"
import { ProgressBar } from "../../ui/ProgressBar.tsx"
import { Status } from "../../ui/Status.tsx"
import { Ago, Lasted } from "../../ui/Time.tsx"

/** Where a task is looked at: its run, with it selected. */
export const linkTo = ({ id, run }: Pick<Task, "id" | "run">): string =>
  `/runs/${run}${id === run ? "" : `?task=${id}`}`

export const RunRow = memo(({ asks, index, isActive, onFocus, refTo, task, top }: {
  readonly task: Task
  /** Somebody below it waits for a person. */
  readonly asks: boolean
  readonly index: number
  readonly top: number
  readonly isActive: boolean
  readonly onFocus: () => void
  readonly refTo: Ref<HTMLAnchorElement>
}) => (
  <div role="row" aria-rowindex={index + 2} className="run-row" style={{ transform: `translateY(${top}px)` }}>
    <span role="cell">
      <Status task={task} asks={asks} />
    </span>
    <span role="cell" className="clip run-agent">
      <Link href={linkTo(task)} ref={refTo} className="run-link" tabIndex={isActive ? 0 : -1} onFocus={onFocus}>
        {task.agent}
      </Link>
    </span>
    <span role="cell" className="row run-message">
      {task.endedAt === null && task.progress !== null ? <ProgressBar progress={task.progress} /> : null}
      <span className="clip muted">{task.statusMessage}</span>
    </span>
    <span role="cell" className="id clip">{task.id}</span>
    <span role="cell" className="muted">
      <Ago at={task.createdAt} />
    </span>
    <span role="cell" className="run-lasted">
      <Lasted from={task.createdAt} to={task.endedAt} />
    </span>
  </div>
))
