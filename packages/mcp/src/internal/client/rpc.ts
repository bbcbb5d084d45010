/**
 * JSON-RPC messages as this client sends and reads them.
 *
 * A message from a peer is only ever looked at through these guards; what is in its params or result is decoded by
 * whoever asked for it.
 */
import type { Json } from "effect/Schema"

export type JsonObject = Readonly<Record<string, Json>>

export type RpcId = string | number

export interface RpcRequest {
  readonly jsonrpc: "2.0"
  readonly id: RpcId
  readonly method: string
  readonly params?: JsonObject
}

export interface RpcNotification {
  readonly jsonrpc: "2.0"
  readonly method: string
  readonly params?: JsonObject
}

/** The error member of a reply. */
export interface RpcFault {
  readonly code: number
  readonly message: string
  readonly data?: Json
}

export interface RpcReply {
  readonly jsonrpc: "2.0"
  readonly id: RpcId
  readonly result?: JsonObject
  readonly error?: RpcFault
}

export type RpcMessage = RpcRequest | RpcNotification | RpcReply

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isId = (value: unknown): value is RpcId => typeof value === "string" || typeof value === "number"

/** An id, or a progress token, as a name; what is none has none. */
export const idText = (value: unknown): string => isId(value) ? String(value) : ""

const isFault = (value: unknown): value is RpcFault =>
  isObject(value) && typeof value["code"] === "number" && typeof value["message"] === "string"

/** The message in a parsed text, or `undefined` when it is none. */
export const toMessage = (value: unknown): RpcMessage | undefined => {
  if (!isObject(value) || value["jsonrpc"] !== "2.0") return undefined
  const { error, id, method, params, result } = value as Record<string, unknown>
  if (typeof method === "string") {
    const isCall = params === undefined || isObject(params)
    return isCall && (id === undefined || isId(id)) ? value as unknown as RpcMessage : undefined
  }
  return isId(id) && (isObject(result) || isFault(error)) ? value as unknown as RpcReply : undefined
}

export const isReply = (message: RpcMessage): message is RpcReply => !("method" in message)

export const isRequest = (message: RpcMessage): message is RpcRequest => "method" in message && "id" in message

/** The value below a chain of keys, when every level is an object. */
export const at = (value: unknown, ...keys: ReadonlyArray<string>): unknown => {
  let here = value
  for (const key of keys) {
    if (!isObject(here) || !Object.hasOwn(here, key)) return undefined
    here = here[key]
  }
  return here
}

export const textAt = (value: unknown, ...keys: ReadonlyArray<string>): string | undefined => {
  const found = at(value, ...keys)
  return typeof found === "string" ? found : undefined
}

export const numberAt = (value: unknown, ...keys: ReadonlyArray<string>): number | undefined => {
  const found = at(value, ...keys)
  return typeof found === "number" && Number.isFinite(found) ? found : undefined
}

export const objectAt = (value: unknown, ...keys: ReadonlyArray<string>): JsonObject | undefined => {
  const found = at(value, ...keys)
  return isObject(found) ? found : undefined
}
