/**
 * HTTP between nodes: the same requests and responses, carried by the simulated network.
 *
 * A response is passed on as it comes, piece by piece and in order. When either end dies, the other learns of it.
 */
import { hash } from "./dice.ts"
import type { History } from "./history.ts"
import type { Mourner } from "./machine.ts"
import { Connection, type Network } from "./network.ts"
import type { Process, World } from "./world.ts"

/** Whoever sends requests over a wire: a node, or a program of somebody else's. */
export interface Sender {
  readonly name: string
  /** Whose tasks it may see at a node. */
  readonly principal: string
  readonly process: Process | undefined
  readonly mourners: Set<Mourner>
}

/** Whoever answers requests under a name: a node, or a server of somebody else's. */
export interface Host {
  readonly isServing: boolean
  readonly process: Process | undefined
  readonly mourners: Set<Mourner>
  /** `undefined`: nobody is there to answer. */
  readonly answer: (request: Request, body: unknown, from: Sender) => Promise<Response> | undefined
}

interface Parts {
  readonly world: World
  readonly history: History
  readonly network: Network
  readonly hosts: ReadonlyMap<string, Host>
  /** Nodes that do not know 2026-07-28. */
  readonly legacy: ReadonlySet<string>
  /** The last session each node has opened, as somebody who listens on the wire knows it. */
  readonly sessions: Map<string, string>
}

class NetworkError extends TypeError {
  constructor(code: string) {
    super("fetch failed", { cause: Object.assign(new Error(code), { code }) })
  }
}

/** What a server says that knows older revisions only. */
const unsupported = (): Response =>
  Response.json({
    jsonrpc: "2.0",
    id: null,
    error: { code: -32000, message: "Bad Request: Unsupported protocol version" }
  }, { status: 400 })

const noBody = new Set([101, 204, 205, 304])

interface Call {
  readonly url: URL
  readonly init: RequestInit
  readonly settle: (response: Response | Error) => void
}

/** One request and its response. */
class Exchange {
  private readonly parts: Parts
  private readonly from: Sender
  private readonly to: Host | undefined
  private readonly host: string
  private readonly caller: Process
  private readonly url: URL
  private readonly init: RequestInit
  private readonly gone = new AbortController()
  private readonly out = new Connection()
  private readonly back = new Connection()
  private body: ReadableStreamDefaultController<Uint8Array> | undefined
  private isOver = false
  /** A piece of the response is lost: nothing that was sent after it counts. */
  private isTorn = false
  private readonly settle: (response: Response | Error) => void

  constructor(parts: Parts, from: Sender, { init, settle, url }: Call) {
    this.parts = parts
    this.from = from
    this.host = url.hostname
    this.to = parts.hosts.get(url.hostname)
    this.caller = from.process!
    this.url = url
    this.init = init
    this.settle = settle
  }

  begin(): void {
    const { init: { signal } } = this
    if (signal?.aborted === true) return this.fail(signal.reason)
    signal?.addEventListener("abort", this.aborted)
    this.from.mourners.add(this.callerDied)
    this.request((receiver) => this.serve(receiver))
  }

  private request(deliver: (receiver: Process) => void): void {
    const text = typeof this.init.body === "string" ? this.init.body : ""
    this.note(this.from.name, this.host, `${this.init.method ?? "GET"} ${text}`)
    this.parts.network.send({
      from: this.from.name,
      to: this.host,
      sender: this.caller,
      receiver: () => this.to?.isServing === true ? this.to.process : undefined,
      deliver: () => deliver(this.to!.process!),
      failed: (code) => this.fail(new NetworkError(code)),
      connection: this.out
    })
  }

  private note(from: string, to: string, text: string): void {
    this.parts.history.add({
      _tag: "Sent",
      at: this.parts.world.elapsed,
      from,
      to,
      text: `${text.length} ${hash(text)} ${text.slice(0, 300)}`
    })
  }

  /** To the caller; in order. `failed`: the connection breaks there too. */
  private reply(server: Process, text: string, deliver: () => void): void {
    this.note(this.host, this.from.name, text)
    this.parts.network.send({
      from: this.host,
      to: this.from.name,
      sender: server,
      receiver: () => this.caller.isAlive ? this.caller : undefined,
      deliver: () => {
        if (!this.isOver && !this.isTorn) deliver()
      },
      lost: () => {
        this.isTorn = true
      },
      failed: () => {
        this.gone.abort()
        this.breakOff()
      },
      connection: this.back
    })
  }

  // ---------------------------------------------------------------- at the server

  private serve(server: Process): void {
    const { body, headers, method = "GET" } = this.init
    const request = new Request(this.url, { method, headers: headers ?? {}, signal: this.gone.signal })
    const parsed = typeof body === "string" ? JSON.parse(body) as unknown : undefined
    if (this.parts.legacy.has(this.host) && request.headers.get("mcp-protocol-version") === "2026-07-28") {
      this.to?.mourners.add(this.breakOff)
      return this.respond(server, unsupported())
    }
    const answer = this.to?.answer(request, parsed, this.from)
    if (answer === undefined) return this.breakOff()
    this.to?.mourners.add(this.breakOff)
    answer.then(
      (response) => this.respond(server, response),
      (error: unknown) => this.respond(server, Response.json({ error: String(error) }, { status: 500 }))
    )
  }

  private respond(server: Process, response: Response): void {
    const { headers, status } = response
    const session = headers.get("mcp-session-id")
    if (session !== null && this.from.principal === "local") this.parts.sessions.set(this.host, session)
    this.reply(server, `${status}`, () => {
      const stream = noBody.has(status) ? null : new ReadableStream<Uint8Array>({
        start: (controller) => {
          this.body = controller
        },
        cancel: () => this.leave()
      })
      this.settle(new Response(stream, { status, headers }))
      if (stream === null) this.close()
    })
    void this.pump(server, response)
  }

  private async pump(server: Process, { body }: Response): Promise<void> {
    try {
      for await (const chunk of body ?? []) {
        const bytes = chunk as Uint8Array
        this.reply(server, Buffer.from(bytes).toString(), () => this.body?.enqueue(bytes))
      }
      this.reply(server, "end", () => {
        this.body?.close()
        this.close()
      })
    } catch {
      this.breakOff()
    }
  }

  // ---------------------------------------------------------------- at the caller

  private readonly aborted = (): void => {
    if (this.isOver) return
    this.fail(this.init.signal?.reason ?? new Error("aborted"))
    this.leave()
  }

  /** The caller has gone away: the server hears of it. */
  private leave(): void {
    this.close()
    this.parts.network.send({
      from: this.from.name,
      to: this.host,
      sender: this.caller,
      receiver: () => this.to?.process,
      deliver: () => this.gone.abort(),
      connection: this.out
    })
  }

  private readonly callerDied = (): void => {
    this.isOver = true
    this.to?.mourners.delete(this.breakOff)
    this.parts.network.send({
      from: this.from.name,
      to: this.host,
      sender: this.caller,
      receiver: () => this.to?.process,
      deliver: () => this.gone.abort()
    })
  }

  /** The connection is broken: the caller sees a reset, a little later. */
  private readonly breakOff = (): void => {
    if (this.isOver || !this.caller.isAlive) return
    this.parts.world.after(
      this.caller,
      1 + this.parts.world.chance.next() * 20,
      () => this.fail(new NetworkError("ECONNRESET"))
    )
  }

  private fail(error: unknown): void {
    if (this.isOver) return
    this.close()
    this.settle(error instanceof Error ? error : new Error(String(error)))
    try {
      this.body?.error(error)
    } catch {
      // it had ended
    }
  }

  private close(): void {
    this.isOver = true
    this.from.mourners.delete(this.callerDied)
    this.to?.mourners.delete(this.breakOff)
    this.init.signal?.removeEventListener("abort", this.aborted)
  }
}

/** `fetch` as a node has it: names of nodes are hosts. */
export const fetchOf = (parts: Parts) => (from: Sender): typeof globalThis.fetch => (input, init) =>
  new Promise((resolve, reject) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const settle = (response: Response | Error) => response instanceof Error ? reject(response) : resolve(response)
    if (from.process === undefined) return
    new Exchange(parts, from, { url, init: init ?? {}, settle }).begin()
  })
