/**
 * The other end of a wire, in raw JSON-RPC: nothing is checked, nothing is added but what the revision demands.
 */
import { type Arrived, Inbox, type Message } from "./Inbox.ts"
import type { Head, Link } from "./Link.ts"

/** A request under way. */
export interface Asked {
  readonly id: string | number
  /** The response: `result` or `error`. */
  readonly response: Promise<Message>
  readonly head: Promise<Head | undefined>
  /** Goes away without waiting. */
  readonly leave: () => void
}

/** Opens a link whose messages go to this listener. */
export type Dial = (listener: (at: Arrived) => void) => Link

export abstract class RawPeer {
  readonly inbox = new Inbox()
  readonly link: Link
  private readonly pending = new Map<string | number, (message: Message) => void>()
  private last = 0

  constructor(dial: Dial) {
    this.link = dial((at) => this.arrived(at))
  }

  private arrived(at: Arrived): void {
    const { id, method } = at.message
    const settle = method === undefined && id !== undefined && id !== null ? this.pending.get(id) : undefined
    if (settle === undefined) return this.inbox.add(at)
    this.pending.delete(id!)
    settle(at.message)
  }

  protected abstract headers(message: Message): Record<string, string>
  protected abstract params(params: Record<string, unknown>): Record<string, unknown>

  request(
    method: string,
    params: Record<string, unknown> = {},
    headers: Record<string, string> = {}
  ): Asked {
    const id = ++this.last
    const message: Message = { jsonrpc: "2.0", id, method, params: this.params(params) }
    const response = new Promise<Message>((resolve) => this.pending.set(id, resolve))
    return { id, response, ...this.link.send(message, { ...this.headers(message), ...headers }) }
  }

  /** The result of a request that has to succeed. */
  async call(method: string, params: Record<string, unknown> = {}): Promise<any> {
    const { error, result } = await this.request(method, params).response
    if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`)
    return result
  }

  /** The error of a request that has to fail. */
  async refused(method: string, params: Record<string, unknown> = {}): Promise<NonNullable<Message["error"]>> {
    const { error, result } = await this.request(method, params).response
    if (error === undefined) throw new Error(`${method} succeeded: ${JSON.stringify(result)}`)
    return error
  }

  tool(name: string, script: ReadonlyArray<unknown>, more: Record<string, unknown> = {}): Asked {
    return this.request("tools/call", { name, arguments: { script }, ...more })
  }

  async notify(method: string, params: Record<string, unknown> = {}): Promise<void> {
    const message: Message = { jsonrpc: "2.0", method, params }
    await this.link.send(message, this.headers(message)).head
  }

  /** The next request or notification of this method. */
  next(method: string, wants: (message: Message) => boolean = () => true): Promise<Arrived> {
    return this.inbox.take(({ message }) => message.method === method && wants(message))
  }

  close(): void {
    this.link.close()
  }
}

/** A session of 2025-11-25. */
export class Peer25 extends RawPeer {
  session: string | undefined
  initialized: any
  private standing: (() => void) | undefined

  protected headers(): Record<string, string> {
    return this.session === undefined
      ? {}
      : { "mcp-session-id": this.session, "mcp-protocol-version": "2025-11-25" }
  }

  protected params(params: Record<string, unknown>): Record<string, unknown> {
    return params
  }

  async initialize(capabilities: object): Promise<void> {
    const asked = this.request("initialize", {
      protocolVersion: "2025-11-25",
      capabilities,
      clientInfo: { name: "raw", version: "1" }
    })
    this.initialized = (await asked.response).result
    this.session = (await asked.head)?.headers.get("mcp-session-id") ?? undefined
    await this.notify("notifications/initialized")
  }

  async stand(): Promise<void> {
    this.standing = (await this.link.stand(this.headers())).leave
  }

  /** Drops the standing stream. */
  sit(): void {
    this.standing?.()
  }

  /** Answers a request of the server's. */
  async answer({ message }: Arrived, result: object): Promise<void> {
    const response: Message = { jsonrpc: "2.0", id: message.id!, result }
    await this.link.send(response, this.headers()).head
  }

  /** The same with an error. */
  async reject({ message }: Arrived, code: number): Promise<void> {
    const response: Message = { jsonrpc: "2.0", id: message.id!, error: { code, message: "No" } }
    await this.link.send(response, this.headers()).head
  }

  /** Calls a tool as a task; the task. */
  async start(name: string, script: ReadonlyArray<unknown>, more: Record<string, unknown> = {}): Promise<any> {
    const { error, result } = await this.tool(name, script, { task: {}, ...more }).response
    if (error !== undefined) throw new Error(`${error.code} ${error.message}`)
    return result.task
  }
}

/** What a name that a header cannot carry is written as. */
const headerValue = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`

/** A peer of 2026-07-28: every request says what it can do. */
export class Peer26 extends RawPeer {
  capabilities: object

  constructor(dial: Dial, capabilities: object) {
    super(dial)
    this.capabilities = capabilities
  }

  protected headers({ method = "", params }: Message): Record<string, string> {
    const name = params?.taskId ?? params?.name ?? params?.uri
    return {
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...typeof name === "string" ? { "mcp-name": headerValue(name) } : {}
    }
  }

  protected params(params: Record<string, unknown>): Record<string, unknown> {
    return {
      ...params,
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1" },
        "io.modelcontextprotocol/clientCapabilities": this.capabilities,
        ...params["_meta"] as object | undefined
      }
    }
  }

  /** Calls a tool that becomes a task; the answer. */
  async start(name: string, script: ReadonlyArray<unknown>, more: Record<string, unknown> = {}): Promise<any> {
    const { error, result } = await this.tool(name, script, more).response
    if (error !== undefined) throw new Error(`${error.code} ${error.message}`)
    return result
  }
}
