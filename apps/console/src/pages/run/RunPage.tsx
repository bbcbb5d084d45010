/**
 * One run: its tree, and everything about the task that is selected in it.
 */
import type { Task } from "@coppice/api/Api"
import type { Elsewhere } from "@coppice/api/TasksApi"
import { useMemo } from "react"
import { Link } from "wouter"
import { Failure } from "../../api/Http.ts"
import { useAsking } from "../../api/useService.ts"
import { Empty } from "../../ui/Empty.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Status } from "../../ui/Status.tsx"
import { Ago, Lasted } from "../../ui/Time.tsx"
import { BelowCounts } from "./BelowCounts.tsx"
import { DetailPanel } from "./DetailPanel.tsx"
import { ForeignPanel } from "./ForeignPanel.tsx"
import { countOf, type TreeTask } from "./TreeModel.ts"
import { TreePanel } from "./TreePanel.tsx"
import { useElsewhere, useTask, useTree } from "./useRun.ts"
import { useSelection } from "./useSelection.ts"

const Head = ({ root, tasks }: { readonly root: Task; readonly tasks: ReadonlyArray<Task> }) => {
  const asking = useAsking()
  return (
    <div className="run-title">
      <nav aria-label="Where you are">
        <Link href="/">Runs</Link> <span className="faint">/</span>
      </nav>
      <h1>{root.agent}</h1>
      <Status task={root} asks={asking.has(root.id)} />
      <span className="muted num">
        {tasks.length.toLocaleString()} {tasks.length === 1 ? "task" : "tasks"} · begun <Ago at={root.createdAt} /> ·
        {" "}
        <Lasted from={root.createdAt} to={root.endedAt} />
      </span>
      <BelowCounts below={countOf(tasks.slice(1))} />
    </div>
  )
}

/** Servers that do not tell of their part of the tree now. */
const Away = ({ away }: { readonly away: Elsewhere["away"] }) =>
  away.map(({ message, server, since, task }) => (
    <div key={`${server} ${task}`} className="banner tone-waiting" role="note">
      <Icon name="question" />
      <span>
        {`${server} does not tell of its part: ${message}, since `}
        <Ago at={since} />
      </span>
    </div>
  ))

const Run = ({ root, tasks }: { readonly root: Task; readonly tasks: ReadonlyArray<Task> }) => {
  const [selected, select] = useSelection(root.id)
  const { data: elsewhere } = useElsewhere(root, tasks)
  const all = useMemo((): ReadonlyArray<TreeTask> => [...tasks, ...elsewhere?.nodes ?? []], [tasks, elsewhere])
  const task = tasks.find(({ id }) => id === selected)
  const foreign = elsewhere?.nodes.find(({ id }) => id === selected)
  return (
    <main className="page page-fixed">
      <Head root={root} tasks={tasks} />
      {elsewhere == null ? null : <Away away={elsewhere.away} />}
      <div className="run-split">
        <TreePanel tasks={all} selected={selected} onSelect={select} />
        {task === undefined && foreign !== undefined
          ? <ForeignPanel task={foreign} />
          : <DetailPanel task={task ?? root} onSelect={select} />}
      </div>
    </main>
  )
}

const isMissing = (error: Error | null): boolean => error instanceof Failure && error.status === 404

export const RunPage = ({ id }: { readonly id: string }) => {
  const task = useTask(id)
  const tree = useTree(task.data?.run)
  const error = task.error ?? tree.error
  const root = tree.data?.tasks[0]
  if (root !== undefined) return <Run root={root} tasks={tree.data!.tasks} />
  return (
    <main className="page">
      <div className="page-inner">
        <h1 className="hidden-visually">Run</h1>
        {isMissing(error)
          ? (
            <Empty icon="question" title="There is no such run">
              <p>It may have been deleted: runs are kept for a week after their end.</p>
              <Link href="/">All runs</Link>
            </Empty>
          )
          : error === null
          ? <Skeleton rows={10} />
          : <ErrorNote error={error} />}
      </div>
    </main>
  )
}
