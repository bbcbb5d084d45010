/**
 * The whole tree of a run, followed fact by fact.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskTree } from "@coppice/api/TasksApi"
import { useQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { get, taskPath } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import { useAgents } from "../../api/useService.ts"
import { useLive } from "../../live/Live.tsx"

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

/** How often other Coppices are asked while the run goes on. */
const interval = 10_000

/** Whether somebody works on it who is no agent of this service. */
const useIsElsewhere = (tasks: ReadonlyArray<Task>): boolean => {
  const { data } = useAgents()
  return useMemo(() => {
    const own = new Set(data?.agents.map(({ contract }) => contract.name))
    return data !== undefined && tasks.some(({ agent }) => !own.has(agent))
  }, [data, tasks])
}

/** What other Coppices tell of their parts of the tree. They tell no facts as they come, so they are asked. */
export const useElsewhere = ({ endedAt, id }: Task, tasks: ReadonlyArray<Task>) => {
  const { paused } = useLive()
  const enabled = useIsElsewhere(tasks)
  return useQuery({
    queryKey: keys.elsewhere(id),
    queryFn: async ({ signal }) => (await get<TaskTree>(taskPath(id, "/tree"), {}, signal)).elsewhere ?? null,
    enabled,
    refetchInterval: endedAt !== null || paused ? false : interval
  })
}
