/**
 * What each fact of a task is on the wire.
 */
import { Api } from "@coppice/api/Api"
import * as Transcript from "@coppice/mcp/Transcript"
import type { Task } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"

const defaultPage = 200

export const layer = HttpApiBuilder.group(
  Api,
  "messages",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks
    const workers = yield* Workers

    const callerOf = ({ parent, spec }: Task) =>
      parent === null
        ? Effect.succeed(spec.principal)
        : tasks.get(parent).pipe(
          Effect.map(({ agent }) => agent),
          Effect.catchTag("TaskNotFound", () => Effect.succeed(spec.principal))
        )

    return handlers.handleAll({
      list: Effect.fnUntraced(function*({ params, query: { limit = defaultPage, since = 0 } }) {
        const task = yield* tasks.get(yield* tasks.resolve(params.id))
        const events = yield* tasks.events({ task: task.id, since, limit })
        return {
          task: task.id,
          caller: yield* callerOf(task),
          agent: task.agent,
          server: task.rest?.server ?? workers.find(task.agent)?.server ?? null,
          messages: Transcript.make(task, workers.contract(task.agent), events),
          next: events.at(-1)?.seq ?? since,
          more: events.length === limit
        }
      }, answered)
    })
  })
)
