/**
 * Notices that a server is gone while a call waits for its first reply, on a connection that says nothing of that.
 *
 * A tool may be slow, so silence alone means nothing: the server is asked something short, on another connection. A Coppice
 * answers that whatever it does; others may be busy with the call itself, and are gone only when they cannot be connected to.
 */
import * as Effect from "effect/Effect"
import type { Connection } from "./Connection.ts"
import type { McpError } from "./errors.ts"

export interface Watch {
  /** Milliseconds of silence before the server is asked, and that it may take to answer. */
  readonly every: number
  readonly isCoppice: boolean
}

/** Questions in a row that find nobody: one may meet a connection that is as dead as the call's. */
const enough = 2

/** Fails when nobody is there any more; never succeeds. */
export const silence = (connection: Connection, { every, isCoppice }: Watch): Effect.Effect<never, McpError> =>
  Effect.suspend(() => {
    let missed = 0
    const gone = (error: McpError) => isCoppice ? error.isTransient : error.reason._tag === "Unreachable"
    const question = connection.request(connection.isModern ? "server/discover" : "ping", {}, { timeout: every })
    const asked = Effect.matchEffect(question, {
      onSuccess: () => Effect.sync(() => void (missed = 0)),
      onFailure: (error) => {
        missed = gone(error) ? missed + 1 : 0
        if (missed < enough) return Effect.void
        const detail = `silence, and the server is not there: ${error.message}`
        return Effect.fail(connection.fail("tools/call", { _tag: "OutcomeUnknown", detail }))
      }
    })
    return Effect.forever(Effect.delay(asked, every))
  })
