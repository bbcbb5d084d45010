/**
 * One run: its tree, and everything about the task that is selected in it.
 */
import type { Task } from "@coppice/api/Api"
import { Link } from "wouter"
import { Failure } from "../../api/Http.ts"
import { useAsking } from "../../api/useService.ts"
import { Empty } from "../../ui/Empty.tsx"
import { ErrorNote } from "../../ui/Note.tsx"
import { Skeleton } from "../../ui/Skeleton.tsx"
import { Status } from "../../ui/Status.tsx"
import { Ago, Lasted } from "../../ui/Time.tsx"
import { BelowCounts } from "./BelowCounts.tsx"
import { DetailPanel } from "./DetailPanel.tsx"
import { countOf } from "./TreeModel.ts"
import { TreePanel } from "./TreePanel.tsx"
import { useTask, useTree } from "./useRun.ts"
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

const Run = ({ tasks, root }: { readonly root: Task; readonly tasks: ReadonlyArray<Task> }) => {
  const [selected, select] = useSelection(root.id)
  const task = tasks.find(({ id }) => id === selected) ?? root
  return (
    <main className="page page-fixed">
      <Head root={root} tasks={tasks} />
      <div className="run-split">
        <TreePanel tasks={tasks} selected={task.id} onSelect={select} />
        <DetailPanel task={task} onSelect={select} />
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
