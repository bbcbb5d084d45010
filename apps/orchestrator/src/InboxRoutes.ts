/**
 * Questions and their answers.
 */
import { Api } from "@coppice/api/Api"
import { Caller } from "@coppice/api/Authorization"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"
import { pathsOf } from "./Askers.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "inbox",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks

    return handlers.handleAll({
      list: Effect.fnUntraced(function*({ query }) {
        const run = query.run === undefined ? undefined : (yield* tasks.get(yield* tasks.resolve(query.run))).run
        const open = yield* tasks.inbox({ run, limit: query.limit })
        const paths = yield* pathsOf(tasks, open.map(({ task }) => task))
        return { questions: open.map((input) => ({ ...input, path: paths.get(input.task) ?? [] })) }
      }, answered),

      answer: Effect.fnUntraced(function*({ params, payload }) {
        const { by } = yield* Caller
        const id = yield* tasks.resolve(params.id)
        return yield* tasks.respond({
          id,
          key: payload.key,
          response: { action: payload.action, content: payload.content ?? null, by }
        })
      }, answered)
    })
  })
)
