/**
 * A client of one MCP server, whichever revision it speaks and however it is reached.
 *
 * ```text
 *  call ──► Completed
 *       └─► Started(reference) ──► follow(reference) ──► Completed | Failed | Cancelled
 * ```
 *
 * Everything here is neutral: whether the task came from 2025-11-25 or the extension of 2026-07-28, whether news of it
 * were polled or pushed, is decided below. A reference is plain JSON: written down, it finds the task again in another
 * process. Nothing is ever sent twice that might run a tool twice, unless the server is known to honour our idempotency
 * keys; `McpError.mayHaveRun` tells of calls whose fate is unknown.
 */
import type { Amounts } from "@coppice/task/Budget"
import type { CancelReport } from "@coppice/task/CancelReport"
import type { Elsewhere } from "@coppice/task/LiveTree"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type ClientAuth, toAuthorization } from "./ClientAuth.ts"
import { HttpFetch } from "./HttpFetch.ts"
import { type CallOptions, type CallOutcome, giveUp, send } from "./internal/client/call.ts"
import type { Agreement, Connection, Heard } from "./internal/client/Connection.ts"
import { Eras, KnownEras } from "./internal/client/eras.ts"
import { brief, McpError, type McpErrorReason } from "./internal/client/errors.ts"
import { FetchPools } from "./internal/client/FetchPools.ts"
import { type CallProgress, type Follower, type FollowOptions, poll, pursue } from "./internal/client/follow.ts"
import { type Link, makeLink, type Target } from "./internal/client/Link.ts"
import { type CallContext, code, type Generation } from "./internal/client/meta.ts"
import type { Identity, Offers } from "./internal/client/negotiate.ts"
import type { Common } from "./internal/client/open.ts"
import { defaultSizes, Pools, type PoolSizes } from "./internal/client/Pools.ts"
import { type Answer, type Ask, onlyOffered, type Question } from "./internal/client/questions.ts"
import { Receiver } from "./internal/client/Receiver.ts"
import { reportIn } from "./internal/client/report.ts"
import { at, type JsonObject, objectAt } from "./internal/client/rpc.ts"
import { Subscriptions } from "./internal/client/Subscriptions.ts"
import {
  type CallResult,
  isOver,
  type TaskEnd,
  type TaskReference,
  type TaskSnapshot,
  type TaskStatus,
  toSnapshot,
  toStatus
} from "./internal/client/task.ts"
import { type Tool, Tools } from "./internal/client/tools.ts"
import * as gen1 from "./internal/client/v2025_11_25.ts"
import * as gen2 from "./internal/client/v2026_07_28.ts"
import { readReply, type Reply as SteerReply } from "./internal/steering.ts"
import { readTree } from "./internal/tree.ts"
import * as Meta from "./Meta.ts"
import type { StdioServerOptions } from "./StdioServer.ts"

export { accept, cancel, decline, refuse, result } from "./internal/client/questions.ts"
export {
  type Agreement,
  type Answer,
  type Ask,
  type CallContext,
  type CallOptions,
  type CallOutcome,
  type CallProgress,
  type CallResult,
  type FollowOptions,
  type Generation,
  McpError,
  type McpErrorReason,
  type Question,
  type TaskEnd,
  type TaskReference,
  type TaskSnapshot,
  type Tool
}

/** Which revision each server spoke last, forgotten: for a process that is played by another one. */
export const freshEras = (): Context.Context<never> => Context.make(KnownEras, new Eras())

/** Where a server is. */
export type Endpoint =
  | {
    readonly _tag: "Http"
    readonly url: string
    /** Sent with every request. */
    readonly headers?: Readonly<Record<string, string>> | undefined
    readonly auth?: ClientAuth | undefined
    /** Connections kept to it at most: for calls, for what is short, for what stays open. [64, 16, 256] */
    readonly connections?: Partial<PoolSizes> | undefined
  }
  | ({ readonly _tag: "Stdio" } & StdioServerOptions)

export interface McpClientOptions {
  /** What the server is called here: in errors, logs and configuration. */
  readonly name: string
  readonly endpoint: Endpoint
  readonly identity?: Identity | undefined
  /** What this client can be asked. Without it nothing is offered. */
  readonly offers?: Offers | undefined
  /** Answers what no call or task has its own answers for. */
  readonly ask?: Ask | undefined
  /** The server is a Coppice: it honours our idempotency keys, so a call may be repeated. */
  readonly isCoppice?: boolean | undefined
  /** What was agreed on before, from `agreement`: a server of 2026-07-28 is not asked again. */
  readonly agreed?: Agreement | undefined
  /** Milliseconds a short request may take. [30 seconds] */
  readonly timeout?: number | undefined
  /** Milliseconds between polls when the server names none. [1 second] */
  readonly interval?: number | undefined
  /** Calls waiting for their first reply at most, over all tools. [no limit but that of the connections] */
  readonly concurrency?: number | undefined
  /** `tasks/result` requests kept open at most. [128] */
  readonly holds?: number | undefined
  /** Bytes of one message. [16 MiB] */
  readonly limit?: number | undefined
}

/** What is asked for when a task is cancelled, and what the server said. */
export type CancelReply =
  /** It has stopped, or will. */
  | "accepted"
  /** It had ended before. */
  | "over"
  /** The server cannot cancel tasks. */
  | "unsupported"

/** What became of a task that was to stop, and what its server tells of all below it, if it tells. */
export interface Stopped {
  readonly reply: CancelReply
  readonly report: CancelReport | undefined
  /** What it had used of its budget, as told beside the report. */
  readonly used?: Amounts | undefined
}

/** What became of a call that was given up. */
export interface Withdrawn extends Omit<Stopped, "reply"> {
  /** Its task's; `undefined`: the server knows nothing of giving up, and has answered as to a repeated call. */
  readonly status: TaskStatus | undefined
  /** Its task, at such a server. */
  readonly reference: TaskReference | undefined
}

export interface McpClient {
  readonly name: string
  readonly isCoppice: boolean
  /** Connects if needed; what was agreed on. */
  readonly agreement: Effect.Effect<Agreement, McpError>
  readonly tools: Effect.Effect<ReadonlyArray<Tool>, McpError>
  readonly call: (name: string, args: JsonObject, options?: CallOptions) => Effect.Effect<CallOutcome, McpError>
  /** Waits for a task's end. Interrupting it leaves the task alone. */
  readonly follow: (reference: TaskReference, options?: FollowOptions) => Effect.Effect<TaskEnd, McpError>
  /** Calls and waits. Interrupting it cancels. */
  readonly run: (name: string, args: JsonObject, options?: RunOptions) => Effect.Effect<TaskEnd, McpError>
  /** The task's state now. */
  readonly look: (reference: TaskReference) => Effect.Effect<TaskSnapshot, McpError>
  /** Asks the server to stop a task; the end is seen by following it. */
  readonly cancel: (reference: TaskReference) => Effect.Effect<CancelReply, McpError>
  /** The same, of a Coppice: also asks how all below the task came to rest, and waits for that within a limit. */
  readonly stop: (reference: TaskReference, wait: number) => Effect.Effect<Stopped, McpError>
  /**
   * Gives up a call that may have been made, at a Coppice: its task is found by the call's idempotency key, stopped, and
   * reported like in `stop`. Starts nothing.
   */
  readonly withdraw: (name: string, args: JsonObject, context: CallContext, wait: number) => Effect.Effect<
    Withdrawn,
    McpError
  >
  /** Tells a Coppice what its task is told. `undefined`: it does not say that it knows. Told again it is nothing new. */
  readonly steer: (reference: TaskReference, said: JsonObject) => Effect.Effect<SteerReply | undefined, McpError>
  /** What a Coppice tells of the tree of its task, within so many milliseconds. `undefined`: it tells nothing. */
  readonly tree: (reference: TaskReference, wait: number) => Effect.Effect<Elsewhere | undefined, McpError>
  /** Any other request that may be repeated: prompts, resources, completions. */
  readonly request: (method: string, params?: JsonObject) => Effect.Effect<JsonObject, McpError>
}

export interface RunOptions extends CallOptions, Omit<FollowOptions, "isNew" | "ask" | "onProgress"> {}

const defaultLimit = 16 * 1024 * 1024

/** Repeats of a request that has not reached the server, or does no harm twice. */
const repeats = 3
const backoff = Schedule.jittered(Schedule.exponential("100 millis"))

const repeated =
  (mayRepeat: (error: McpError) => boolean) => <A>(effect: Effect.Effect<A, McpError>): Effect.Effect<A, McpError> =>
    Effect.retry(effect, { schedule: backoff, times: repeats, while: mayRepeat })

type Fork = (effect: Effect.Effect<void>) => Fiber.Fiber<void>

interface Parts {
  readonly options: McpClientOptions
  readonly link: Link
  readonly tools: Tools
  readonly fork: Fork
  readonly holds: Semaphore.Semaphore
  /** Requests of calls that may be under way. */
  readonly calls: Semaphore.Semaphore
  readonly timeout: number
}

// ---------------------------------------------------------------- making

/** What belongs to one connection and goes with it. */
const perConnection = <A>(make: (connection: Connection) => A): (connection: Connection) => A => {
  const made = new WeakMap<Connection, A>()
  return (connection) => {
    let value = made.get(connection)
    if (value === undefined) {
      value = make(connection)
      made.set(connection, value)
    }
    return value
  }
}

const targetOf = (options: McpClientOptions): Effect.Effect<Target, McpError, Scope.Scope> =>
  Effect.gen(function*() {
    const { endpoint, name } = options
    if (endpoint._tag === "Stdio") return { _tag: "Stdio", stdio: endpoint }
    const url = URL.parse(endpoint.url)
    if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
      const what = "its address is no http or https URL: correct `url` of this server"
      return yield* new McpError({ server: name, method: "connecting", reason: { _tag: "Unsupported", what } })
    }
    const fetch = yield* HttpFetch
    const limit = options.limit ?? defaultLimit
    const pools = yield* Effect.acquireRelease(
      Effect.sync(() =>
        fetch === undefined
          ? new Pools(url, { ...defaultSizes, ...endpoint.connections }, limit)
          : new FetchPools(url, fetch, limit)
      ),
      (pools) => Effect.promise(() => pools.close())
    )
    const authorization = endpoint.auth === undefined ? undefined : toAuthorization(endpoint.auth, url.href)
    return { _tag: "Http", http: { url, headers: endpoint.headers ?? {}, pools, authorization } }
  })

/** Hears what belongs to no call and no task. */
const unclaimed = (tools: Tools, receiver: (connection: Connection) => Receiver) =>
(
  connection: Connection,
  message: Heard
): boolean => {
  if (message.method === "notifications/tools/list_changed") tools.forget(connection)
  return !connection.isModern && receiver(connection).receive(message)
}

/** Connects when first needed; everything it holds is released with the scope. */
export const make = (options: McpClientOptions): Effect.Effect<McpClient, McpError, Scope.Scope> =>
  Effect.gen(function*() {
    const target = yield* targetOf(options)
    const fork: Fork = yield* FiberSet.makeRuntime<never, void, never>()
    const clock = yield* Clock.Clock
    const timeout = options.timeout ?? 30_000
    const tools = new Tools(timeout)
    const receiver = perConnection((connection) => new Receiver({ connection, ask: askOf(options), fork, clock }))
    const common: Omit<Common, "closed"> = {
      server: options.name,
      identity: options.identity ?? { name: "coppice", version: "0.0.0" },
      offers: options.offers ?? {},
      agreed: options.agreed,
      limit: options.limit ?? defaultLimit,
      timeout,
      unclaimed: unclaimed(tools, receiver),
      fork
    }
    const link = yield* makeLink(common, target)
    const holds = Semaphore.makeUnsafe(options.holds ?? 128)
    const calls = Semaphore.makeUnsafe(options.concurrency ?? Infinity)
    return client({ options, link, tools, fork, holds, calls, timeout })
  })

// ---------------------------------------------------------------- verbs

const client = (parts: Parts): McpClient => {
  const { link, options, tools } = parts
  const call = caller(parts)
  const follow = followed(parts)
  const cancel = canceller(parts)
  const listed = Effect.flatMap(link.get, (connection) => tools.of(connection))
  return {
    name: options.name,
    isCoppice: options.isCoppice === true,
    agreement: Effect.map(link.get, ({ agreement }) => agreement),
    tools: repeated((error) => error.isTransient)(Effect.map(listed, (known) => [...known.values()])),
    call,
    follow,
    run: runner({ call, cancel, follow }),
    look: (reference) =>
      repeated((error) => error.isTransient)(
        Effect.flatMap(
          link.session(reference.session),
          (connection) => poll({ connection, reference, timeout: parts.timeout })
        )
      ),
    cancel,
    stop: reporter(parts),
    withdraw: withdrawer(parts),
    steer: (reference, said) => Effect.map(asked(parts, reference, { [Meta.steer]: said }), readReply),
    tree: (reference, wait) =>
      Effect.map(asked({ ...parts, timeout: wait }, reference, { [Meta.tree]: { wait } }), readTree),
    request: (method, params = {}) =>
      repeated((error) => error.isTransient)(
        Effect.flatMap(link.get, (connection) => complete(connection, method, params, parts.timeout))
      )
  }
}

/** Whoever answers, and only what servers were offered. */
const askOf = ({ ask, offers = {} }: McpClientOptions, own?: Ask): Ask | undefined => onlyOffered(offers, own ?? ask)

/** A request that can be nothing but answered: neither a task nor a question is an answer to it. */
const complete = (connection: Connection, method: string, params: JsonObject, timeout: number) =>
  Effect.flatMap(connection.request(method, params, { timeout }), (reply) => {
    const type = reply["resultType"]
    if (!connection.isModern || type === undefined || type === "complete") return Effect.succeed(reply)
    const detail = `result type ${brief(JSON.stringify(type))} is no answer to it`
    return Effect.fail(connection.fail(method, { _tag: "InvalidReply", detail }))
  })

let tokens = 0

const caller =
  ({ calls, fork, link, options: client, timeout, tools }: Parts): McpClient["call"] => (name, args, options = {}) => {
    const watch = client.endpoint._tag === "Http" ? { every: timeout, isCoppice: client.isCoppice === true } : undefined
    const key = options.context?.idempotencyKey
    const mayRepeat = (error: McpError) =>
      error.isRetryable || (error.isTransient && client.isCoppice === true && key !== undefined)
    const progressToken = options.progressToken ??
      (options.onProgress === undefined ? undefined : `coppice-progress-${++tokens}`)
    const once = Effect.gen(function*() {
      const connection = yield* link.get
      const tool = yield* tools.find(connection, name)
      const withAsk = { ...options, ask: askOf(client, options.ask) }
      return yield* send({ connection, name, args, tool, options: withAsk, progressToken, fork, calls, watch }).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            // the tool's definition has changed: list again before the next call
            if (error.reason._tag === "Rpc" && error.reason.code === code.headerMismatch) tools.forget(connection)
          })
        )
      )
    })
    // one of several tries may have run, whatever became of the last one
    let isLoose = false
    const tried = Effect.tapError(once, (error) => Effect.sync(() => void (isLoose ||= error.mayHaveRun)))
    return Effect.mapError(repeated(mayRepeat)(tried), (error) =>
      isLoose && !error.mayHaveRun && error.isTransient
        ? new McpError({ ...error, reason: { _tag: "OutcomeUnknown", detail: error.message } })
        : error)
  }

const followed = ({ fork, holds, link, options: client, timeout }: Parts): McpClient["follow"] => {
  const modern = perConnection((connection) => gen2.follow(new Subscriptions(connection, fork)))
  const follower = (connection: Connection): Follower => {
    const follow = connection.isModern ? modern(connection) : gen1.follow
    return (following) =>
      Effect.tap(follow(following), () =>
        Effect.sync(() => {
          connection.openTasks = Math.max(0, connection.openTasks - 1)
        }))
  }
  return (reference, options = {}) =>
    pursue({
      connect: Effect.flatMap(link.session(reference.session), (connection) =>
        connection.agreement.generation === reference.generation
          ? Effect.succeed(connection)
          : Effect.fail(connection.fail("tasks/get", {
            _tag: "Unsupported",
            what: `the task is one of ${reference.generation}, and the server now speaks ` +
              `${connection.agreement.generation}: tasks cannot be carried over`
          }))),
      follower,
      rest: {
        reference,
        options: { ...options, ask: askOf(client, options.ask) },
        fork,
        holds,
        timeout,
        interval: client.interval ?? 1_000
      }
    })
}

const canceller = (parts: Parts): McpClient["cancel"] => {
  const stop = stopper(parts, {})
  return (reference) => Effect.map(repeated((error) => error.isTransient)(stop(reference)), ({ reply }) => reply)
}

/** Waits for a report longer than the server does, milliseconds at most. */
const overWait = 5_000

const reporter = (parts: Parts): McpClient["stop"] => (reference, wait) =>
  stopper({ ...parts, timeout: wait + Math.min(overWait, parts.timeout) }, {
    _meta: { [Meta.cancelReport]: { wait } }
  })(reference).pipe(
    repeated((error) => error.isRetryable)
  )

const withdrawer =
  ({ calls, fork, link, timeout, tools }: Parts): McpClient["withdraw"] => (name, args, context, wait) => {
    const meta = { [Meta.withdrawn]: true, [Meta.cancelReport]: { wait } }
    const most = wait + Math.min(overWait, timeout)
    const given = { context, meta }
    return Effect.gen(function*() {
      const connection = yield* link.get
      const tool = yield* tools.find(connection, name)
      const options = { options: given, progressToken: undefined, watch: undefined }
      const call = { connection, name, args, tool, fork, calls, ...options }
      const outcome = yield* giveUp(call, most)
      if (outcome._tag === "Started") {
        return { status: undefined, reference: outcome.reference, report: undefined }
      }
      const reply = { _meta: outcome.result.meta }
      return { status: toStatus(reply._meta[Meta.withdrawn]), reference: undefined, ...toldIn(reply) }
    }).pipe(repeated((error) => error.isRetryable))
  }

/** What a Coppice says beside the state of its task. */
const asked = (
  { link, timeout }: Pick<Parts, "link" | "timeout">,
  { session, taskId }: TaskReference,
  _meta: JsonObject
): Effect.Effect<JsonObject | undefined, McpError> =>
  Effect.flatMap(link.session(session), (connection) =>
    Effect.map(
      connection.request("tasks/get", { taskId, _meta }, { timeout }),
      (reply) => objectAt(reply, "_meta")
    ))

const toldIn = (reply: JsonObject): Omit<Stopped, "reply"> => ({
  report: reportIn(reply),
  used: Meta.readUsage(reply["_meta"])
})

/** Tells the server once; `more` goes with what it is asked. */
const stopper = ({ link, timeout }: Parts, more: JsonObject) => (reference: TaskReference) => {
  // it may be waited for as long as a stream is
  const lane = more["_meta"] === undefined ? "control" : "stream"
  const ask = (connection: Connection, method: string) =>
    connection.request(method, { taskId: reference.taskId, ...more }, { timeout, lane })
  const cancelled: Effect.Effect<Stopped, McpError> = Effect.gen(function*() {
    const connection = yield* link.session(reference.session)
    const isOffered = connection.isModern ||
      at(connection.agreement.capabilities, "tasks", "cancel") !== undefined
    if (!isOffered) return { reply: "unsupported", report: undefined } as const
    return { reply: "accepted", ...toldIn(yield* ask(connection, "tasks/cancel")) } as const
  })
  const refused = (error: McpError): Effect.Effect<Stopped, McpError> =>
    Effect.gen(function*(): Effect.fn.Return<Stopped, McpError> {
      // 2025-11-25 says no when the task is over, and also when it does not know it
      if (error.reason._tag !== "Rpc" || error.reason.code !== code.invalidParams) return yield* error
      const connection = yield* link.session(reference.session)
      const reply = yield* ask(connection, "tasks/get")
      const status = toSnapshot(reply)?.status
      return status !== undefined && isOver(status) ? { reply: "over", ...toldIn(reply) } : yield* error
    })
  return Effect.catch(cancelled, refused)
}

const runner = (verbs: Pick<McpClient, "call" | "cancel" | "follow">): McpClient["run"] => (name, args, options = {}) =>
  // a task that has just begun is not forgotten between its call and its following
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(restore(verbs.call(name, args, options)), (outcome): Effect.Effect<TaskEnd, McpError> => {
      if (outcome._tag === "Completed") return Effect.succeed(outcome)
      const { reference, snapshot } = outcome
      options.onUpdate?.(snapshot)
      const cancel = Effect.ignore(Effect.timeoutOption(verbs.cancel(reference), "5 seconds"))
      return Effect.onInterrupt(restore(verbs.follow(reference, { ...options, isNew: true })), () => cancel)
    })
  )
