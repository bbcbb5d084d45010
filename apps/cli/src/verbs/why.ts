/**
 * `coppice why <id>`: what a task waits for, since when, and who can change that.
 */
import * as Effect from "effect/Effect"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit } from "../Line.ts"
import { whyLines } from "../WhyLines.ts"

export interface Options {
  readonly id: string
  readonly json: boolean
}

export const why = Effect.fn("why")(function*({ id, json }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const why = yield* call(client.tasks.why({ params: { id } }))
  if (json) return writeJson(out, why)
  writeLines(out, whyLines(why, yield* now).map((spans) => fit(spans, out.columns())))
})
