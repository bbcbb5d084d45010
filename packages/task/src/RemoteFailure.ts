/**
 * What the agents of foreign MCP servers fail with when the tool itself said that it failed (`isError`).
 */
import * as Schema from "effect/Schema"

/** `content` are MCP content blocks, as the tool sent them; `message` is their text. */
export const RemoteFailure = Schema.Struct({
  _tag: Schema.tag("RemoteFailure"),
  message: Schema.String,
  content: Schema.Array(Schema.Json)
})
export type RemoteFailure = typeof RemoteFailure.Type
