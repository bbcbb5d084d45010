/**
 * `coppice watch [<id>]`: a run as it goes, or all of them on a board. Without a terminal, every fact is a line.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Connection, now } from "../Connection.ts"
import { exitCodes, silent } from "../Failure.ts"
import { Host, writeLines } from "../Host.ts"
import * as Live from "../Live.ts"
import { endLines } from "../ResultLines.ts"
import { followRun } from "../RunFollower.ts"
import { board, type Runs } from "../RunsTable.ts"
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

const leave = Effect.fnUntraced(function*() {
  const { canAsk, keys } = yield* Host
  if (!canAsk) return yield* Effect.never
  const pressed = yield* keys
  while (true) {
    const key = yield* Effect.orElseSucceed(Queue.take(pressed), () => undefined)
    if (key === undefined || key.name === "q" || key.ctrl && key.name === "c") {
      return yield* silent(exitCodes.interrupted)
    }
  }
})

const most = 20

interface Shown {
  runs: Runs
  isStale: boolean
  isOffline: boolean
  drawn: Live.Drawn
}

/** All runs, read anew when something happened, and every three seconds to see whether the service lives. */
const watchAll = Effect.fnUntraced(function*() {
  const { out } = yield* Host
  const { facts } = yield* Connection
  const read = load({ agent: undefined, limit: most, status: [], tasks: false })
  const shown: Shown = { runs: yield* read, isStale: false, isOffline: false, drawn: [] }
  const tell = () => {
    shown.isStale = true
  }
  const listen = Stream.runForEach(facts({}, tell), () => Effect.sync(tell))
  const draw = Effect.fnUntraced(function*(beat: number) {
    if (beat % 30 === 29 || shown.isStale && beat % 3 === 0) {
      shown.isStale = false
      const runs = yield* Effect.result(read)
      shown.isOffline = Result.isFailure(runs)
      if (Result.isSuccess(runs)) shown.runs = runs.success
    }
    const size = { columns: out.columns(), rows: out.rows(), colors: out.colors }
    const drawing = { now: yield* now, width: size.columns, beat, isOffline: shown.isOffline }
    const { drawn, text } = Live.redraw(shown.drawn, board(shown.runs, drawing, size.rows), size)
    shown.drawn = drawn
    out.write(text)
  })
  const wheel = Effect.gen(function*() {
    for (let beat = 0;; beat++) yield* Effect.andThen(draw(beat), Effect.sleep("100 millis"))
  })
  out.write(Live.hideCursor)
  return yield* Effect.raceAllFirst([listen, wheel, Effect.scoped(leave())]).pipe(
    Effect.ensuring(Effect.sync(() => out.write(Live.showCursor)))
  )
})

export const watch = Effect.fn("watch")(function*({ id, json }: Options) {
  const { out } = yield* Host
  if (id !== undefined) return yield* json ? events({ id, follow: true, since: 0, json }) : watchRun(id)
  if (json || !out.isTty) return yield* printAll(json)
  return yield* watchAll()
})
