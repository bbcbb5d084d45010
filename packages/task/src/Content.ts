/**
 * What an agent may return instead of plain data: MCP's content blocks, passed on to hosts as they are.
 *
 * An agent whose output schema is `Result` decides itself what a host sees: text, images, audio, resources and links to
 * them. Every other agent's output becomes one block of text and structured content. Shapes follow MCP 2025-11-25 and
 * 2026-07-28, `CallToolResult`.
 */
import * as Schema from "effect/Schema"

const annotations = {
  annotations: Schema.optionalKey(Schema.JsonObject),
  _meta: Schema.optionalKey(Schema.JsonObject)
}

/** Text or, in base 64, bytes, under an address. */
export const ResourceContents = Schema.Struct({
  uri: Schema.String,
  mimeType: Schema.optionalKey(Schema.String),
  text: Schema.optionalKey(Schema.String),
  blob: Schema.optionalKey(Schema.String),
  _meta: Schema.optionalKey(Schema.JsonObject)
})
export type ResourceContents = typeof ResourceContents.Type

/** One piece of content. `data` is base 64. */
export const Block = Schema.Union([
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String, ...annotations }),
  Schema.Struct({ type: Schema.Literal("image"), data: Schema.String, mimeType: Schema.String, ...annotations }),
  Schema.Struct({ type: Schema.Literal("audio"), data: Schema.String, mimeType: Schema.String, ...annotations }),
  Schema.Struct({ type: Schema.Literal("resource"), resource: ResourceContents, ...annotations }),
  Schema.Struct({
    type: Schema.Literal("resource_link"),
    uri: Schema.String,
    name: Schema.String,
    title: Schema.optionalKey(Schema.String),
    description: Schema.optionalKey(Schema.String),
    mimeType: Schema.optionalKey(Schema.String),
    size: Schema.optionalKey(Schema.Finite),
    ...annotations
  })
])
export type Block = typeof Block.Type

/** A whole result. `isError` tells the model that the work failed in a way it may react to. */
export const Result = Schema.Struct({
  content: Schema.Array(Block),
  structuredContent: Schema.optionalKey(Schema.Json),
  isError: Schema.optionalKey(Schema.Boolean),
  _meta: Schema.optionalKey(Schema.JsonObject)
}).annotate({ identifier: "ContentResult" })
export type Result = typeof Result.Type

/** Text, as a block. */
export const text = (text: string): Block => ({ type: "text", text })

/** An image, base 64. */
export const image = (data: string, mimeType: string): Block => ({ type: "image", data, mimeType })

/** Sound, base 64. */
export const audio = (data: string, mimeType: string): Block => ({ type: "audio", data, mimeType })

/** A resource, contained in the result. */
export const resource = (resource: ResourceContents): Block => ({ type: "resource", resource })

/** A result of these blocks. */
export const result = (...content: ReadonlyArray<Block>): Result => ({ content })
