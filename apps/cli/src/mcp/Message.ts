/**
 * A line of the pipe as JSON-RPC, looked at no closer than its way through needs: which revision it speaks, which request
 * it is, and what the headers of its HTTP request have to say.
 */
import { randomUUID } from "node:crypto"

type Id = string | number

type Fields = Readonly<Record<string, unknown>>

export interface Message {
  /** What is sent on: the line itself, or with what was added. */
  readonly text: string
  readonly method: string | undefined
  /** The id of a request; a notification and an answer have none here. */
  readonly request: Id | undefined
  /** The revision in the envelope of 2026-07-28 and later; undefined for a message of a session. */
  readonly revision: string | undefined
  readonly params: Fields
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const fieldsOf = (value: unknown): Fields => isFields(value) ? value : {}

const isId = (value: unknown): value is Id => typeof value === "string" || typeof value === "number"

const idempotencyKey = "dev.coppice/idempotency-key"
const revisionKey = "io.modelcontextprotocol/protocolVersion"

/** What begins work. Repeated after a broken connection it must find that work, not begin it again. */
const begins = (method: string | undefined): boolean => method === "tools/call" || method === "prompts/get"

const withKey = (message: Fields, params: Fields): string => {
  const meta = { ...fieldsOf(params["_meta"]), [idempotencyKey]: `stdio-${randomUUID()}` }
  return JSON.stringify({ ...message, params: { ...params, _meta: meta } })
}

/** Reads a line; undefined when it is no JSON object. */
export const parse = (line: string): Message | undefined => {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isFields(value)) return undefined
  const method = typeof value["method"] === "string" ? value["method"] : undefined
  const params = fieldsOf(value["params"])
  const meta = fieldsOf(params["_meta"])
  const revision = meta[revisionKey]
  return {
    text: begins(method) && meta[idempotencyKey] === undefined ? withKey(value, params) : line,
    method,
    request: method !== undefined && isId(value["id"]) ? value["id"] : undefined,
    revision: typeof revision === "string" ? revision : undefined,
    params
  }
}

/** Which request a cancellation is about. */
export const cancelled = ({ method, params }: Message): Id | undefined =>
  method === "notifications/cancelled" && isId(params["requestId"]) ? params["requestId"] : undefined

/** A text as a header may carry it: plain where it can be, else in base64 under MCP's own mark. */
const headerText = (text: string): string =>
  /^[!-~](?:[ -~]*[!-~])?$/.test(text) && !/^=\?base64\?.*\?=$/i.test(text)
    ? text
    : `=?base64?${Buffer.from(text).toString("base64")}?=`

/** What `Mcp-Name` is for these methods. */
const nameOf = (method: string, params: Fields): unknown => {
  if (method === "tools/call" || method === "prompts/get") return params["name"]
  if (method === "resources/read") return params["uri"]
  return method.startsWith("tasks/") ? params["taskId"] : undefined
}

export interface Session {
  readonly id: string
  readonly revision: string
}

/** The headers of the message's own request. */
export const headersOf = (message: Message, session: Session | undefined): Record<string, string> => {
  const { method, params, revision } = message
  if (revision !== undefined && method !== undefined) {
    const name = nameOf(method, params)
    return {
      "mcp-protocol-version": headerText(revision),
      "mcp-method": headerText(method),
      ...typeof name === "string" ? { "mcp-name": headerText(name) } : {}
    }
  }
  return session === undefined || method === "initialize"
    ? {}
    : { "mcp-session-id": session.id, "mcp-protocol-version": session.revision }
}

/** An error as the service would have said it. */
export const failure = (id: Id | null, code: number, message: string, data?: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, ...data === undefined ? {} : { data } } })
