/**
 * Another way for requests to reach MCP servers than sockets.
 */
import * as Context from "effect/Context"

/**
 * What sends the requests of clients made below it; `undefined`: connections of their own. A simulation has its own, and
 * so may a program that cannot open sockets.
 *
 * **Gotchas**
 *
 * A failure counts as "never reached the server" only when its cause says so, as Node's do: `code: "ECONNREFUSED"`.
 */
export const HttpFetch = Context.Reference<typeof globalThis.fetch | undefined>("@coppice/mcp/HttpFetch", {
  defaultValue: () => undefined
})
