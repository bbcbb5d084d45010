/**
 * The port, bound before any work begins.
 *
 * A port that is taken must stop the start before the first resumed task has run a line of code; so binding comes first,
 * and whoever calls in the meantime is told to come back.
 */
import * as ApiError from "@coppice/api/ApiError"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { HttpServer } from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { type RequestListener, Server } from "node:http"
import type { AddressInfo } from "node:net"
import { Lifecycle } from "./Lifecycle.ts"
import { authorities, responseHeaders } from "./Security.ts"
import type { Settings } from "./Settings.ts"
import { refused, type StartError } from "./StartError.ts"

/** Requests in flight get this long to end when the service stops. */
const grace = "2 seconds"

const starting: RequestListener = (_request, response) => {
  const { error } = ApiError.make("stopping", { message: "The service is starting", retryAfter: 1 })
  response.writeHead(503, { ...responseHeaders, "content-type": "application/json", "retry-after": "1" })
  response.end(JSON.stringify({ error }))
}

/** What answers one path beside the routes. */
type Mounts = Map<string, RequestListener>

/** A server that asks the mounts first. Node tells every listener of a request, so this decides before it is told. */
class MountingServer extends Server {
  readonly mounts: Mounts = new Map()

  override emit(event: string | symbol, ...args: Array<any>): boolean {
    if (event !== "request" || this.mounts.size === 0) return super.emit(event as "request", ...args as [any, any])
    const [request, response] = args as Parameters<RequestListener>
    const mount = this.mounts.get((request.url ?? "").split("?", 1)[0]!)
    if (mount === undefined) return super.emit("request", request, response)
    mount(request, response)
    return true
  }
}

/** A server that gives up on those who send or read too slowly. */
const makeServer = (): MountingServer => {
  const server = new MountingServer({
    headersTimeout: 15_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 5_000
  })
  server.maxConnections = 20_000
  server.on("request", starting)
  return server
}

const toStartError = (settings: Settings, cause: unknown): StartError => {
  const code = (cause as { readonly cause?: NodeJS.ErrnoException } | undefined)?.cause?.code
  switch (code) {
    case "EADDRINUSE":
      return refused(
        `Port ${settings.port} is in use`,
        "stop what uses it, or choose another with --port (0 picks one)"
      )
    case "EACCES":
      return refused(`Port ${settings.port} is not allowed for this user`, "choose one above 1023 with --port")
    case "EADDRNOTAVAIL":
      return refused(`This machine has no address ${settings.host}`, "choose 127.0.0.1 with --host")
    default:
      return refused(`Port ${settings.port} cannot be opened (${code ?? String(cause)})`, "choose another with --port")
  }
}

/** Node closes the connections that are idle when it stops listening; the others become idle after their answer. */
const closeIdle = (server: Server): Effect.Effect<never> =>
  Effect.sync(() => server.closeIdleConnections()).pipe(Effect.andThen(Effect.sleep("20 millis")), Effect.forever)

export class Listener extends Context.Service<Listener, {
  readonly url: string
  readonly authorities: ReadonlySet<string>
  /** From now on the routes answer. */
  readonly open: Effect.Effect<void>
  /** Answers a path beside the routes, before and after they do. */
  readonly mount: (path: string, listener: RequestListener) => void
}>()("@coppice/orchestrator/Listener") {
  static readonly layer = (settings: Settings): Layer.Layer<Listener | HttpServer, StartError, Lifecycle> =>
    Layer.effectContext(
      Effect.gen(function*() {
        const server = makeServer()
        const http = yield* NodeHttpServer.make(() => server, {
          host: settings.host,
          port: settings.port,
          gracefulShutdownTimeout: grace
        }).pipe(Effect.mapError((cause) => toStartError(settings, cause)))
        yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
        yield* Effect.forkScoped(Effect.andThen((yield* Lifecycle).stopping, closeIdle(server)))
        const { port } = server.address() as AddressInfo
        const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host
        return Context.make(HttpServer, http).pipe(Context.add(Listener, {
          url: `http://${host}:${port}`,
          authorities: authorities(settings.host, port, settings.allowedHosts),
          open: Effect.sync(() => {
            server.off("request", starting)
          }),
          mount: (path, listener) => void server.mounts.set(path, listener)
        }))
      })
    )
}
