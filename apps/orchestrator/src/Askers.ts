/**
 * On whose behalf a question is asked: the tasks from the root of a run down to the one that asks.
 */
import type { Asker } from "@coppice/api/InboxApi"
import type { TaskId } from "@coppice/task/Task"
import type { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"

interface Known extends Asker {
  readonly parent: TaskId | null
}

/** The paths of these tasks, by their ids. Tasks above that are gone are left out, and so is everything above those. */
export const pathsOf = Effect.fnUntraced(function*({ get }: Pick<Tasks["Service"], "get">, ids: ReadonlyArray<TaskId>) {
  const known = new Map<TaskId, Known | undefined>()

  // questions of one run share most of their paths
  const find = Effect.fnUntraced(function*(id: TaskId) {
    if (!known.has(id)) {
      const task = yield* Effect.catchTag(get(id), "TaskNotFound", () => Effect.succeed(undefined))
      known.set(id, task === undefined ? undefined : { task: id, agent: task.agent, parent: task.parent })
    }
    return known.get(id)
  })

  const pathOf = Effect.fnUntraced(function*(id: TaskId) {
    const path: Array<Asker> = []
    let at = yield* find(id)
    while (at !== undefined) {
      const { agent, parent, task } = at
      path.unshift({ task, agent })
      at = parent === null ? undefined : yield* find(parent)
    }
    return path
  })

  const paths = new Map<TaskId, ReadonlyArray<Asker>>()
  for (const id of new Set(ids)) paths.set(id, yield* pathOf(id))
  return paths
})
