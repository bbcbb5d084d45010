import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Execution } from "./Execution.ts"
import { LazySet } from "./lazy.ts"

/** The bodies of one execution's steps: they run in the world's time and order, not in the task's. */
export class Bodies {
  private readonly execution: Execution
  private readonly running = new LazySet<Fiber.Fiber<unknown, unknown>>()

  constructor(execution: Execution) {
    this.execution = execution
  }

  run(body: Effect.Effect<unknown, unknown>, context: Context.Context<never>): Fiber.Fiber<unknown, unknown> {
    const { execution, running } = this
    execution.pulse.beat()
    const fiber = execution.server.host.watch(execution, () => Effect.runForkWith(context)(body))
    if (fiber.pollUnsafe() !== undefined) return fiber
    running.add(fiber)
    fiber.addObserver(() => running.delete(fiber))
    return fiber
  }

  /** Tells all that run to stop, and waits for none. */
  stop(): void {
    for (const fiber of [...this.running]) fiber.interruptUnsafe()
  }
}
