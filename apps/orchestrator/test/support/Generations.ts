/**
 * Both revisions of MCP between two services that would agree on the newer one by themselves.
 */
import * as HttpFetch from "@coppice/mcp/HttpFetch"
import * as Context from "effect/Context"

export type Generation = "2025-11-25" | "2026-07-28"
export const generations: ReadonlyArray<Generation> = ["2026-07-28", "2025-11-25"]

const unknownMethod = (id: unknown): Response =>
  Response.json({ jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } }, { status: 404 })

/** Every server answers the newer revision's first question like one that has never heard of it. */
const older: typeof fetch = async (input, init) => {
  const body = init?.body
  const message = typeof body === "string" ? JSON.parse(body) : undefined
  return message?.method === "server/discover" ? unknownMethod(message.id) : fetch(input, init)
}

/** What a service speaks to its servers, when provided to it. */
export const speaking = (generation: Generation): Context.Context<never> =>
  Context.make(HttpFetch.HttpFetch, generation === "2025-11-25" ? older : undefined)
