/**
 * Follows a task to its end, across lost connections, from nothing but its reference.
 *
 * What a revision's follower does is in its own file; this one finds the connection, bounds how long the server may be
 * out of reach, and carries what both need.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import type { Connection } from "./Connection.ts"
import type { McpError } from "./errors.ts"
import { code } from "./meta.ts"
import type { Ask, Question } from "./questions.ts"
import { numberAt, type RpcNotification, textAt } from "./rpc.ts"
import { type TaskEnd, type TaskReference, type TaskSnapshot, toSnapshot } from "./task.ts"

/** How far a tool says it has come. */
export interface CallProgress {
  readonly progress: number
  readonly total: number | undefined
  readonly message: string | undefined
}

const toProgress = (message: RpcNotification): CallProgress | undefined => {
  const progress = numberAt(message.params, "progress")
  if (progress === undefined) return undefined
  return { progress, total: numberAt(message.params, "total"), message: textAt(message.params, "message") }
}

/** What is told about a task on its way. Callbacks return at once and do not throw. */
export interface FollowOptions {
  readonly onUpdate?: ((snapshot: TaskSnapshot) => void) | undefined
  readonly onProgress?: ((progress: CallProgress) => void) | undefined
  /** Answers what the task asks; without it the client's own. */
  readonly ask?: Ask | undefined
  /** An answer reached the server. */
  readonly onAnswered?: ((question: Question) => void) | undefined
  /** How long the server may be out of reach, milliseconds. [60 seconds] */
  readonly patience?: number | undefined
  /** The server is out of reach since then (Unix milliseconds), or is back. */
  readonly onReach?: ((awaySince: number | undefined) => void) | undefined
  /** The task was made a moment ago: there is nothing to look at yet. */
  readonly isNew?: boolean | undefined
}

/** Tells the progress under a token; the returned function ends that. */
export const listenFor = (
  connection: Connection,
  token: string,
  { onProgress }: Pick<FollowOptions, "onProgress">
): () => void =>
  connection.listen(token, (message) => {
    const progress = toProgress(message)
    if (progress !== undefined) onProgress?.(progress)
  })

/** One task, one connection. */
export interface Following {
  readonly connection: Connection
  readonly reference: TaskReference
  readonly options: FollowOptions
  /** The server was heard of: patience begins anew. */
  readonly alive: () => void
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** `tasks/result` requests that may be kept open. */
  readonly holds: Semaphore.Semaphore
  /** Milliseconds a poll may take. */
  readonly timeout: number
  /** Milliseconds between polls when the server names none. */
  readonly interval: number
}

const defaultPatience = 60_000
/** The shortest interval a server can ask for, milliseconds. */
const shortest = 10

export const intervalOf = ({ interval, reference }: Following, snapshot: TaskSnapshot | undefined): number =>
  Math.max(shortest, snapshot?.pollInterval ?? reference.pollInterval ?? interval)

/** Asks for the task's state. */
export const poll = (
  { connection, reference: { taskId }, timeout }: Pick<Following, "connection" | "reference" | "timeout">
): Effect.Effect<TaskSnapshot, McpError> =>
  Effect.flatMap(connection.request("tasks/get", { taskId }, { timeout }), (reply) => {
    const snapshot = toSnapshot(reply)
    return snapshot === undefined
      ? Effect.fail(connection.fail("tasks/get", { _tag: "InvalidReply", detail: "it describes no task" }))
      : Effect.succeed(snapshot)
  })

/** A server's own trouble passes, unlike its opinion of our request. */
const passes = (error: McpError): boolean =>
  error.isTransient || (error.reason._tag === "Rpc" && error.reason.code === code.internal)

export type Follower = (following: Following) => Effect.Effect<TaskEnd, McpError, Scope.Scope>

export interface Pursuit {
  readonly connect: Effect.Effect<Connection, McpError>
  readonly follower: (connection: Connection) => Follower
  readonly rest: Omit<Following, "connection" | "alive">
}

export const pursue = ({ connect, follower, rest }: Pursuit): Effect.Effect<TaskEnd, McpError> => {
  const patience = rest.options.patience ?? defaultPatience
  let failingSince: number | undefined
  let failures = 0
  let { options } = rest
  const alive = (): void => {
    if (failingSince !== undefined) options.onReach?.(undefined)
    failingSince = undefined
    failures = 0
  }
  const once = Effect.flatMap(
    connect,
    (connection) => Effect.scoped(follower(connection)({ ...rest, options, connection, alive }))
  )
  const outOfReach = Effect.fnUntraced(function*(error: McpError) {
    const now = yield* Clock.currentTimeMillis
    if (failingSince === undefined) options.onReach?.(now)
    failingSince ??= now
    if (!passes(error) || now - failingSince >= patience) return yield* error
    yield* Effect.sleep(Math.max(error.retryAfter ?? 0, Math.min(100 * 2 ** failures++, 5_000)))
    options = { ...options, isNew: false }
    return undefined
  })
  return Effect.gen(function*() {
    for (;;) {
      const end = yield* Effect.catch(once, outOfReach)
      if (end !== undefined) return end
    }
  })
}
