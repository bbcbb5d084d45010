/**
 * Keeps a long stream honest in both directions: something is sent now and then, and a reader that takes nothing is
 * given up.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

export interface Liveness {
  readonly keepAlive: Duration.Input
  readonly patience: Duration.Input
  /** What is sent after `keepAlive` without an element. */
  readonly comment: string
  /** Called when nothing was taken for `patience`. */
  readonly onStalled: () => void
}

/** How many elements the reader gets at once. */
const portion = 32

/** The elements of a stream, with comments in its silences. Reads no further than one page ahead. */
export const withKeepAlive = <E>(self: Stream.Stream<string, E>, options: Liveness): Stream.Stream<string, E> =>
  Stream.unwrap(Effect.gen(function*() {
    const scope = yield* Effect.scope
    const pull = yield* Stream.toPull(self)
    let page: ReadonlyArray<string> = []
    let reading: Reading<E> | undefined
    let watchdog: Fiber.Fiber<void> | undefined
    const giveUp = Effect.andThen(Effect.sleep(options.patience), Effect.sync(options.onStalled))

    const read = Effect.gen(function*() {
      const fiber: Reading<E> = reading ?? (yield* Effect.forkIn(pull, scope))
      reading = fiber
      const exit = yield* Fiber.await(fiber).pipe(Effect.timeoutOption(options.keepAlive))
      if (Option.isNone(exit)) return [options.comment]
      reading = undefined
      return yield* exit.value
    })

    const next = Effect.gen(function*() {
      if (watchdog !== undefined) yield* Fiber.interrupt(watchdog)
      if (page.length === 0) page = yield* read
      const [first, ...others] = page.slice(0, portion)
      page = page.slice(portion)
      // from here until the next pull, the reader has what it was given and takes nothing
      watchdog = yield* Effect.forkIn(giveUp, scope)
      return [first!, ...others] as const
    })
    return Stream.fromPull(Effect.succeed(next)) as Stream.Stream<string, E>
  }))

type Reading<E> = Fiber.Fiber<ReadonlyArray<string>, E | Cause.Done>
