/**
 * Foreign MCP servers in a service: where they are, and which of their tools are agents of its tree.
 *
 * A server is reached when it is needed and again when it has gone; a service starts whether its servers answer or not.
 */
import type * as Agent from "@coppice/agent/Agent"
import * as McpClient from "@coppice/mcp/McpClient"
import * as RemoteAgent from "@coppice/mcp/RemoteAgent"
import type { Settler } from "@coppice/task/Settler"
import type { TaskLog } from "@coppice/task/TaskLog"
import type { TaskStore } from "@coppice/task/TaskStore"
import type { Workers } from "@coppice/task/Worker"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

/** How a server is reached: an address, or a program with its arguments. */
export type Endpoint =
  | Omit<Extract<McpClient.Endpoint, { readonly _tag: "Http" }>, "_tag">
  | Omit<Extract<McpClient.Endpoint, { readonly _tag: "Stdio" }>, "_tag">

/** A server and what of it is used. */
export type Server = Endpoint & {
  /** The tools that are agents here; `all`: every one the server has, under its own name. */
  readonly agents: ReadonlyArray<Agent.Remote<string, any, any>> | "all"
  /** Stands before the names of `all`. [""] */
  readonly prefix?: string | undefined
  /** MCP hosts of this service are offered the agents of `all`, with their results as they are. [false] */
  readonly listed?: boolean | undefined
  /** The server is a Coppice: calls to it carry deadlines and idempotency keys it honours. [false] */
  readonly isCoppice?: boolean | undefined
  /**
   * How long a short request may take: a poll, an answer, a cancellation; and how long a call may be silent before the server
   * is asked whether it is there. [30 seconds]
   */
  readonly timeout?: Duration.Input | undefined
}

/** Servers by the names they have here. */
export type Servers = Readonly<Record<string, Server>>

/** A server whose tools could not be listed. */
class NotReached extends Data.TaggedError("NotReached")<{ readonly message: string }> {}

const endpointOf = (server: Server): McpClient.Endpoint =>
  "url" in server ? { _tag: "Http", ...server } : { _tag: "Stdio", ...server }

const asked = { elicitation: { form: true, url: true } } as const

/** What was said of the agent here, for the worker that calls its tool. */
const toRemote = (server: string, { name, remote }: Agent.Remote<string, any, any>): RemoteAgent.RemoteAgent =>
  RemoteAgent.make({ ...remote, name, server })

const patience = "5 seconds"
const again = Schedule.spaced("5 seconds")

/** Every tool of the server, as soon as it can be asked; until then their names are unknown here. */
const serveAll = (client: McpClient.McpClient, server: Server) =>
  Effect.gen(function*() {
    const { listed, prefix } = server
    const find = Effect.map(
      RemoteAgent.discover(client, prefix ?? ""),
      (agents) => agents.map((agent) => ({ ...agent, listed: listed === true, passthrough: listed === true }))
    )
    const serving = Effect.flatMap(find, (agents) => RemoteAgent.serve(client, agents))
    const first = yield* serving.pipe(
      Effect.mapError(({ message }) => new NotReached({ message })),
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(new NotReached({ message: `it has not answered within ${patience}` }))
      }),
      Effect.result
    )
    if (first._tag === "Success") return
    yield* Effect.logWarning(`Server "${client.name}" cannot be reached yet: ${first.failure.message}`)
    yield* Effect.forkScoped(Effect.ignore(Effect.retry(serving, again)))
  })

/** Workers for the agents of one server, until the scope closes. */
export const serve = (
  name: string,
  server: Server
): Effect.Effect<void, McpClient.McpError, Scope.Scope | TaskLog | TaskStore | Settler | Workers> =>
  Effect.gen(function*() {
    const client = yield* McpClient.make({
      name,
      endpoint: endpointOf(server),
      offers: asked,
      isCoppice: server.isCoppice,
      timeout: server.timeout === undefined ? undefined : Duration.toMillis(server.timeout)
    })
    if (server.agents === "all") return yield* serveAll(client, server)
    yield* RemoteAgent.serve(client, server.agents.map((agent) => toRemote(name, agent)))
  })

/** Workers for the agents of all servers; their tasks of before are resumed by whoever sweeps next. */
export const layer = (servers: Servers): Layer.Layer<never, never, TaskLog | TaskStore | Settler | Workers> =>
  Layer.effectDiscard(
    Effect.forEach(Object.entries(servers), ([name, server]) => Effect.orDie(serve(name, server)), {
      concurrency: "unbounded",
      discard: true
    })
  )
