/**
 * Where the service is in its life, for everything that has to know: health checks, intake, open streams.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

export type Phase = "starting" | "ready" | "stopping"

export class Lifecycle extends Context.Service<Lifecycle, {
  readonly phase: () => Phase
  /** The start is over: work is taken from now on. */
  readonly ready: Effect.Effect<void>
  /** Work is no longer taken; waiting requests and open streams end. */
  readonly stop: Effect.Effect<void>
  /** Waits until `stop`. */
  readonly stopping: Effect.Effect<void>
}>()("@coppice/orchestrator/Lifecycle") {
  static readonly layer: Layer.Layer<Lifecycle> = Layer.effect(
    Lifecycle,
    Effect.gen(function*() {
      const stopping = yield* Deferred.make<void>()
      let phase: Phase = "starting"
      return {
        phase: () => phase,
        ready: Effect.sync(() => {
          if (phase === "starting") phase = "ready"
        }),
        stop: Effect.suspend(() => {
          phase = "stopping"
          return Deferred.succeed(stopping, undefined)
        }),
        stopping: Deferred.await(stopping)
      }
    })
  )
}
