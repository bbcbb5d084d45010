/**
 * The service about itself: health, readiness, where its doors are.
 */
import { Api, openApiPath } from "@coppice/api/Api"
import * as ApiError from "@coppice/api/ApiError"
import type { Info } from "@coppice/api/ServiceApi"
import { TaskLog } from "@coppice/task/TaskLog"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { unavailable } from "./ApiErrors.ts"
import { isBuilt, Site } from "./ConsoleRoutes.ts"
import { DevMode } from "./DevMode.ts"
import { Lifecycle } from "./Lifecycle.ts"

/** What this service says about itself. */
export class Identity extends Context.Service<Identity, {
  readonly url: string
  readonly store: "memory" | "sqlite"
  readonly startedAt: number
  readonly traces: string | null
}>()("@coppice/orchestrator/ServiceRoutes/Identity") {}

/** The release. */
export const version = "0.0.0"

export const layer = HttpApiBuilder.group(
  Api,
  "service",
  Effect.fn(function*(handlers) {
    const identity = yield* Identity
    const lifecycle = yield* Lifecycle
    const log = yield* TaskLog
    const site = yield* Site
    const isDev = (yield* DevMode) !== undefined

    const readiness = Effect.gen(function*() {
      const phase = lifecycle.phase()
      if (phase !== "ready") {
        return yield* ApiError.make("stopping", { message: `The service is ${phase}`, retryAfter: 2 })
      }
      if (log.trouble !== undefined) return yield* unavailable(log.trouble)
      return { status: "ready" as const }
    })

    const info = Effect.sync((): Info => ({
      name: "coppice",
      version,
      store: identity.store,
      pid: process.pid,
      startedAt: identity.startedAt,
      dev: isDev,
      links: {
        api: `${identity.url}/api/v1`,
        openapi: `${identity.url}${openApiPath}`,
        events: `${identity.url}/api/v1/events`,
        console: isBuilt(site) ? `${identity.url}/` : null,
        mcp: `${identity.url}/mcp`,
        traces: identity.traces
      }
    }))

    return handlers.handleAll({
      healthz: () => Effect.succeed({ status: "ok" as const }),
      readyz: () => readiness,
      info: () => info
    })
  })
)
