/**
 * The one error of the client: which server, which method, and a reason that says what to do next.
 *
 * What matters most about a failed `tools/call` is whether the tool may have run. `mayHaveRun` answers that, and
 * `isRetryable` whether the same request may be sent again without asking anybody. Messages carry what a server said,
 * cut short, and never a header, a token or the query of a URL.
 */
import * as Data from "effect/Data"
import type { Json } from "effect/Schema"

/** Why a request failed. */
export type McpErrorReason =
  /** It never left: refused connection, unknown host, a child that does not start. */
  | { readonly _tag: "Unreachable"; readonly detail: string }
  /** It was sent and no reply came: the server may or may not have acted on it. */
  | { readonly _tag: "OutcomeUnknown"; readonly detail: string }
  /** The server said no before acting: too busy, limited. */
  | { readonly _tag: "Busy"; readonly status: number; readonly retryAfter: number | undefined }
  /** The session or process it was meant for is gone; it was not acted on. */
  | { readonly _tag: "SessionLost" }
  | { readonly _tag: "Http"; readonly status: number; readonly detail: string }
  | { readonly _tag: "Unauthorized"; readonly detail: string }
  /** The server answered with a JSON-RPC error. */
  | { readonly _tag: "Rpc"; readonly code: number; readonly message: string; readonly data: Json | undefined }
  /** An answer that is not what the protocol promises. */
  | { readonly _tag: "InvalidReply"; readonly detail: string }
  | { readonly _tag: "TooLarge"; readonly what: string; readonly limit: number }
  | { readonly _tag: "Timeout"; readonly after: number }
  /** The peer or this client does not offer what was asked. */
  | { readonly _tag: "Unsupported"; readonly what: string }

/** A request to an MCP server that failed. */
export class McpError extends Data.TaggedError("McpError")<{
  /** The name the server has in the configuration. */
  readonly server: string
  readonly method: string
  readonly reason: McpErrorReason
}> {
  override get message(): string {
    return `Server "${this.server}", ${this.method}: ${describe(this.reason)}`
  }

  /** Whether the server may have acted on the request. */
  get mayHaveRun(): boolean {
    switch (this.reason._tag) {
      case "OutcomeUnknown":
      case "Timeout":
      case "InvalidReply":
      case "TooLarge":
        return true
      case "Http":
        return this.reason.status >= 500
      default:
        return false
    }
  }

  /** Whether it may pass by itself. */
  get isTransient(): boolean {
    switch (this.reason._tag) {
      case "Unreachable":
      case "OutcomeUnknown":
      case "Busy":
      case "SessionLost":
      case "Timeout":
        return true
      case "Http":
        return this.reason.status >= 500 || this.reason.status === 408
      default:
        return false
    }
  }

  /** Whether sending the same request again cannot run anything twice. */
  get isRetryable(): boolean {
    return this.isTransient && !this.mayHaveRun
  }

  /** How long the server asked to wait, milliseconds. */
  get retryAfter(): number | undefined {
    return this.reason._tag === "Busy" ? this.reason.retryAfter : undefined
  }
}

const describe = (reason: McpErrorReason): string => {
  switch (reason._tag) {
    case "Unreachable":
      return `it cannot be reached (${reason.detail}); is it running, and is its address or command right?`
    case "OutcomeUnknown":
      return `no reply came (${reason.detail}); the server may have acted on the request`
    case "Busy":
      return `it is too busy (HTTP ${reason.status})` +
        (reason.retryAfter === undefined ? "" : `; it asks to wait ${reason.retryAfter} ms`)
    case "SessionLost":
      return "the session is gone; the client opens another one"
    case "Http":
      return `HTTP ${reason.status}: ${reason.detail}`
    case "Unauthorized":
      return `authorization is missing or was refused (${reason.detail}); configure \`auth\` of this server`
    case "Rpc":
      return `${reason.message} (JSON-RPC ${reason.code})`
    case "InvalidReply":
      return `the reply breaks the protocol: ${reason.detail}`
    case "TooLarge":
      return `${reason.what} is larger than ${reason.limit} bytes; raise \`limits.message\` if that is expected`
    case "Timeout":
      return `no reply within ${reason.after} ms`
    case "Unsupported":
      return reason.what
  }
}

/** At most 300 characters of what a peer said, on one line. */
export const brief = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}

/** What an exception says, without its stack. */
export const messageOf = (error: unknown): string =>
  brief(error instanceof Error ? (error.message === "" ? error.name : error.message) : String(error))
