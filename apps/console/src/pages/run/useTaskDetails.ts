/**
 * What is told of one task beside the task itself.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskResult, Why } from "@coppice/api/TasksApi"
import { useQuery } from "@tanstack/react-query"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"

export const useResult = ({ endedAt, id }: Task) =>
  useQuery({
    queryKey: keys.result(id),
    queryFn: ({ signal }) => get<TaskResult>(taskPath(id, "/result"), {}, signal),
    enabled: endedAt !== null
  })

/** What it waits for; nothing once it has ended. */
export const useWhy = ({ endedAt, id }: Task) =>
  useQuery({
    queryKey: keys.why(id),
    queryFn: ({ signal }) => get<Why>(taskPath(id, "/why"), {}, signal),
    enabled: endedAt === null
  })
