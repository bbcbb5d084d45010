/**
 * A receiver of webhooks on loopback that verifies as Standard Webhooks describes it, with code of its own.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

type Answer = (received: Received, response: ServerResponse) => void

const ok: Answer = (_received, response) => response.writeHead(204).end()

export interface Hook {
  readonly url: string
  readonly received: Array<Received>
  /** Waits until so many have come. */
  readonly some: (count: number) => Effect.Effect<void>
  answer: Answer
}

/** Whether a message carries a good signature: RFC 2104 over `id.timestamp.body`, by the web's own crypto. */
export const isSigned = async (secret: Uint8Array, { body, headers }: Received): Promise<boolean> => {
  const text = [headers["webhook-id"], headers["webhook-timestamp"], body].join(".")
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  const key = await crypto.subtle.importKey("raw", Uint8Array.from(secret), algorithm, false, ["verify"])
  const [version, signature = ""] = String(headers["webhook-signature"]).split(",")
  const bytes = Uint8Array.from(atob(signature), (char) => char.charCodeAt(0))
  return version === "v1" && crypto.subtle.verify("HMAC", key, bytes, new TextEncoder().encode(text))
}

/** Listens until the scope closes. */
export const hook: Effect.Effect<Hook, never, Scope.Scope> = Effect.gen(function*() {
  const received: Array<Received> = []
  const waiting = new Set<() => void>()
  const hook = { answer: ok }
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const one = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() }
      received.push(one)
      for (const wake of [...waiting]) wake()
      hook.answer(one, response)
    })
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
  const some = (count: number) =>
    Effect.callback<void>((resume) => {
      const look = () => {
        if (received.length < count) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      look()
    })
  const { port } = server.address() as AddressInfo
  return Object.assign(hook, { url: `http://127.0.0.1:${port}/hook`, received, some })
})
