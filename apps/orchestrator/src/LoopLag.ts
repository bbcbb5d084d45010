/**
 * How late the event loop is, as a metric: what one task's code does to all others.
 */
import { metric } from "@coppice/task/Telemetry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"

/** How often it is looked at, milliseconds. A block shorter than this may go unseen. */
const period = 50

/** Milliseconds beyond which a timer was late, for every look at it. */
export const lag = Metric.histogram(metric.eventLoopLag, {
  description: "How late a timer fired, milliseconds",
  boundaries: [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000]
})

/**
 * Measures while it stands. A timer of its own and not `monitorEventLoopDelay`: that one forgets, each time it is read and
 * set back, a block that begins right then.
 */
export const layer: Layer.Layer<never> = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.context().pipe(Effect.map((context) => {
      const update = Effect.runSyncWith(context)
      let last = performance.now()
      const timer = setInterval(() => {
        const now = performance.now()
        update(Metric.update(lag, Math.max(0, now - last - period)))
        last = now
      }, period)
      return timer.unref()
    })),
    (timer) => Effect.sync(() => clearInterval(timer))
  )
)
