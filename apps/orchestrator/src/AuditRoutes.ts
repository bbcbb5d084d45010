/**
 * Who decided what.
 */
import { Api } from "@coppice/api/Api"
import { Tasks } from "@coppice/task/Tasks"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"

const page = 100

export const layer = HttpApiBuilder.group(
  Api,
  "audit",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks
    return handlers.handleAll({
      check: () => answered(tasks.auditCheck),

      list: Effect.fnUntraced(function*({ query: { limit = page, run, ...query } }) {
        const id = run === undefined ? undefined : yield* tasks.resolve(run)
        const entries = yield* tasks.audit({ ...query, run: id, limit })
        return { entries, next: entries.length < limit ? null : entries.at(-1)!.n }
      }, answered)
    })
  })
)
