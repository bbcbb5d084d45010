/**
 * `McpHttp` behind a server of Node's own. Who comes is who the bearer says; without one, somebody who is not identified.
 */
import * as Effect from "effect/Effect"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { McpHttp } from "../../src/McpHttp.ts"
import type { Caller } from "../../src/McpServer.ts"

const callerOf = (authorization: string | undefined): Caller => {
  const name = authorization?.slice("Bearer ".length)
  return { principal: name ?? "anyone", isIdentified: name !== undefined, by: name ?? "anyone" }
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks = await request.toArray()
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
}

const answer = async (mcp: McpHttp["Service"], incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
  const body = await bodyOf(incoming)
  const gone = new AbortController()
  outgoing.on("close", () => gone.abort())
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method!,
    headers: incoming.headers as Record<string, string>,
    signal: gone.signal
  })
  const response = await mcp.handle(request, body, callerOf(incoming.headers.authorization))
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  outgoing.flushHeaders()
  if (response.body === null) outgoing.end()
  else await pipeline(Readable.fromWeb(response.body), outgoing)
}

/** Serves until the scope closes; succeeds with the address. */
export const open = Effect.gen(function*() {
  const mcp = yield* McpHttp
  const server = createServer((incoming, outgoing) => {
    // a peer that goes away in the middle is part of the cases
    answer(mcp, incoming, outgoing).catch(() => outgoing.destroy())
  })
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
})
