/**
 * What the page behind an answer link asks for: the question, and its answer.
 */
import { Api } from "@coppice/api/Api"
import type { LinkedQuestion } from "@coppice/api/LinkApi"
import { answerers, mayAnswer, People } from "@coppice/task/People"
import { Refused } from "@coppice/task/TaskMachine"
import { AlreadyAnswered, NotEntitled, Tasks } from "@coppice/task/Tasks"
import { type OpenInput, TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Redacted from "effect/Redacted"
import { AnswerLinks, DeadLink, type Grant } from "./AnswerLinks.ts"
import { answered } from "./ApiErrors.ts"

/** Whoever answers by a link that names nobody. */
const nobody = "link"

/** What of the question whoever has the link may see. */
const shown = ({ expires, person }: Grant, { agent, request, since, task }: OpenInput): LinkedQuestion => {
  const { params: _, ...asked } = request
  return { task, person, agent, since, expires, request: asked }
}

export const layer = HttpApiBuilder.group(
  Api,
  "link",
  Effect.fn(function*(handlers) {
    const links = yield* AnswerLinks
    const tasks = yield* Tasks
    const store = yield* TaskStore
    const people = yield* People

    /** Why there is nothing to answer: by whom it was answered, if it was. */
    const closed = Effect.fnUntraced(function*({ key, task }: Grant) {
      const events = (yield* store.journal(task))?.events ?? []
      const last = events.findLast(({ event }) => event._tag === "InputReceived" && event.key === key)
      if (last?.event._tag !== "InputReceived") {
        return yield* new Refused({ task, command: "Respond", reason: { _tag: "UnknownInput", key } })
      }
      const { action, by } = last.event.response
      return yield* new AlreadyAnswered({ task, key, by, at: last.at, action })
    })

    const find = Effect.fnUntraced(function*(grant: Grant) {
      const { run } = yield* tasks.get(grant.task)
      const open = yield* tasks.inbox({ run, limit: 1_000 })
      const question = open.find(({ request, task }) => task === grant.task && request.key === grant.key)
      return question ?? (yield* closed(grant))
    })

    /** Whoever has lost the right is not shown what is asked either. */
    const entitled = ({ key, person, task }: Grant, { request, standing }: OpenInput) => {
      const found = people.get(person ?? "")
      return people.size === 0 || found !== undefined && mayAnswer(found, request, standing)
        ? Effect.void
        : Effect.fail(new NotEntitled({ task, key, by: person ?? nobody, may: answerers(people, request, standing) }))
    }

    return handlers.handleAll({
      open: Effect.fnUntraced(function*({ payload: { token } }) {
        const grant = yield* links.open(Redacted.value(token))
        const question = yield* find(grant)
        yield* entitled(grant, question)
        const to = grant.person === null ? {} : { to: grant.person }
        yield* tasks.offered({ id: grant.task, key: grant.key, offer: { door: "link", how: "delivered", ...to } })
        return shown(grant, question)
      }, answered),

      answer: Effect.fnUntraced(function*({ payload: { action, content = null, token } }) {
        const by = yield* links.use(Redacted.value(token), (grant) =>
          Effect.gen(function*() {
            const by = grant.person ?? nobody
            const { standing } = yield* find(grant)
            // one use is one vote, also when a crash came between the vote and the note that the link is used
            if (standing.votes.some((vote) => vote.by === by)) return yield* new DeadLink({ why: "used" })
            yield* tasks.respond({ id: grant.task, key: grant.key, response: { action, content, by } })
            return by
          }))
        return { action, by }
      }, answered)
    })
  })
)
