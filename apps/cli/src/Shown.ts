/**
 * Tells the service which questions a person has on the screen: the proof that they were delivered here.
 */
import type { TaskId } from "@coppice/api/Api"
import * as Effect from "effect/Effect"
import { Connection } from "./Connection.ts"

interface Asked {
  readonly task: string
  readonly request: { readonly key: string }
}

/** Tells, and does not mind when that fails: whoever is asked should not wait for it. */
export const tellShown = Effect.fnUntraced(function*(asked: ReadonlyArray<Asked>) {
  if (asked.length === 0) return
  const { call, client } = yield* Connection
  const questions = asked.map(({ request: { key }, task }) => ({ task: task as TaskId, key }))
  yield* Effect.ignore(call(client.inbox.shown({ payload: { door: "cli", questions } })))
})
