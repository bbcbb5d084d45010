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
/** Sessions a server is known to have forgotten. */
const rememberedSessions = 1_000

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

/** Marks sessions as gone when a server says it does not know them. */
const remembering = (options: Omit<Common, "closed">, gone: Set<string>): Common => ({
  ...options,
  closed: (connection, reason) => {
    // tasks may outlive their session, where they belong to whoever is signed in
    if (reason._tag === "SessionLost" && connection.session !== undefined) gone.add(connection.session)
    if (gone.size > rememberedSessions) gone.delete([...gone][0]!)
  }
})

/** Paces the starts of a child that keeps ending. */
class Starts {
  private readonly times: Array<number> = []
  private readonly common: Common

  constructor(common: Common) {
    this.common = common
  }

  readonly next: Effect.Effect<void, McpError> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      const { common, times } = this
      const now = yield* Clock.currentTimeMillis
      while (times.length > 0 && times[0]! < now - window) times.shift()
      if (times.length > intensity) {
        const wait = times[0]! + window - now
        const detail = `it ended more than ${intensity} times within a minute; it is tried again in ${wait} ms`
        return yield* failed(common, { _tag: "Unreachable", detail })
      }
      if (times.length > 0) yield* Effect.sleep(100 * 2 ** (times.length - 1))
      times.push(now)
    })
  )
}

/** Makes a connection with a scope of its own below this one. */
const within =
  (scope: Scope.Scope) => (make: Effect.Effect<Connection, McpError, Scope.Scope>): Effect.Effect<Held, McpError> =>
    Effect.gen(function*() {
      const own = yield* Scope.fork(scope)
      const connection = yield* Scope.provide(make, own).pipe(
        Effect.onExit((exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(own, exit))
      )
      return { connection, scope: own }
    })

const isLive = (held: Held | undefined): held is Held => held !== undefined && held.connection.closedBy === undefined

export const makeLink = (options: Omit<Common, "closed">, target: Target): Effect.Effect<Link, never, Scope.Scope> =>
  Effect.gen(function*() {
    const hold = within(yield* Scope.Scope)
    const eras = yield* KnownEras
    const lock = Semaphore.makeUnsafe(1)
    const key = keyOf(target)
    const gone = new Set<string>()
    const common = remembering(options, gone)
    const starts = new Starts(common)
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

    const reopen = Effect.gen(function*() {
      if (current !== undefined) yield* Scope.close(current.scope, Exit.void)
      current = undefined
      if (target._tag === "Stdio") yield* starts.next
      current = yield* hold(open)
      return current.connection
    })

    const live = Effect.suspend(() => isLive(current) ? Effect.succeed(current.connection) : reopen)
    const get = Effect.suspend(() => isLive(current) ? Effect.succeed(current.connection) : lock.withPermit(live))

    const resumed = (session: string) =>
      Effect.gen(function*() {
        const connection = yield* live
        if (connection.isModern || connection.session === session || gone.has(session)) return connection
        if (target._tag !== "Http") return connection
        const known = sessions.get(session)
        if (isLive(known)) return known.connection
        const held = yield* hold(openSession(common, target.http, { agreement: connection.agreement, session }))
        sessions.set(session, held)
        return held.connection
      })

    return {
      get,
      session: (session) => session === undefined ? get : lock.withPermit(resumed(session))
    }
  })
