/**
 * Pages of tasks, as a list shows them.
 */
import type { Task } from "@coppice/api/Api"
import type { TaskPage } from "@coppice/api/TasksApi"
import type { InfiniteData } from "@tanstack/react-query"

/** What the service filters by. */
export interface ListFilter {
  readonly status: ReadonlyArray<Task["status"]>
  readonly agent: string
  readonly roots: boolean
}

export type Pages = InfiniteData<TaskPage, string | null>

/** Whether a task stands in the list of this filter. */
const isListed = ({ agent, roots, status }: ListFilter, task: Task): boolean =>
  (!roots || task.parent === null) && (agent === "" || task.agent === agent) &&
  (status.length === 0 || status.includes(task.status))

/** The tasks with one more in its place: ids sort by time of creation, and the newest stands first. */
const inserted = (tasks: ReadonlyArray<Task>, task: Task): ReadonlyArray<Task> => {
  const place = tasks.findIndex(({ id }) => id < task.id)
  return place < 0 ? [...tasks, task] : tasks.toSpliced(place, 0, task)
}

/** The page a task stands in; none when that page has not been read yet. */
const pageOf = (pages: ReadonlyArray<TaskPage>, { id }: Task): number => {
  const at = pages.findIndex(({ tasks }) => tasks.length > 0 && tasks.at(-1)!.id < id)
  if (at >= 0) return at
  return pages.at(-1)?.next === null ? pages.length - 1 : -1
}

/** The pages after these tasks have changed or begun: each in its place, gone who no longer fits. */
export const merge = (filter: ListFilter, data: Pages, changed: ReadonlyMap<string, Task>): Pages => {
  const known = new Set<string>()
  const pages = data.pages.map((page) => {
    if (!page.tasks.some(({ id }) => changed.has(id))) return page
    const tasks = page.tasks.flatMap((task) => {
      const now = changed.get(task.id)
      if (now === undefined) return [task]
      known.add(task.id)
      return isListed(filter, now) ? [now] : []
    })
    return { ...page, tasks }
  })
  for (const task of changed.values()) {
    if (known.has(task.id) || !isListed(filter, task)) continue
    const at = pageOf(pages, task)
    if (at >= 0) pages[at] = { ...pages[at]!, tasks: inserted(pages[at]!.tasks, task) }
  }
  return { ...data, pages }
}
