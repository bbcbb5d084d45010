/**
 * `coppice watch [<id>]`: a run as it goes, or all of them on a board. Without a terminal, every fact is a line.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Connection } from "../Connection.ts"
import { exitCodes, silent } from "../Failure.ts"
import { Host, writeLines } from "../Host.ts"
import { show } from "../LiveBoard.ts"
import { endLines } from "../ResultLines.ts"
import { followRun } from "../RunFollower.ts"
import { board } from "../RunsTable.ts"
import { events, printer } from "./events.ts"
import { load } from "./ps.ts"

export interface Options {
  readonly id: string | undefined
  readonly json: boolean
}

/** One run, to its end. */
const watchRun = Effect.fnUntraced(function*(id: string) {
  const { out } = yield* Host
  const { call, client } = yield* Connection
  const task = yield* call(client.tasks.get({ params: { id } }))
  const result = yield* followRun({ id: task.run, isWatching: true, surface: out })
  writeLines(out, endLines(result))
  if (result.completed === null) return yield* silent(exitCodes.failedTask)
})

/** Every fact of every run from now on, until interrupted. */
const printAll = Effect.fnUntraced(function*(json: boolean) {
  const { call, client, facts } = yield* Connection
  // A stream waits for a service that is away; a command that never found one must not.
  yield* call(client.tasks.list({ query: { limit: 1 } }))
  yield* Stream.runForEach(facts({}), yield* printer(json, []))
})

const most = 20

/** All runs, read anew every three seconds at least. */
const watchAll = show({
  read: load({ agent: undefined, limit: most, status: [], tasks: false }),
  every: 30,
  lines: board
})

export const watch = Effect.fn("watch")(function*({ id, json }: Options) {
  const { out } = yield* Host
  if (id !== undefined) return yield* json ? events({ id, follow: true, since: 0, json }) : watchRun(id)
  if (json || !out.isTty) return yield* printAll(json)
  return yield* watchAll
})
