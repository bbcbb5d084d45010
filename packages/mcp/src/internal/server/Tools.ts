/**
 * Tools that are not agents: they act on tasks, and their calls make none.
 */
import * as Effect from "effect/Effect"
import type { JsonObject } from "effect/Schema"
import type { Peer } from "../../Peer.ts"
import { failedResult } from "./tool.ts"
import { invalidParams, WireError } from "./wireError.ts"

type ToolHandler = (args: JsonObject, peer: Peer) => Effect.Effect<JsonObject, unknown>

export interface Tool {
  readonly descriptor: JsonObject & { readonly name: string }
  readonly handle: ToolHandler
}

export interface Tools {
  readonly descriptors: ReadonlyArray<JsonObject>
  readonly find: (name: string) => ToolHandler | undefined
}

/** The arguments of a tool, and which it cannot do without. */
export const schema = (properties: JsonObject, ...required: ReadonlyArray<string>): JsonObject => ({
  type: "object",
  properties,
  required
})

export const none: Tools = { descriptors: [], find: () => undefined }

/** The tools of both. */
export const both = (one: Tools, other: Tools): Tools => ({
  descriptors: [...one.descriptors, ...other.descriptors],
  find: (name) => one.find(name) ?? other.find(name)
})

/** What a model got wrong it is told as a result, so that it can mend it. */
const correctable = (handle: ToolHandler): ToolHandler => (args, peer) =>
  Effect.catchIf(
    handle(args, peer),
    (error): error is WireError => error instanceof WireError && error.code === invalidParams,
    ({ message }) => Effect.succeed(failedResult(message))
  )

export const makeTools = (tools: ReadonlyArray<Tool>): Tools => {
  const byName = new Map(tools.map((tool) => [tool.descriptor.name, correctable(tool.handle)]))
  return { descriptors: tools.map(({ descriptor }) => descriptor), find: (name) => byName.get(name) }
}
