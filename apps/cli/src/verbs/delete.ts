/**
 * `coppice delete <id>`: forgets a run that has ended, with everything it left behind.
 */
import * as Effect from "effect/Effect"
import { Connection } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { line, span } from "../Line.ts"

export interface Options {
  readonly id: string
  readonly json: boolean
}

export const remove = Effect.fn("delete")(function*({ id, json }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const deleted = yield* call(client.tasks.delete({ params: { id } }))
  if (json) return writeJson(out, deleted)
  const { run, tasks } = deleted
  writeLines(out, [line(span("✔ ", "good"), `Deleted run ${run}: ${tasks} ${tasks === 1 ? "task" : "tasks"}`)])
})
