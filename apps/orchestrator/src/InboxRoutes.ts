/**
 * Questions and their answers.
 */
import { Api } from "@coppice/api/Api"
import { Caller } from "@coppice/api/Authorization"
import type { Question } from "@coppice/api/InboxApi"
import { answerers, People, type Person } from "@coppice/task/People"
import { nextDue } from "@coppice/task/Policy"
import { Tasks } from "@coppice/task/Tasks"
import type { OpenInput } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { answered } from "./ApiErrors.ts"
import { pathsOf } from "./Askers.ts"

/** A question as the inbox shows it: who may answer it now, and what happens to it next. */
const question = (
  people: ReadonlyMap<string, Person>,
  input: OpenInput,
  path: Question["path"]
): Question => {
  const next = nextDue(input.request, input.standing)
  return {
    ...input,
    path,
    may: answerers(people, input.request, input.standing),
    ...next === undefined ? {} : { next }
  }
}

export const layer = HttpApiBuilder.group(
  Api,
  "inbox",
  Effect.fn(function*(handlers) {
    const tasks = yield* Tasks
    const people = yield* People

    return handlers.handleAll({
      list: Effect.fnUntraced(function*({ query }) {
        const run = query.run === undefined ? undefined : (yield* tasks.get(yield* tasks.resolve(query.run))).run
        const open = yield* tasks.inbox({ run, limit: query.limit })
        const paths = yield* pathsOf(tasks, open.map(({ task }) => task))
        return { questions: open.map((input) => question(people, input, paths.get(input.task) ?? [])) }
      }, answered),

      answer: Effect.fnUntraced(function*({ params, payload }) {
        const { by, isOwner } = yield* Caller
        const id = yield* tasks.resolve(params.id)
        return yield* tasks.respond({
          id,
          key: payload.key,
          response: { action: payload.action, content: payload.content ?? null, by },
          isOwner
        })
      }, answered),

      delegate: Effect.fnUntraced(function*({ params, payload: { key, to } }) {
        const { by, isOwner } = yield* Caller
        return yield* tasks.delegate({ id: yield* tasks.resolve(params.id), key, by, to, isOwner })
      }, answered),

      shown: Effect.fnUntraced(function*({ payload: { door, questions } }) {
        const { by, isOwner } = yield* Caller
        const offer = { door, how: "delivered", ...isOwner ? {} : { to: by } } as const
        // all at once: they share a commit
        const offers = questions.map(({ key, task }) => tasks.offered({ id: task, key, offer }))
        yield* Effect.all(offers, { concurrency: "unbounded", discard: true })
      }, answered)
    })
  })
)
