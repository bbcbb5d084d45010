/**
 * Questions and their answers.
 */
import { Api } from "@coppice/api/Api"
import { Caller } from "@coppice/api/Authorization"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "inbox",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks

    return handlers.handleAll({
      list: Effect.fnUntraced(function*({ query }) {
        const run = query.run === undefined ? undefined : (yield* tasks.get(yield* tasks.resolve(query.run))).run
        return { questions: yield* tasks.inbox({ run, limit: query.limit }) }
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
