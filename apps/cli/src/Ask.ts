/**
 * Asks one form on the terminal until it is answered, left, or somebody else was faster.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { exitCodes, type Failure, silent } from "./Failure.ts"
import { formLines } from "./FormLines.ts"
import { type FormState, type FormStep, press } from "./FormPrompt.ts"
import { Host } from "./Host.ts"
import * as Live from "./Live.ts"

/** How it ended: with a decision, or because the question was closed elsewhere. */
export type Asking = Exclude<FormStep, { readonly _tag: "Ask" }> | { readonly _tag: "Closed"; readonly why: string }

const draw = Effect.fnUntraced(function*(state: FormState, drawn: Live.Drawn) {
  const { err } = yield* Host
  const now = yield* Clock.currentTimeMillis
  const size = { columns: err.columns(), rows: err.rows(), colors: err.colors }
  const next = Live.redraw(drawn, formLines(state, now, size.columns), size)
  err.write(next.text)
  return next.drawn
})

/** The form's keys, one after the other; the picture is redrawn every second for its clocks. */
const fill = Effect.fnUntraced(function*(
  first: FormState,
  picture: { drawn: Live.Drawn }
): Effect.fn.Return<Asking, Failure, Host> {
  const { keys } = yield* Host
  return yield* Effect.scoped(Effect.gen(function*() {
    const pressed = yield* keys
    let state = first
    while (true) {
      picture.drawn = yield* draw(state, picture.drawn)
      const key = yield* Queue.take(pressed).pipe(
        Effect.mapError(() => silent(exitCodes.interrupted)),
        Effect.timeoutOption("1 second")
      )
      if (key._tag === "None") continue
      if (key.value.ctrl && key.value.name === "c") return yield* silent(exitCodes.interrupted)
      const step = press(state, key.value)
      if (step._tag !== "Ask") return step
      state = step.state
    }
  }))
})

/** Asks. `closed` succeeds with the reason when the question is no longer open; the form then goes away. */
export const askForm = Effect.fn("Ask.askForm")(function*<R = never>(
  state: FormState,
  closed: Effect.Effect<string, Failure, R> = Effect.never
): Effect.fn.Return<Asking, Failure, Host | R> {
  const { err } = yield* Host
  const picture: { drawn: Live.Drawn } = { drawn: [] }
  const end = Effect.sync(() => {
    const size = { columns: err.columns(), rows: err.rows(), colors: err.colors }
    err.write(`${Live.erase(picture.drawn, size)}${Live.showCursor}`)
  })
  err.write(Live.hideCursor)
  const elsewhere = Effect.map(closed, (why): Asking => ({ _tag: "Closed", why }))
  return yield* Effect.raceFirst(fill(state, picture), elsewhere).pipe(
    Effect.ensuring(end)
  )
})
