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

const withTasks = (page: TaskPage, tasks: ReadonlyArray<Task>): TaskPage =>
  tasks === page.tasks ? page : { ...page, tasks }

/** The pages after these tasks have changed or begun: in place, new ones on top, gone who no longer fits. */
export const merge = (filter: ListFilter, data: Pages, changed: ReadonlyMap<string, Task>): Pages => {
  const known = new Set<string>()
  const pages = data.pages.map((page) => {
    if (!page.tasks.some(({ id }) => changed.has(id))) return page
    const tasks = page.tasks.flatMap((task) => {
      known.add(task.id)
      const now = changed.get(task.id) ?? task
      return isListed(filter, now) ? [now] : []
    })
    return withTasks(page, tasks)
  })
  const first = pages[0]
  if (first === undefined) return data
  const newest = first.tasks[0]?.id ?? ""
  // ids sort by time of creation: what is older belongs into a page that is not read yet, or has just come to fit
  const added = [...changed.values()].filter((task) =>
    !known.has(task.id) && task.id > newest && isListed(filter, task)
  )
  if (added.length > 0) pages[0] = withTasks(first, [...added.toSorted((a, b) => a.id < b.id ? 1 : -1), ...first.tasks])
  return { ...data, pages }
}
