/**
 * Runs our effects for the SDK, which speaks promises: failures become JSON-RPC errors, an aborted signal interrupts.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { toProtocolError } from "./wireError.ts"

/** Runs an effect to its end, or until the signal aborts. */
export type Run = <A>(effect: Effect.Effect<A, unknown>, signal?: AbortSignal) => Promise<A>

export const makeRun = (context: Context.Context<never>): Run => {
  const run = Effect.runPromiseExitWith(context)
  return async (effect, signal) => {
    const exit = await run(effect, signal === undefined ? {} : { signal })
    if (Exit.isSuccess(exit)) return exit.value
    throw toProtocolError(exit.cause)
  }
}
