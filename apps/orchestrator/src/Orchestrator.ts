/**
 * The service as one layer.
 *
 * ```text
 *   store ─► port ─► engine, agents ─► durable spans ─► routes ─► service.json ─► ready
 * ```
 *
 * Each stands before the next begins, and they stop in reverse: first nobody new finds the service, then requests end,
 * then handlers are parked, then what is open in the log is written, last the store is closed.
 */
import * as McpHttp from "@coppice/mcp/McpHttp"
import * as McpServer from "@coppice/mcp/McpServer"
import * as Seal from "@coppice/mcp/Seal"
import { CodeVersion } from "@coppice/task/CodeVersion"
import { People } from "@coppice/task/People"
import type { StoreError, TaskStore } from "@coppice/task/TaskStore"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Runtime from "coppice/Orchestrator"
import { toPeople } from "coppice/People"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Json } from "effect/Schema"
import { AnswerLinks } from "./AnswerLinks.ts"
import * as ApiRoutes from "./ApiRoutes.ts"
import { Blockers } from "./Blockers.ts"
import * as Callers from "./Callers.ts"
import type { Definition } from "./Definition.ts"
import * as DurableSpans from "./DurableSpans.ts"
import { Lifecycle } from "./Lifecycle.ts"
import { Listener } from "./Listener.ts"
import * as McpRoutes from "./McpRoutes.ts"
import { Refusals } from "./Refusals.ts"
import { Token } from "./Security.ts"
import * as ServiceFile from "./ServiceFile.ts"
import { Identity, version } from "./ServiceRoutes.ts"
import type { Settings } from "./Settings.ts"
import type { StartError } from "./StartError.ts"
import * as Store from "./Store.ts"
import * as Telemetry from "./Telemetry.ts"
import * as Webhooks from "./Webhooks.ts"
import { WebhookSender } from "./WebhookSender.ts"

/** What a running service offers to whoever launched it. */
export type Services = AnswerLinks | Lifecycle | Listener | Token | Identity | Runtime.Services

const identity = (settings: Settings) =>
  Layer.effect(
    Identity,
    Effect.gen(function*() {
      const { url } = yield* Listener
      return {
        url,
        store: settings.store === "memory:" ? "memory" as const : "sqlite" as const,
        startedAt: yield* Clock.currentTimeMillis,
        traces: null
      }
    })
  )

/** Opens the doors: routes first, then the file that tells the CLI, then readiness. */
const opening = (settings: Settings) =>
  Layer.effectDiscard(Effect.gen(function*() {
    const listener = yield* Listener
    const token = yield* Token
    const { startedAt } = yield* Identity
    yield* listener.open
    yield* ServiceFile.publish(settings.data, {
      url: listener.url,
      token: Redacted.value(token),
      pid: process.pid,
      startedAt,
      version
    })
    yield* (yield* Lifecycle).ready
  }))

const serving = HttpRouter.serve(ApiRoutes.layer, {
  disableLogger: true,
  disableListenLog: true,
  // ids are 20 characters, names up to 128
  routerConfig: { maxParamLength: 256 }
}).pipe(Layer.provide(NodeHttpServer.layerHttpServices))

/** The agents as MCP tools, and what the configuration offers beside them. */
const mcp = ({ orchestrator }: Pick<Definition, "orchestrator">) =>
  McpHttp.layer.pipe(
    Layer.provideMerge(Layer.unwrap(Effect.map(Blockers, (blockers) =>
      McpServer.layer({
        offer: orchestrator.options.mcp ?? {},
        version,
        why: (id) => Effect.map(blockers.why(id), (why) => why as unknown as Json)
      })))),
    Layer.provide(Blockers.layer),
    Layer.provide(Seal.layer)
  )

const webhooks = ({ orchestrator }: Pick<Definition, "orchestrator">) =>
  Layer.provide(Webhooks.layer(orchestrator.options.webhooks ?? {}), WebhookSender.layer)

/** What has to be right before anything is opened. */
const preparation = (settings: Settings) =>
  Layer.effectDiscard(
    Effect.andThen(ServiceFile.prepare(settings.data), ServiceFile.refuseSecond(settings.data))
  )

/** The service of a definition over a store. */
export const layerOver = <E, R>(
  store: Layer.Layer<TaskStore, E, R>,
  definition: Pick<Definition, "orchestrator">,
  settings: Settings
): Layer.Layer<Services, StartError | StoreError | E, R> =>
  opening(settings).pipe(
    Layer.provideMerge(serving),
    Layer.provideMerge(webhooks(definition)),
    Layer.provideMerge(AnswerLinks.layer.pipe(Layer.provide(Seal.layer))),
    Layer.provideMerge(McpRoutes.layer(settings)),
    Layer.provideMerge(mcp(definition)),
    Layer.provideMerge(Refusals.layer),
    Layer.provideMerge(DurableSpans.layer),
    Layer.provideMerge(Layer.provide(definition.orchestrator.layer, Layer.succeed(CodeVersion, settings.codeVersion))),
    Layer.provideMerge(Telemetry.layer),
    Layer.provideMerge(identity(settings)),
    Layer.provideMerge(Listener.layer(settings)),
    Layer.provideMerge(store),
    Layer.provideMerge(Layer.succeed(People, toPeople(definition.orchestrator.options.people ?? {}))),
    Layer.provideMerge(Callers.layer(definition.orchestrator.options.people)),
    Layer.provideMerge(Token.layer(settings.data)),
    Layer.provideMerge(preparation(settings)),
    Layer.provideMerge(Lifecycle.layer)
  )

/** The service of a definition under these settings. */
export const layer = (
  definition: Pick<Definition, "orchestrator">,
  settings: Settings
): Layer.Layer<Services, StartError | StoreError> => layerOver(Store.layer(settings.store), definition, settings)
