/**
 * `coppice agents`: the supervision tree, and what each agent does; with `--watch` as it goes. Without a terminal, what
 * changes is a line.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { agentBoard, agentLines, changedLines } from "../AgentLines.ts"
import { Connection, now } from "../Connection.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { fit, type Line, line, muted, span } from "../Line.ts"
import { show } from "../LiveBoard.ts"
import { clock } from "../Times.ts"

export interface Options {
  readonly watch: boolean
  readonly json: boolean
}

const read = Effect.flatMap(Connection, ({ call, client }) => call(client.agents.list()))

const away: Line = line(span("the service does not answer", "bad"))

/** Restarts of servers are no facts of any task, so there is nothing to listen to: it is looked every second. */
const printChanges = Effect.fnUntraced(function*(json: boolean) {
  const { out } = yield* Host
  const print = (at: number, lines: ReadonlyArray<Line>) =>
    writeLines(out, lines.map((spans) => [muted(clock(at, at)), span("  "), ...spans]))
  let known = yield* read
  let isAway = false
  const look = Effect.fnUntraced(function*() {
    const looked = yield* Effect.result(read)
    const at = yield* now
    if (Result.isFailure(looked)) {
      if (!isAway && !json) print(at, [away])
      isAway = true
      return
    }
    const lines = changedLines(isAway ? undefined : known, looked.success, at)
    isAway = false
    known = looked.success
    if (!json) print(at, lines)
    else if (lines.length > 0) writeJson(out, known)
  })
  if (json) writeJson(out, known)
  else print(yield* now, changedLines(undefined, known, yield* now))
  return yield* Effect.forever(Effect.andThen(Effect.sleep("1 second"), look()))
})

/** A service that was started again has another token. */
const following = Effect.flatMap(Connection, ({ renewed }) => Effect.forever(renewed))

export const agents = Effect.fn("agents")(function*({ json, watch }: Options) {
  const { out } = yield* Host
  if (watch && !json && out.isTty) return yield* show({ read, every: 10, lines: agentBoard })
  if (watch) return yield* Effect.raceFirst(printChanges(json), following)
  const agents = yield* read
  if (json) return writeJson(out, agents)
  const lines = agentLines(agents, yield* now, Math.min(out.columns(), 100))
  writeLines(out, lines.map((spans) => fit(spans, out.columns())))
})
