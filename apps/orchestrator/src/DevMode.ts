/**
 * What `coppice dev` adds to a service. Every other service has none of it.
 */
import type { BadRequest, Conflict, NotFound } from "@coppice/api/ApiError"
import type { DevStatus, Fault, FaultRequest } from "@coppice/api/DevApi"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The verbs of the group `dev` of the API. */
interface Verbs {
  readonly status: Effect.Effect<DevStatus>
  readonly fault: (request: FaultRequest) => Effect.Effect<Fault, BadRequest | NotFound>
  readonly clear: (id: string) => Effect.Effect<Fault, NotFound | Conflict>
  readonly clearAll: Effect.Effect<void>
}

/** `undefined` but in `coppice dev`. */
export const DevMode = Context.Reference<Verbs | undefined>("@coppice/orchestrator/DevMode", {
  defaultValue: () => undefined
})
