import type { Task } from "@coppice/api/Api"
import { useQuery } from "@tanstack/react-query"
import { get, taskPath } from "../api/Http.ts"
import { keys } from "../api/Keys.ts"
import { ErrorNote } from "../ui/Note.tsx"
import { Skeleton } from "../ui/Skeleton.tsx"
import { Status } from "../ui/Status.tsx"

export const RunPage = ({ id }: { readonly id: string }) => {
  const { data: task, error } = useQuery({
    queryKey: keys.task(id),
    queryFn: ({ signal }) => get<Task>(taskPath(id), {}, signal)
  })
  return (
    <main className="page">
      <div className="page-inner stack">
        {error === null ? null : <ErrorNote error={error} />}
        {task === undefined ? <Skeleton /> : (
          <h1>
            {task.agent} <Status task={task} />
          </h1>
        )}
      </div>
    </main>
  )
}
