/**
 * The runs of a filter, newest first, page by page.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskPage } from "@coppice/api/TasksApi"
import { useInfiniteQuery } from "@tanstack/react-query"
import { useEffect, useMemo } from "react"
import { get } from "../../api/Http.ts"
import { keys } from "../../api/Keys.ts"
import type { ListFilter } from "../../api/Runs.ts"
import { matches, type RunFilter } from "./RunFilter.ts"

/** The first page is on screen soon, the others are worth their requests. */
const firstPage = 100
const furtherPages = 500

/** Matches of a text that are looked for without being asked for more. */
const enough = 60

const read = ({ agent, roots, status }: ListFilter, cursor: string | null, signal: AbortSignal): Promise<TaskPage> =>
  get<TaskPage>("/tasks", {
    status,
    agent: agent === "" ? undefined : agent,
    roots: roots ? true : undefined,
    cursor: cursor ?? undefined,
    limit: cursor === null ? firstPage : furtherPages
  }, signal)

export const useRuns = ({ agent, roots, status, text }: RunFilter) => {
  const filter: ListFilter = { agent, roots, status }
  const query = useInfiniteQuery({
    queryKey: keys.runs(filter),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => read(filter, pageParam, signal),
    getNextPageParam: ({ next }) => next
  })
  const { data, fetchNextPage, hasNextPage, isFetching } = query
  const runs = useMemo((): ReadonlyArray<Task> | undefined => {
    const all = data?.pages.flatMap(({ tasks }) => tasks)
    return text === "" ? all : all?.filter((task) => matches(text, task))
  }, [data, text])
  const isShort = text !== "" && runs !== undefined && runs.length < enough
  useEffect(() => {
    if (isShort && hasNextPage && !isFetching) void fetchNextPage()
  }, [isShort, hasNextPage, isFetching, fetchNextPage, data])
  return { ...query, runs, isSearching: isShort && hasNextPage }
}
