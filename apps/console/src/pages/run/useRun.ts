/**
 * The whole tree of a run, followed fact by fact.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskTree } from "@coppice/api/TasksApi"
import { useQuery } from "@tanstack/react-query"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"

/** The task an address names, which may be the beginning of its id. */
export const useTask = (id: string) =>
  useQuery({ queryKey: keys.task(id), queryFn: ({ signal }) => get<Task>(taskPath(id), {}, signal) })

/** What is here: other Coppices, which may take seconds to answer, are not waited for. */
export const useTree = (run: string | undefined) =>
  useQuery({
    queryKey: keys.tree(run ?? ""),
    queryFn: ({ signal }) => get<TaskTree>(taskPath(run!, "/tree"), { elsewhere: false }, signal),
    enabled: run !== undefined
  })
