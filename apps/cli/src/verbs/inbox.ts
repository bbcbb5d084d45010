/**
 * `coppice inbox`: every question that waits for a person.
 */
import * as Effect from "effect/Effect"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { inboxLines } from "../InboxLines.ts"
import { tellShown } from "../Shown.ts"

export interface Options {
  readonly run: string | undefined
  readonly json: boolean
}

export const inbox = Effect.fn("inbox")(function*({ json, run }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const inbox = yield* call(client.inbox.list({ query: run === undefined ? {} : { run } }))
  if (json) return writeJson(out, inbox)
  writeLines(out, inboxLines(inbox.questions, yield* now, Math.min(out.columns(), 100)))
  if (out.isTty) yield* tellShown(inbox.questions)
})
