/**
 * Calls between agents as the bytes a wire would carry, written and read back on the spot.
 *
 * Each generation of MCP has its own form of `tools/call` and of a finished task's result. Every message is checked
 * against that form, so that a value no wire could carry is found here.
 */
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type { CallCodec } from "../../src/CallCodec.ts"

export type Generation = "2025-11-25" | "2026-07-28"

/** What went over the wire, in order. */
export interface Message {
  readonly kind: "request" | "result" | "error"
  readonly tool: string
  readonly bytes: Uint8Array
}

const Arguments = Schema.Record(Schema.String, Schema.Json)
const Time = Schema.String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
const frame = <P extends Schema.Struct.Fields>(payload: P) =>
  Schema.Struct({ jsonrpc: Schema.Literal("2.0"), id: Schema.Int, ...payload })
const content = Schema.Tuple([Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })])
const call = <P extends Schema.Struct.Fields>(more: P) =>
  frame({
    method: Schema.Literal("tools/call"),
    params: Schema.Struct({ name: Schema.String, arguments: Arguments, ...more })
  })

const gen1 = {
  request: call({
    task: Schema.Struct({ ttl: Schema.Int }),
    _meta: Schema.Struct({ progressToken: Schema.Int })
  }),
  response: frame({
    result: Schema.Struct({
      content,
      structuredContent: Arguments,
      isError: Schema.Boolean,
      _meta: Schema.Struct({ "io.modelcontextprotocol/related-task": Schema.Struct({ taskId: Schema.String }) })
    })
  })
}

const gen2 = {
  request: call({
    _meta: Schema.Struct({
      "io.modelcontextprotocol/protocolVersion": Schema.Literal("2026-07-28"),
      "io.modelcontextprotocol/clientInfo": Schema.Struct({ name: Schema.String, version: Schema.String }),
      "io.modelcontextprotocol/clientCapabilities": Schema.Struct({
        extensions: Schema.Struct({ "io.modelcontextprotocol/tasks": Schema.Struct({}) })
      })
    })
  }),
  response: frame({
    result: Schema.Struct({
      resultType: Schema.Literal("complete"),
      taskId: Schema.String,
      status: Schema.Literal("completed"),
      createdAt: Time,
      lastUpdatedAt: Time,
      ttlMs: Schema.Null,
      pollIntervalMs: Schema.Int,
      result: Schema.Struct({
        resultType: Schema.Literal("complete"),
        content,
        structuredContent: Schema.Json,
        isError: Schema.Boolean
      })
    })
  })
}

const capabilities = { extensions: { "io.modelcontextprotocol/tasks": {} } }
const meta = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "loopback", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": capabilities
}
const epoch = "1970-01-01T00:00:00.000Z"

interface Form {
  readonly request: (id: number, tool: string, input: Schema.Json) => unknown
  readonly input: (message: unknown) => Schema.Json
  readonly response: (id: number, isError: boolean, value: Schema.Json) => unknown
  readonly output: (message: unknown) => { readonly isError: boolean; readonly structuredContent: Schema.Json }
}

const strict = { onExcessProperty: "error" } as const
const reader = <A>(schema: Schema.Codec<A, any>) => SchemaParser.decodeUnknownSync(schema, strict)

const resultOf = (isError: boolean, value: Schema.Json) => ({
  content: [{ type: "text", text: JSON.stringify(value) }],
  structuredContent: value,
  isError
})

const forms: Record<Generation, Form> = {
  "2025-11-25": {
    request: (id, name, input) => ({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name, arguments: input, task: { ttl: 60_000 }, _meta: { progressToken: id } }
    }),
    input: (message) => reader(gen1.request)(message).params.arguments,
    response: (id, isError, value) => ({
      jsonrpc: "2.0",
      id,
      result: {
        ...resultOf(isError, value),
        _meta: { "io.modelcontextprotocol/related-task": { taskId: `handle-${id}` } }
      }
    }),
    output: (message) => reader(gen1.response)(message).result
  },
  "2026-07-28": {
    request: (id, name, input) => ({
      jsonrpc: "2.0",
      id,
      method: "tools/call",
      params: { name, arguments: input, _meta: meta }
    }),
    input: (message) => reader(gen2.request)(message).params.arguments,
    // an error the agent declares is a completed task in this generation
    response: (id, isError, value) => ({
      jsonrpc: "2.0",
      id,
      result: {
        resultType: "complete",
        taskId: `handle-${id}`,
        status: "completed",
        createdAt: epoch,
        lastUpdatedAt: epoch,
        ttlMs: null,
        pollIntervalMs: 1_000,
        result: { resultType: "complete", ...resultOf(isError, value) }
      }
    }),
    output: (message) => reader(gen2.response)(message).result.result
  }
}

/** A codec of one generation, which notes in `wire` what it carried. */
export const loopback = (generation: Generation, wire: Array<Message>): CallCodec => {
  const form = forms[generation]
  const carry = (kind: Message["kind"], tool: string, message: unknown): unknown => {
    const bytes = new TextEncoder().encode(JSON.stringify(message))
    wire.push({ kind, tool, bytes })
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  }
  return {
    request: (tool, input) => form.input(carry("request", tool, form.request(wire.length, tool, input))),
    response: (tool, isError, value) => {
      const message = form.response(wire.length, isError, value)
      const read = form.output(carry(isError ? "error" : "result", tool, message))
      if (read.isError !== isError) throw new Error("an error came back as a result, or the other way round")
      return read.structuredContent
    }
  }
}
