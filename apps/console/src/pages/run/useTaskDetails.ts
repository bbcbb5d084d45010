/**
 * What is told of one task beside the task itself.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskResult, Why } from "@coppice/api/TasksApi"
import { useQuery } from "@tanstack/react-query"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import { useLive } from "../../live/Live.tsx"

export const useResult = ({ endedAt, id }: Task) =>
  useQuery({
    queryKey: keys.result(id),
    queryFn: ({ signal }) => get<TaskResult>(taskPath(id, "/result"), {}, signal),
    enabled: endedAt !== null
  })

/** How often it is asked anew what a task waits for: the answer is made of its whole tree. */
const whyInterval = 3_000

/** What it waits for; nothing once it has ended. */
export const useWhy = ({ endedAt, id, status }: Task) => {
  const { paused } = useLive()
  return useQuery({
    queryKey: [...keys.why(id), status],
    queryFn: ({ signal }) => get<Why>(taskPath(id, "/why"), {}, signal),
    enabled: endedAt === null,
    refetchInterval: paused ? false : whyInterval
  })
}
