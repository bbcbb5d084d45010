import type { TaskPage } from "@coppice/api/TasksApi"
import { useInfiniteQuery } from "@tanstack/react-query"
import { Link } from "wouter"
import { get } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"
import type { ListFilter } from "../api/Runs.ts"
import { Empty } from "../ui/Empty.tsx"
import { ErrorNote } from "../ui/Note.tsx"
import { Skeleton } from "../ui/Skeleton.tsx"
import { Status } from "../ui/Status.tsx"
import { Ago } from "../ui/Time.tsx"

const filter: ListFilter = { status: [], agent: "", roots: true }

export const RunsPage = () => {
  const { data, error } = useInfiniteQuery({
    queryKey: keys.runs(filter),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      get<TaskPage>("/tasks", { roots: true, limit: 200, ...pageParam === null ? {} : { cursor: pageParam } }, signal),
    getNextPageParam: ({ next }) => next
  })
  const runs = data?.pages.flatMap(({ tasks }) => tasks)
  return (
    <main className="page">
      <div className="page-inner stack">
        <h1>Runs</h1>
        {error === null ? null : <ErrorNote error={error} />}
        {runs === undefined ? <Skeleton /> : null}
        {runs?.length === 0 ? <Empty icon="tree" title="No runs yet" /> : null}
        {runs?.map((run) => (
          <Link key={run.id} href={`/runs/${run.id}`} className="row">
            <Status task={run} /> {run.agent} <Ago at={run.createdAt} />
          </Link>
        ))}
      </div>
    </main>
  )
}
