import type { JsonObject } from "effect/Schema"

/** A way to the client. */
export interface Stream {
  readonly ask: (method: string, params: JsonObject, signal: AbortSignal) => Promise<unknown>
  readonly tell: (method: string, params: JsonObject) => Promise<void>
}
