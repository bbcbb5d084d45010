/**
 * The form a call between agents takes on its way: the neutral parameters of MCP's `tools/call` and its result.
 *
 * Inside one process nothing is written as bytes, so the default changes nothing. A test can put a wire's form in
 * between and demand that the logs stay the same: that is how "every call is an MCP task" is checked.
 */
import * as Context from "effect/Context"
import type { Json } from "effect/Schema"

export interface CallCodec {
  /** A call's arguments as the callee sees them. */
  readonly request: (tool: string, input: Json) => Json
  /** A result or declared error as the caller sees it. */
  readonly response: (tool: string, isError: boolean, value: Json) => Json
}

const direct: CallCodec = { request: (_, input) => input, response: (_tool, _isError, value) => value }

export const CallCodec = Context.Reference<CallCodec>("@coppice/agent/CallCodec", { defaultValue: () => direct })
