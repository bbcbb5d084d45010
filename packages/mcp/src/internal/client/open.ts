/**
 * Opens a connection: over HTTP with a session of its own or one from before, or to a child process.
 *
 * Each returns a connection that lives in the caller's scope.
 */
import {
  SdkHttpError,
  StreamableHTTPClientTransport,
  type StreamableHTTPClientTransportOptions,
  UnauthorizedError
} from "@modelcontextprotocol/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Authorization } from "../../ClientAuth.ts"
import { ChildError, StdioServer, type StdioServerOptions } from "../../StdioServer.ts"
import { type Agreement, Connection, type Heard } from "./Connection.ts"
import { McpError, type McpErrorReason, messageOf } from "./errors.ts"
import { type AuthorizedOptions, Failed, HttpWire, toReason } from "./HttpWire.ts"
import { Mux, StdioMux } from "./Mux.ts"
import {
  connectReason,
  type Era,
  type Identity,
  legacyCapabilities,
  modernCapabilities,
  negotiate,
  type Offers
} from "./negotiate.ts"
import type { Requests } from "./Pools.ts"
import type { RpcMessage } from "./rpc.ts"
import { StdioWire } from "./StdioWire.ts"

/** What all connections of one client have in common. */
export interface Common {
  readonly server: string
  readonly identity: Identity
  readonly offers: Offers
  readonly agreed: Agreement | undefined
  /** Bytes of one message. */
  readonly limit: number
  /** Milliseconds a handshake may take. */
  readonly timeout: number
  readonly unclaimed: (connection: Connection, message: Heard) => boolean
  readonly closed: (connection: Connection, reason: McpErrorReason) => void
  readonly fork: (effect: Effect.Effect<void>) => unknown
}

export interface HttpTarget {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly pools: Requests
  readonly authorization: Authorization | undefined
}

/** Times a person may be asked for consent within one request. */
const consents = 2

const newConnection = (common: Common): Connection =>
  new Connection({
    server: common.server,
    envelope: {
      clientInfo: { ...common.identity },
      capabilities: modernCapabilities(common.offers)
    },
    unclaimed: common.unclaimed,
    closed: common.closed
  })

/** An error of connecting. */
export const failed = ({ server }: Pick<Common, "server">, reason: McpErrorReason): McpError =>
  new McpError({ server, method: "connecting", reason })

// ---------------------------------------------------------------- HTTP

const transportOf = (
  target: HttpTarget,
  more: StreamableHTTPClientTransportOptions = {}
): StreamableHTTPClientTransport =>
  new StreamableHTTPClientTransport(target.url, {
    fetch: target.pools.fetch,
    requestInit: { headers: { ...target.headers } },
    ...target.authorization === undefined ? {} : { authProvider: target.authorization.provider },
    reconnectionOptions: {
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: Number.MAX_SAFE_INTEGER
    },
    ...more
  })

/** Why a request that needed authorization failed. */
const authorizedReason = (error: unknown): McpErrorReason => {
  if (error instanceof SdkHttpError && error.data.status !== 401 && error.data.status !== 403) {
    return connectReason(error)
  }
  const network = toReason(error)
  if (network._tag === "Unreachable" || error instanceof TypeError) return network
  return { _tag: "Unauthorized", detail: messageOf(error) }
}

const authorized =
  (inner: StreamableHTTPClientTransport, { consent }: Authorization) =>
  async (message: RpcMessage, { ended, headers, signal }: AuthorizedOptions): Promise<void> => {
    for (let asked = 0;; asked++) {
      try {
        return await inner.send(message as never, { headers, requestSignal: signal, onRequestStreamEnd: ended })
      } catch (error) {
        const answer = error instanceof UnauthorizedError && asked < consents ? await consent() : undefined
        if (answer === undefined) throw new Failed(authorizedReason(error))
        await inner.finishAuth(answer).catch((cause: unknown) => {
          throw new Failed(authorizedReason(cause))
        })
      }
    }
  }

interface Half {
  readonly connection: Connection
  readonly inner: StreamableHTTPClientTransport
  readonly mux: Mux
}

const half = (common: Common, inner: StreamableHTTPClientTransport): Half => {
  const connection = newConnection(common)
  const mux = new Mux({
    inner,
    take: (message) => connection.receive(message),
    closed: () => connection.close({ _tag: "SessionLost" }),
    legacyCapabilities: legacyCapabilities(common.offers)
  })
  return { connection, inner, mux }
}

const wireOf = (common: Common, target: HttpTarget, { connection, inner }: Half): HttpWire => {
  const { authorization } = target
  return new HttpWire({
    url: target.url,
    pools: target.pools,
    headers: target.headers,
    limit: common.limit,
    fork: common.fork,
    receive: (message, via) => void connection.receive(message, via),
    lost: () => connection.close({ _tag: "SessionLost" }),
    session: {
      id: () => inner.sessionId,
      version: () => connection.agreement.version,
      generation: () => connection.agreement.generation,
      token: authorization === undefined ? () => Promise.resolve(undefined) : authorization.token,
      isBound: authorization?.isBound === true,
      authorized: authorization === undefined ? undefined : authorized(inner, authorization)
    }
  })
}

const connectHttp = async (common: Common, target: HttpTarget, era: Era | undefined) => {
  for (let asked = 0;; asked++) {
    const half_ = half(common, transportOf(target))
    try {
      const agreed = await negotiate({ ...common, mux: half_.mux, era })
      return { ...agreed, half: half_ }
    } catch (error) {
      const answer = error instanceof UnauthorizedError && asked < consents
        ? await target.authorization?.consent()
        : undefined
      if (answer === undefined) throw error
      await half_.inner.finishAuth(answer)
    }
  }
}

/** A session that still has tasks stays, so that somebody can come back for them. */
const leave = ({ connection, inner }: Half): Effect.Effect<void> =>
  Effect.gen(function*() {
    const ends = connection.openTasks === 0 && inner.sessionId !== undefined && connection.closedBy === undefined
    if (ends) yield* Effect.promise(() => inner.terminateSession().catch(() => {})).pipe(Effect.timeoutOption(1_000))
    connection.close({ _tag: "SessionLost" })
    yield* Effect.promise(() => inner.close())
  })

/** Negotiates with an HTTP endpoint; asks for authorization on the way where it is wanted. */
export const openHttp = (
  common: Common,
  target: HttpTarget,
  era: Era | undefined
): Effect.Effect<Connection, McpError, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => connectHttp(common, target, era),
        catch: (error) => failed(common, connectReason(error))
      }),
      (opened) => leave(opened.half),
      { interruptible: true }
    ),
    ({ agreement, half }) => {
      half.connection.establish(wireOf(common, target, half), agreement)
      half.connection.session = half.inner.sessionId
      return half.connection
    }
  )

/** Goes on in a session from before (2025-11-25): its tasks are known nowhere else. */
export const openSession = (
  common: Common,
  target: HttpTarget,
  { agreement, session }: { readonly agreement: Agreement; readonly session: string }
): Effect.Effect<Connection, McpError, Scope.Scope> =>
  Effect.gen(function*() {
    const inner = transportOf(target, { sessionId: session, protocolVersion: agreement.version })
    const made = half(common, inner)
    yield* Effect.promise(() => inner.start())
    made.connection.establish(wireOf(common, target, made), agreement)
    made.connection.session = session
    yield* Effect.addFinalizer(() =>
      Effect.andThen(
        Effect.sync(() => made.connection.close({ _tag: "SessionLost" })),
        Effect.promise(() => inner.close())
      )
    )
    return made.connection
  })

// ---------------------------------------------------------------- stdio

const talkTo = async (common: Common, child: StdioServer, era: Era | undefined) => {
  const connection = newConnection(common)
  const mux = new StdioMux({
    inner: child,
    take: (message) => connection.receive(message),
    closed: () => connection.close({ _tag: "OutcomeUnknown", detail: `the server ended (${child.end ?? "closed"})` }),
    legacyCapabilities: legacyCapabilities(common.offers)
  })
  const { agreement } = await negotiate({ ...common, mux, era })
  connection.establish(new StdioWire(child), agreement)
  return connection
}

const openChild = (common: Common, options: StdioServerOptions, era: Era | undefined) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => new StdioServer({ ...options, line: options.line ?? common.limit })),
      (child) => child.stop
    )
    return yield* Effect.tryPromise({
      try: () => talkTo(common, child, era),
      catch: (error) => {
        const ended = child.end !== undefined && !(error instanceof ChildError && error.isStart)
        const reason = ended
          ? { _tag: "Unreachable", detail: `it ended: ${child.end}` } as const
          : connectReason(error)
        return { ended, error: failed(common, reason) }
      }
    })
  })

/** Starts the child and negotiates. One that dies of the probe is an old server: it is started again without. */
export const openStdio = (
  common: Common,
  options: StdioServerOptions,
  era: Era | undefined
): Effect.Effect<Connection, McpError, Scope.Scope> =>
  openChild(common, options, era).pipe(
    Effect.catch((first) =>
      first.ended && era === undefined ? openChild(common, options, "legacy") : Effect.fail(first)
    ),
    Effect.mapError(({ error }) => error)
  )
