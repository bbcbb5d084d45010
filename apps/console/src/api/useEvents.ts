/**
 * The facts of a task, page by page from the first. New ones are added by the live feed, once the end has been read.
 */
import type { Envelope } from "@coppice/api/Api"
import type { EventPage } from "@coppice/api/TasksApi"
import { type InfiniteData, useInfiniteQuery } from "@tanstack/react-query"
import { useMemo } from "react"
import { get, taskPath } from "./Http.ts"
import { keys } from "./Keys.ts"

const firstPage = 100
const furtherPages = 1_000

export type EventPages = InfiniteData<EventPage, number>

export const useEvents = (id: string) => {
  const query = useInfiniteQuery({
    queryKey: keys.events(id, "task"),
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      get<EventPage>(
        taskPath(id, "/events"),
        { since: pageParam, limit: pageParam === 0 ? firstPage : furtherPages },
        signal
      ),
    getNextPageParam: ({ more, next }) => more ? next : undefined
  })
  const events = useMemo(() => query.data?.pages.flatMap(({ events }) => events), [query.data])
  return { ...query, events }
}

/** The pages with facts of the same task that came since. While there is more to read, they will be read in their turn. */
export const append = (data: EventPages, facts: ReadonlyArray<Envelope>): EventPages => {
  const last = data.pages.at(-1)
  if (last === undefined || last.more) return data
  const added = facts.filter(({ seq }) => seq > last.next)
  if (added.length === 0) return data
  const page = { ...last, events: [...last.events, ...added], next: added.at(-1)!.seq }
  return { ...data, pages: [...data.pages.slice(0, -1), page] }
}
