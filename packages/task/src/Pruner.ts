/**
 * Forgets runs whose retention is over, a few at a time, so that pruning never holds up a commit for long.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskId } from "./Task.ts"
import { TaskLog } from "./TaskLog.ts"
import { Tasks } from "./Tasks.ts"
import { type StoreError, TaskStore } from "./TaskStore.ts"

/** How often expired runs are looked for. */
export const PruneInterval = Context.Reference<Duration.Input>("@coppice/task/Pruner/PruneInterval", {
  defaultValue: () => "1 minute"
})

/** How long it is known who decided what. */
export const AuditRetention = Context.Reference<Duration.Input>("@coppice/task/Pruner/AuditRetention", {
  defaultValue: () => "365 days"
})

export class Pruner extends Context.Service<Pruner, {
  /** Deletes every expired run and entry of the audit; returns how many runs went. A run that still runs is left. */
  readonly prune: Effect.Effect<number, StoreError>
}>()("@coppice/task/Pruner") {}

const page = 100

export const layer: Layer.Layer<Pruner, never, TaskStore | TaskLog | Tasks> = Layer.effect(
  Pruner,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const tasks = yield* Tasks
    const forget = (run: TaskId) =>
      tasks.delete(run).pipe(
        Effect.as(true),
        Effect.catchTags({ StillRunning: () => Effect.succeed(false), TaskNotFound: () => Effect.succeed(false) })
      )
    const auditRetention = Duration.toMillis(yield* AuditRetention)
    const prune = Effect.gen(function*() {
      yield* store.forgetAudit(log.now() - auditRetention)
      const kept = new Set<TaskId>()
      let count = 0
      while (true) {
        const found = yield* store.expired(log.now(), page + kept.size)
        const runs = found.filter((run) => !kept.has(run))
        for (const run of runs) {
          if (yield* forget(run)) count++
          else kept.add(run)
          yield* Effect.yieldNow
        }
        if (runs.length < page) return count
      }
    })
    yield* Effect.andThen(Effect.flatMap(PruneInterval, Effect.sleep), Effect.ignore(prune)).pipe(
      Effect.forever,
      Effect.forkScoped
    )
    return { prune }
  })
)
