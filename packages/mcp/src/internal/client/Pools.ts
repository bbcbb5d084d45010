/**
 * The sockets to one origin, in three pools so that what is long cannot starve what is short.
 *
 * Calls of slow tools may hold every connection of theirs; answers, polls and cancellations have others, and so have
 * streams that stay open. What finds no free connection waits in its pool's queue: ten thousand calls at once are a
 * queue, not ten thousand sockets.
 */
import type { Readable } from "node:stream"
import { Agent, fetch as undiciFetch, Pool } from "undici"
import { bounded } from "./bounded.ts"
import type { Lane } from "./Connection.ts"

/** How many connections each pool may open. */
export interface PoolSizes {
  readonly call: number
  readonly control: number
  readonly stream: number
}

export const defaultSizes: PoolSizes = { call: 64, control: 16, stream: 256 }

/** A request on one of the lanes. */
export interface Sent {
  readonly path: string
  readonly method: "POST" | "GET"
  readonly headers: Record<string, string>
  readonly body?: string | undefined
  readonly signal: AbortSignal
}

/** Its response: what of undici's is needed. */
export interface Received {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  readonly body: Pick<Readable, "setEncoding"> & AsyncIterable<unknown> & {
    readonly text: () => Promise<string>
    readonly dump: () => Promise<void>
  }
}

/** How requests get to a server. */
export interface Requests {
  readonly lane: (lane: Lane) => { readonly request: (sent: Sent) => Promise<Received> }
  /** The fetch the SDK uses: its handshake, its standing stream, and authorization. */
  readonly fetch: typeof globalThis.fetch
  readonly close: () => Promise<void>
}

/** A peer that is gone is noticed by the system on a connection that is silent so long, milliseconds. */
const probed = { keepAlive: true, keepAliveInitialDelay: 15_000 }

export class Pools implements Requests {
  readonly origin: string
  private readonly lanes: Record<Lane, Pool>
  /** For other origins: authorization servers. */
  private readonly elsewhere: Agent

  private readonly limit: number

  /** `limit`: bytes of one message. */
  constructor(url: URL, sizes: PoolSizes, limit: number) {
    this.origin = url.origin
    this.limit = limit
    const pool = (connections: number) =>
      new Pool(url.origin, { connections, headersTimeout: 0, bodyTimeout: 0, connectTimeout: 10_000, connect: probed })
    this.lanes = { call: pool(sizes.call), control: pool(sizes.control), stream: pool(sizes.stream) }
    this.elsewhere = new Agent({ connections: 8, headersTimeout: 30_000, bodyTimeout: 30_000, connectTimeout: 10_000 })
  }

  lane(lane: Lane) {
    const pool = this.lanes[lane]
    return { request: (sent: Sent): Promise<Received> => pool.request(sent as Parameters<Pool["request"]>[0]) }
  }

  readonly fetch: typeof globalThis.fetch = (async (
    input: string | URL,
    init: { readonly method?: string } = {}
  ) => {
    const isHome = new URL(input).origin === this.origin
    const lane = init.method === undefined || init.method === "GET" ? "stream" : "control"
    const dispatcher = isHome ? this.lanes[lane] : this.elsewhere
    return bounded(await undiciFetch(input, { ...init, dispatcher }), this.limit)
  }) as unknown as typeof globalThis.fetch

  async close(): Promise<void> {
    const all = [...Object.values(this.lanes), this.elsewhere]
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()))
  }
}
