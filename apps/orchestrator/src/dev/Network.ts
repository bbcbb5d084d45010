/**
 * The network of the process as its code sees it: a `fetch` that is late, refused, cut off or heard twice, as the faults in
 * force say.
 *
 * It takes the place of the global `fetch`, and carries the requests to MCP servers. What opens sockets by itself is not
 * reached.
 */
import { setTimeout } from "node:timers/promises"

/** What is in force for a host. */
export type Hindrance =
  | { readonly kind: "delay"; readonly millis: number }
  | { readonly kind: "too-many-requests"; readonly retryAfter: number }
  | { readonly kind: "drop-network" }
  | { readonly kind: "duplicate" }

type Fetch = typeof globalThis.fetch
type Input = Parameters<Fetch>[0]

/** Which hindrances a request meets; asked once for each, and whoever counts them counts it then. */
export type Meet = (host: string, hasBody: boolean) => ReadonlyArray<Hindrance>

/** As Node says it: of a host that cannot be reached, and of a connection that broke. */
const failed = (host: string, code: "ENETUNREACH" | "ECONNRESET"): TypeError =>
  new TypeError("fetch failed", {
    cause: Object.assign(new Error(`The network to ${host} is down, as asked for`), { code })
  })

const urlOf = (input: Input): URL => new URL(input instanceof Request ? input.url : input)

/** What can be sent a second time. */
const isRepeatable = (body: unknown): boolean =>
  typeof body === "string" || body instanceof Uint8Array || body instanceof URLSearchParams

/** Nobody hears the answer. */
const unheard = (sent: Promise<Response>): void => {
  sent.then((response) => response.body?.cancel()).catch(() => {})
}

export class Network {
  /** Hosts that were called since the start. */
  readonly hosts = new Set<string>()
  /** Nothing is in force until somebody says so. */
  meet: Meet = () => []
  /** What cuts everything that is open to a host. */
  private readonly cuts = new Map<string, AbortController>()

  /** Cuts what is open to the host. */
  cut(host: string): void {
    this.cuts.get(host)?.abort(failed(host, "ECONNRESET"))
    this.cuts.delete(host)
  }

  private cutOf(host: string): AbortSignal {
    const known = this.cuts.get(host) ?? new AbortController()
    this.cuts.set(host, known)
    return known.signal
  }

  /** The requests of a `fetch`, through this network. */
  readonly over = (real: Fetch): Fetch => async (input, init = {}) => {
    const { host } = urlOf(input)
    this.hosts.add(host)
    const own = init.signal ?? (input instanceof Request ? input.signal : undefined)
    const signal = AbortSignal.any([this.cutOf(host), ...own === null || own === undefined ? [] : [own]])
    for (const hindrance of this.meet(host, isRepeatable(init.body))) {
      switch (hindrance.kind) {
        case "drop-network":
          throw failed(host, "ENETUNREACH")
        case "delay":
          await setTimeout(hindrance.millis, undefined, { signal })
          break
        case "too-many-requests":
          return new Response("Too many requests, as asked for", {
            status: 429,
            headers: { "retry-after": String(hindrance.retryAfter) }
          })
        case "duplicate":
          unheard(real(input, { ...init, signal }))
      }
    }
    return real(input, { ...init, signal })
  }
}
