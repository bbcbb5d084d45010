/**
 * Forgets runs whose retention is over, a few at a time, so that pruning never holds up a commit for long.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TaskLog } from "./TaskLog.ts"
import { Tasks } from "./Tasks.ts"
import { type StoreError, TaskStore } from "./TaskStore.ts"

/** How often expired runs are looked for. */
export const PruneInterval = Context.Reference<Duration.Input>("@coppice/task/Pruner/PruneInterval", {
  defaultValue: () => "1 minute"
})

export class Pruner extends Context.Service<Pruner, {
  /** Deletes every expired run; returns how many runs went. A run that still has something running is left. */
  readonly prune: Effect.Effect<number, StoreError>
}>()("@coppice/task/Pruner") {}

const page = 100

export const layer: Layer.Layer<Pruner, never, TaskStore | TaskLog | Tasks> = Layer.effect(
  Pruner,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const tasks = yield* Tasks
    const prune = Effect.gen(function*() {
      const runs = yield* store.expired(log.now(), page)
      let count = 0
      for (const run of runs) {
        count += yield* tasks.delete(run).pipe(
          Effect.as(1),
          Effect.catchTags({ StillRunning: () => Effect.succeed(0), TaskNotFound: () => Effect.succeed(0) })
        )
        yield* Effect.yieldNow
      }
      return count
    })
    yield* Effect.andThen(Effect.flatMap(PruneInterval, Effect.sleep), Effect.ignore(prune)).pipe(
      Effect.forever,
      Effect.forkScoped
    )
    return { prune }
  })
)
