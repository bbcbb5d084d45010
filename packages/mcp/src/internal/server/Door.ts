/**
 * What one connection, or one stateless request, is served with.
 */
import type { Implementation, ServerContext } from "@modelcontextprotocol/server"
import type { JsonObject } from "effect/Schema"
import type { Offer, ResourceTemplate } from "../../Offer.ts"
import type { Peer } from "../../Peer.ts"
import type { Calls } from "./Calls.ts"
import type { Run } from "./Runner.ts"
import type { Tools } from "./Tools.ts"

export interface Door {
  readonly calls: Calls
  readonly offer: Offer
  readonly info: Implementation
  readonly run: Run
  /** Unix milliseconds. */
  readonly now: () => number
  /** How long a call may take before it becomes a task, milliseconds. */
  readonly patience: number
  /** Who is at the other end, without what it can do. */
  readonly caller: Omit<Peer, "capabilities">
  /** Tools beside the agents, for a client that knows tasks or one that does not. */
  readonly tools: (hasTasks: boolean) => Tools
  /** What the caller's own runs leave behind. */
  readonly records: ReadonlyArray<ResourceTemplate>
}

/** A request's `_meta`, without what the SDK has taken out of it. */
export const metaOf = (ctx: ServerContext): JsonObject | null => (ctx.mcpReq._meta as JsonObject | undefined) ?? null
