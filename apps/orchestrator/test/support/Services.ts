/**
 * Several services that call each other, each to be stopped and started again in its place.
 */
import { Tasks } from "@coppice/task/Tasks"
import type * as Runtime from "coppice/Orchestrator"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { Listener } from "../../src/Listener.ts"
import * as Logging from "../../src/Logging.ts"
import * as Orchestrator from "../../src/Orchestrator.ts"
import { Token } from "../../src/Security.ts"
import { merge } from "../../src/Settings.ts"
import { type Generation, speaking } from "./Generations.ts"
import { folder } from "./Service.ts"

export interface Place {
  readonly data: string
  readonly port: number
}

export type Services = Context.Context<Orchestrator.Services>

/** A service in a scope of its own, to be stopped and started again in its place. */
export const serve = (orchestrator: Runtime.Orchestrator, { data, port }: Place, generation: Generation) =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const settings = merge({ port, data, store: `sqlite:${data}/coppice.db` })
    const layer = Orchestrator.layer({ orchestrator }, settings).pipe(
      Layer.provide(Logging.layer("none")),
      Layer.fresh
    )
    const services: Services = yield* Layer.buildWithScope(layer, scope)
    return { services, stop: Scope.close(scope, Exit.void) }
  }).pipe(Effect.provide(speaking(generation)))

export const place = Effect.map(folder, (data): Place => ({ data, port: 0 }))

export const wayTo = (services: Services, isCoppice = true) => {
  const { url } = Context.get(services, Listener)
  const authorization = `Bearer ${Redacted.value(Context.get(services, Token))}`
  return { url: `${url}/mcp`, headers: { authorization }, isCoppice }
}

export const portOf = (services: Services) => Number(new URL(Context.get(services, Listener).url).port)

/** Looks until it is so. */
export const soon = <A, E>(look: Effect.Effect<A, E>, isSo: (found: A) => boolean) =>
  look.pipe(Effect.filterOrFail(isSo, () => "not yet"), Effect.retry(Schedule.spaced("10 millis")))

/** Once so many tasks of the service run. */
export const running = (services: Services, count: number) =>
  soon(
    Context.get(services, Tasks).list({ limit: 100 }),
    (tasks) => tasks.filter(({ attempt }) => attempt > 0).length >= count
  )

export const named = (services: Services, name: string) =>
  Effect.map(Context.get(services, Tasks).list({ limit: 100 }), (tasks) => tasks.find(({ agent }) => agent === name)!)
