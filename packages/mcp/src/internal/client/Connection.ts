/**
 * One established conversation with a server: requests out, replies in, and whatever the server says in between.
 *
 * ```text
 *  request ──► Wire ──► server          server ──► Wire ──► receive ─┬─ a reply of ours ──► whoever asked
 *                                                                    ├─ about a task ────► whoever follows it
 *                                                                    └─ anything else ──► the SDK's client
 * ```
 *
 * The SDK's client negotiates and answers pings; it cannot read `resultType: "task"` and drops progress of tasks, so
 * everything about calls and tasks passes it by. Its own messages have numbers as ids, ours have words.
 */
import * as Effect from "effect/Effect"
import * as Meta from "../../Meta.ts"
import { McpError, type McpErrorReason } from "./errors.ts"
import { type Generation, relatedTask, withMeta } from "./meta.ts"
import {
  at,
  idText,
  isReply,
  isRequest,
  type JsonObject,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest
} from "./rpc.ts"

/** Which connections a request may use: calls may take long, streams stay open, all else is short. */
export type Lane = "call" | "control" | "stream"

export interface SendOptions {
  readonly lane: Lane
  readonly headers: Readonly<Record<string, string>>
  /** No reply will come. Ignored once one has. */
  readonly failed: (reason: McpErrorReason) => void
  /** The server took a message that has no reply. */
  readonly taken: () => void
}

/** How messages get to the server. */
export interface Wire {
  /** Sends; what it returns gives the request up. */
  readonly send: (message: RpcMessage, options: SendOptions) => () => void
  /** Whether giving a request up tells the server by itself. */
  readonly closingCancels: boolean
}

/** A message of the server that is no reply. */
export type Heard = RpcRequest | RpcNotification

export interface RequestOptions {
  readonly lane?: Lane | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Milliseconds; without it there is no limit. */
  readonly timeout?: number | undefined
  /** Hears what comes on this request's own stream, or with its progress token. True when it took the message. */
  readonly hear?: ((message: Heard) => boolean) | undefined
  /** Called instead of a cancellation when the caller goes away; it may wait for the reply. */
  readonly orphaned?: ((reply: JsonObject) => void) | undefined
}

/** What was agreed on. */
export interface Agreement {
  readonly generation: Generation
  readonly version: string
  readonly capabilities: JsonObject
  readonly instructions: string | undefined
  readonly serverName: string
}

interface Pending {
  readonly settle: (result: JsonObject | McpErrorReason, isResult: boolean) => void
  readonly hear: ((message: Heard) => boolean) | undefined
}

export interface ConnectionOptions {
  readonly server: string
  readonly envelope: { readonly clientInfo: JsonObject; readonly capabilities: JsonObject }
  /** Requests and notifications nobody here has claimed. True when it took the message. */
  readonly unclaimed: (connection: Connection, message: Heard) => boolean
  readonly closed: (connection: Connection, reason: McpErrorReason) => void
}

const idPrefix = "coppice-"

export class Connection {
  /** Set once by `establish`, before the first request. */
  agreement: Agreement = {
    generation: "2025-11-25",
    version: "",
    capabilities: {},
    instructions: undefined,
    serverName: ""
  }
  closedBy: McpErrorReason | undefined
  /** The HTTP session, where there is one. */
  session: string | undefined
  /** Tasks made here that nobody has seen end. */
  openTasks = 0
  private wire: Wire | undefined
  private readonly options: ConnectionOptions
  private readonly pending = new Map<RpcId, Pending>()
  private readonly progress = new Map<string, (message: RpcNotification) => void>()
  private readonly followers = new Map<string, (message: Heard) => void>()
  /** Messages about tasks whose reference is still on its way to whoever will follow them. */
  private readonly early = new Map<string, Array<Heard>>()
  private count = 0

  constructor(options: ConnectionOptions) {
    this.options = options
  }

  get server(): string {
    return this.options.server
  }

  get isModern(): boolean {
    return this.agreement.generation === "2026-07-28"
  }

  establish(wire: Wire, agreement: Agreement): void {
    this.wire = wire
    this.agreement = agreement
  }

  fail(method: string, reason: McpErrorReason): McpError {
    return new McpError({ server: this.server, method, reason })
  }

  // ---------------------------------------------------------------- out

  /** The params as this revision wants them. */
  private framed(params: JsonObject): JsonObject {
    if (!this.isModern) return params
    const { capabilities, clientInfo } = this.options.envelope
    return withMeta(params, {
      [Meta.protocolVersion]: this.agreement.version,
      [Meta.clientInfo]: clientInfo,
      [Meta.clientCapabilities]: capabilities
    })
  }

  request(method: string, params: JsonObject, options: RequestOptions = {}): Effect.Effect<JsonObject, McpError> {
    const sent = Effect.callback<JsonObject, McpError>((resume) => {
      const { wire } = this
      if (this.closedBy !== undefined || wire === undefined) {
        return resume(Effect.fail(this.fail(method, this.closedBy ?? { _tag: "SessionLost" })))
      }
      const id = `${idPrefix}${++this.count}`
      this.pending.set(id, {
        hear: options.hear,
        settle: (value, isResult) => {
          this.pending.delete(id)
          const exit = isResult
            ? Effect.succeed(value as JsonObject)
            : Effect.fail(this.fail(method, value as McpErrorReason))
          resume(exit)
        }
      })
      const giveUp = wire.send({ jsonrpc: "2.0", id, method, params: this.framed(params) }, {
        lane: options.lane ?? "control",
        headers: options.headers ?? {},
        failed: (reason) => this.pending.get(id)?.settle(reason, false),
        taken: () => {}
      })
      return Effect.sync(() => this.abandon(id, options, giveUp))
    })
    if (options.timeout === undefined) return sent
    const after = options.timeout
    return Effect.timeoutOrElse(sent, {
      duration: after,
      orElse: () => Effect.fail(this.fail(method, { _tag: "Timeout", after }))
    })
  }

  private abandon(id: string, { orphaned }: RequestOptions, giveUp: () => void): void {
    const waiting = this.pending.get(id)
    if (waiting === undefined) return
    if (orphaned !== undefined) {
      this.pending.set(id, {
        hear: undefined,
        settle: (value, isResult) => {
          this.pending.delete(id)
          if (isResult) orphaned(value as JsonObject)
        }
      })
      return
    }
    this.pending.delete(id)
    if (this.wire?.closingCancels !== true || !this.isModern) {
      this.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: this.framed({ requestId: id }) })
    }
    giveUp()
  }

  /** Sends what has no reply, and does not wait for it. */
  send(message: RpcMessage): void {
    if (this.closedBy !== undefined) return
    this.wire?.send(message, { lane: "control", headers: {}, failed: () => {}, taken: () => {} })
  }

  /** Sends what has no reply, and waits until the server took it. */
  deliver(message: RpcMessage): Effect.Effect<void, McpError> {
    return Effect.callback<void, McpError>((resume) => {
      const fail = (reason: McpErrorReason) => resume(Effect.fail(this.fail("a reply", reason)))
      if (this.closedBy !== undefined || this.wire === undefined) {
        return fail(this.closedBy ?? { _tag: "SessionLost" })
      }
      this.wire.send(message, { lane: "control", headers: {}, failed: fail, taken: () => resume(Effect.void) })
    })
  }

  // ---------------------------------------------------------------- in

  /** Takes a message from the wire; `via` is the request on whose stream it came. False leaves it to the SDK. */
  receive(message: RpcMessage, via?: RpcId): boolean {
    if (isReply(message)) {
      const waiting = this.pending.get(message.id)
      if (waiting === undefined) return typeof message.id === "string" && message.id.startsWith(idPrefix)
      if (message.result !== undefined) waiting.settle(message.result, true)
      else {
        const { code, data, message: text } = message.error!
        waiting.settle({ _tag: "Rpc", code, message: text, data }, false)
      }
      return true
    }
    return this.hear(message, via)
  }

  private hear(message: Heard, via: RpcId | undefined): boolean {
    if (message.method === "notifications/progress") {
      const token = idText(message.params?.["progressToken"])
      const listener = this.progress.get(token)
      listener?.(message)
      return listener !== undefined
    }
    const task = taskOf(message)
    if (task !== undefined) return this.tell(task, message)
    const owner = this.pending.get(via ?? subscriptionOf(message) ?? "")
    if (owner?.hear?.(message) === true) return true
    if (isRequest(message) && via === undefined) {
      // on a shared stream nothing says which call it belongs to; with one call there is no doubt
      const hearing = [...this.pending.values()].filter((waiting) => waiting.hear !== undefined)
      if (hearing.length === 1 && hearing[0]!.hear!(message)) return true
    }
    return this.options.unclaimed(this, message)
  }

  private tell(task: string, message: Heard): boolean {
    const follower = this.followers.get(task)
    if (follower !== undefined) follower(message)
    else if (isRequest(message)) this.keep(task, message)
    return true
  }

  private keep(task: string, message: Heard): void {
    const kept = this.early.get(task)
    if (kept !== undefined && kept.length < 100) kept.push(message)
    else if (kept === undefined && this.early.size < 1_000) this.early.set(task, [message])
  }

  /** Hears of progress under this token until it is released. */
  listen(token: string, listener: (message: RpcNotification) => void): () => void {
    this.progress.set(token, listener)
    return () => {
      if (this.progress.get(token) === listener) this.progress.delete(token)
    }
  }

  /** Hears everything about a task until it is released. */
  follow(task: string, follower: (message: Heard) => void): () => void {
    this.followers.set(task, follower)
    const early = this.early.get(task) ?? []
    this.early.delete(task)
    for (const message of early) follower(message)
    return () => {
      if (this.followers.get(task) === follower) this.followers.delete(task)
    }
  }

  close(reason: McpErrorReason): void {
    if (this.closedBy !== undefined) return
    this.closedBy = reason
    for (const waiting of [...this.pending.values()]) waiting.settle(reason, false)
    this.options.closed(this, reason)
  }
}

/** The request that opened the subscription a message belongs to. */
const subscriptionOf = (message: Heard): RpcId | undefined => {
  const id = at(message.params, "_meta", Meta.subscriptionId)
  return typeof id === "string" || typeof id === "number" ? id : undefined
}

/** The task a message is about. */
const taskOf = (message: Heard): string | undefined => {
  if (message.method === "notifications/tasks/status" || message.method === "notifications/tasks") {
    const id = message.params?.["taskId"]
    return typeof id === "string" ? id : undefined
  }
  return relatedTask(message)
}
