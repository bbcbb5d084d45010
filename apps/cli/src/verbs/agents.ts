/**
 * `coppice agents`: the supervision tree, and what each agent does.
 */
import * as Effect from "effect/Effect"
import { agentLines } from "../AgentLines.ts"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit } from "../Line.ts"

export interface Options {
  readonly json: boolean
}

export const agents = Effect.fn("agents")(function*({ json }: Options) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const agents = yield* call(client.agents.list())
  if (json) return writeJson(out, agents)
  const lines = agentLines(agents, yield* now, Math.min(out.columns(), 100))
  writeLines(out, lines.map((spans) => fit(spans, out.columns())))
})
