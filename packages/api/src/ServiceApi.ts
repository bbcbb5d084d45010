/**
 * The service about itself. These need no token: whoever may connect may ask whether it lives.
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Schema from "effect/Schema"
import { UnavailableResponse } from "./ApiError.ts"

/** The process answers. */
export const Health = Schema.Struct({ status: Schema.Literal("ok") })

/** It takes work: the store can be written and the service is not stopping. */
export const Readiness = Schema.Struct({ status: Schema.Literal("ready") })

/** Where the doors are; `null` for one that is not open. */
export const Links = Schema.Struct({
  api: Schema.String,
  openapi: Schema.String,
  events: Schema.String,
  console: Schema.NullOr(Schema.String),
  mcp: Schema.NullOr(Schema.String),
  traces: Schema.NullOr(Schema.String)
})
export type Links = typeof Links.Type

export const Info = Schema.Struct({
  name: Schema.Literal("coppice"),
  version: Schema.String,
  /** The kind of store, without its place: `memory`, `sqlite`. */
  store: Schema.String,
  pid: Schema.Int,
  startedAt: Schema.Finite,
  /** Whether it is `coppice dev`, which answers under `/api/v1/dev`. */
  dev: Schema.Boolean,
  links: Links
})
export type Info = typeof Info.Type

const healthz = HttpApiEndpoint.get("healthz", "/healthz", { success: Health })

const readyz = HttpApiEndpoint.get("readyz", "/readyz", { success: Readiness, error: UnavailableResponse })

const info = HttpApiEndpoint.get("info", "/api/v1/info", { success: Info })

/** The group `service`. */
export class ServiceApi extends HttpApiGroup.make("service").add(healthz, readyz, info) {}

/** What a running service writes to `<data>/service.json`, mode 0600, for the CLI to find it by. */
export const ServiceFile = Schema.Struct({
  url: Schema.String,
  token: Schema.String,
  pid: Schema.Int,
  startedAt: Schema.Finite,
  version: Schema.String
})
export type ServiceFile = typeof ServiceFile.Type
