/**
 * Keeps one server within reach: connects when somebody needs it, and again after it was lost.
 *
 * Whoever asks for the connection while it is being made waits for the same attempt. A child process that ended is
 * started again after a pause that grows; one that ended too often within a minute is left alone until the minute is
 * over.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type { StdioServerOptions } from "../../StdioServer.ts"
import type { Connection } from "./Connection.ts"
import { KnownEras } from "./eras.ts"
import type { McpError } from "./errors.ts"
import { type Common, failed, type HttpTarget, openHttp, openSession, openStdio } from "./open.ts"

export type Target =
  | { readonly _tag: "Http"; readonly http: HttpTarget }
  | { readonly _tag: "Stdio"; readonly stdio: StdioServerOptions }

/** Ends of a child within `window` milliseconds before it is left alone. */
const intensity = 5
const window = 60_000

export interface Link {
  readonly get: Effect.Effect<Connection, McpError>
  /** The connection that knows the tasks of this session. */
  readonly session: (session: string | undefined) => Effect.Effect<Connection, McpError>
}

interface Held {
  readonly connection: Connection
  readonly scope: Scope.Closeable
}

const keyOf = (target: Target): string =>
  target._tag === "Http"
    ? target.http.url.origin + target.http.url.pathname
    : JSON.stringify([target.stdio.command, target.stdio.args ?? []])

export const makeLink = (common: Common, target: Target): Effect.Effect<Link, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Scope.Scope
    const eras = yield* KnownEras
    const lock = Semaphore.makeUnsafe(1)
    const key = keyOf(target)
    const starts: Array<number> = []
    const sessions = new Map<string, Held>()
    let current: Held | undefined

    const open = Effect.gen(function*() {
      const era = eras.isLegacy(key, yield* Clock.currentTimeMillis) ? "legacy" as const : undefined
      const connection = yield* target._tag === "Http"
        ? openHttp(common, target.http, era)
        : openStdio(common, target.stdio, era)
      eras.note(key, !connection.isModern, yield* Clock.currentTimeMillis)
      return connection
    })

    const within = (make: Effect.Effect<Connection, McpError, Scope.Scope>): Effect.Effect<Held, McpError> =>
      Effect.gen(function*() {
        const own = yield* Scope.fork(scope)
        const connection = yield* Scope.provide(make, own).pipe(
          Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(own, exit))
        )
        return { connection, scope: own }
      })

    /** How long a child that keeps ending has to wait. */
    const pause = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      while (starts.length > 0 && starts[0]! < now - window) starts.shift()
      if (target._tag === "Stdio" && starts.length > intensity) {
        const wait = starts[0]! + window - now
        const detail = `it ended more than ${intensity} times within a minute; it is tried again in ${wait} ms`
        return yield* failed(common, { _tag: "Unreachable", detail })
      }
      if (target._tag === "Stdio" && starts.length > 0) yield* Effect.sleep(100 * 2 ** (starts.length - 1))
      starts.push(now)
    })

    const reopen = Effect.gen(function*() {
      if (current !== undefined) yield* Scope.close(current.scope, Exit.void)
      current = undefined
      yield* pause
      current = yield* within(open)
      return current.connection
    })

    const live = Effect.suspend(() =>
      current !== undefined && current.connection.closedBy === undefined ? Effect.succeed(current.connection) : reopen
    )
    const get = Effect.suspend(() =>
      current !== undefined && current.connection.closedBy === undefined
        ? Effect.succeed(current.connection)
        : lock.withPermit(live)
    )

    const resumed = (session: string) =>
      Effect.gen(function*() {
        const connection = yield* live
        if (connection.isModern || connection.session === session || target._tag !== "Http") return connection
        const known = sessions.get(session)
        if (known !== undefined && known.connection.closedBy === undefined) return known.connection
        const held = yield* within(openSession(common, target.http, { agreement: connection.agreement, session }))
        sessions.set(session, held)
        return held.connection
      })

    return {
      get,
      session: (session) => session === undefined ? get : lock.withPermit(resumed(session))
    }
  })
