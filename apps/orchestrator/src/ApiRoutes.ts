/**
 * The HTTP contract over the running service: every group, the guard, the checks in front of them, and what is served
 * beside the contract.
 */
import { Api, openApiPath } from "@coppice/api/Api"
import * as ApiError from "@coppice/api/ApiError"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerError } from "effect/http/HttpServerError"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as AgentRoutes from "./AgentRoutes.ts"
import * as AuditRoutes from "./AuditRoutes.ts"
import * as Authorizer from "./Authorizer.ts"
import { Blockers } from "./Blockers.ts"
import * as ConsoleRoutes from "./ConsoleRoutes.ts"
import * as DevRoutes from "./DevRoutes.ts"
import * as EventRoutes from "./EventRoutes.ts"
import * as Guard from "./Guard.ts"
import * as InboxRoutes from "./InboxRoutes.ts"
import * as LinkRoutes from "./LinkRoutes.ts"
import { Listener } from "./Listener.ts"
import * as MessageRoutes from "./MessageRoutes.ts"
import * as Security from "./Security.ts"
import * as ServiceRoutes from "./ServiceRoutes.ts"
import * as SessionRoutes from "./SessionRoutes.ts"
import * as TaskRoutes from "./TaskRoutes.ts"

const notFound = (request: HttpServerRequest): HttpServerResponse.HttpServerResponse =>
  Security.toResponse(ApiError.make("route_not_found", {
    message: `There is nothing at ${request.method} ${request.url.split("?")[0]!.slice(0, 200)}`,
    fix: `GET ${openApiPath} describes what there is`
  }))

const isRouteNotFound = (error: unknown): boolean =>
  error instanceof HttpServerError && error.reason._tag === "RouteNotFound"

/** Refuses foreign names and pages before anything is routed, and dresses every answer. */
const checks = HttpRouter.middleware(
  Effect.gen(function*() {
    const listener = yield* Listener
    return (handler) =>
      Effect.gen(function*() {
        const request = yield* HttpServerRequest
        const refused = Security.inspect(request, listener.authorities)
        if (refused !== undefined) return refused
        const response = yield* Effect.catchIf(handler, isRouteNotFound, () => Effect.succeed(notFound(request)))
        const challenge = response.status === 401 ? { "www-authenticate": "Bearer" } : {}
        return HttpServerResponse.setHeaders(response, {
          ...Security.responseHeaders,
          ...challenge,
          ...response.headers
        })
      })
  }),
  { global: true }
)

const contract = HttpApiBuilder.layer(Api, { openapiPath: openApiPath }).pipe(
  Layer.provide(Layer.mergeAll(
    TaskRoutes.layer,
    InboxRoutes.layer,
    AgentRoutes.layer,
    EventRoutes.layer,
    AuditRoutes.layer,
    ServiceRoutes.layer,
    DevRoutes.layer,
    SessionRoutes.layer,
    MessageRoutes.layer,
    LinkRoutes.layer
  )),
  Layer.provide(Layer.mergeAll(Guard.layer, Authorizer.layer, Blockers.layer))
)

/** Every route. */
export const layer = Layer.mergeAll(contract, ConsoleRoutes.layer, checks)
