/**
 * What a message has to be before anybody looks at its method: one JSON-RPC 2.0 request, notification or response.
 */
import * as Predicate from "effect/Predicate"

const isId = (id: unknown): boolean => typeof id === "string" || Number.isSafeInteger(id)

/** What is wrong with a body, or `undefined`. */
export const problemIn = (body: unknown): string | undefined => {
  if (Array.isArray(body)) return "A body is one message: batches are not part of MCP"
  if (!Predicate.isObject(body)) return "A message is an object"
  const { error, id, jsonrpc, method, params, result } = body as Readonly<Record<string, unknown>>
  if (jsonrpc !== "2.0") return "A message has jsonrpc: \"2.0\""
  if ("id" in body && !isId(id)) return "An id is a text or a whole number"
  if (method === undefined) return result === undefined && error === undefined ? "A request has a method" : undefined
  if (typeof method !== "string") return "A method is a text"
  return params === undefined || Predicate.isObject(params) ? undefined : "params is an object"
}
