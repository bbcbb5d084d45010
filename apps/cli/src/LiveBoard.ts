/**
 * Something of the service on the screen as it is now, until the person leaves: read anew when anything happened, and
 * every so often in any case, also to see whether the service lives.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Connection, now } from "./Connection.ts"
import { exitCodes, type Failure, silent } from "./Failure.ts"
import { Host } from "./Host.ts"
import type { Line } from "./Line.ts"
import * as Live from "./Live.ts"
import type { Drawing } from "./RunsTable.ts"

export interface LiveBoard<A, R> {
  readonly read: Effect.Effect<A, Failure, R>
  /** Beats of 100 milliseconds between two readings when nothing happens. */
  readonly every: number
  readonly lines: (known: A, drawing: Drawing, rows: number) => ReadonlyArray<Line>
}

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

interface Shown<A> {
  known: A
  isStale: boolean
  isOffline: boolean
  drawn: Live.Drawn
}

export const show = Effect.fnUntraced(function*<A, R>({ every, lines, read }: LiveBoard<A, R>) {
  const { out } = yield* Host
  const { facts } = yield* Connection
  const shown: Shown<A> = { known: yield* read, isStale: false, isOffline: false, drawn: [] }
  const tell = () => {
    shown.isStale = true
  }
  const listen = Stream.runForEach(facts({}, tell), () => Effect.sync(tell))
  const draw = Effect.fnUntraced(function*(beat: number) {
    if (beat % every === every - 1 || shown.isStale && beat % 3 === 0) {
      shown.isStale = false
      const known = yield* Effect.result(read)
      shown.isOffline = Result.isFailure(known)
      if (Result.isSuccess(known)) shown.known = known.success
    }
    const size = { columns: out.columns(), rows: out.rows(), colors: out.colors }
    const drawing = { now: yield* now, width: size.columns, beat, isOffline: shown.isOffline }
    const { drawn, text } = Live.redraw(shown.drawn, lines(shown.known, drawing, size.rows), size)
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
