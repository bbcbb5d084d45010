/**
 * Forgets runs whose retention is over: many with one commit, and never so many that another commit has to wait for long.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskId } from "./Task.ts"
import { TaskLog } from "./TaskLog.ts"
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

/** Runs that are looked for at once. */
const page = 1_000

export const layer: Layer.Layer<Pruner, never, TaskStore | TaskLog> = Layer.effect(
  Pruner,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const auditRetention = Duration.toMillis(yield* AuditRetention)
    const prune = Effect.gen(function*() {
      yield* store.forgetAudit(log.now() - auditRetention)
      const left = new Set<TaskId>()
      let count = 0
      while (true) {
        const found = yield* store.expired(log.now(), page + left.size)
        const runs = found.filter((run) => !left.has(run))
        const { kept } = yield* store.deleteRuns(runs)
        for (const run of kept) left.add(run)
        count += runs.length - kept.length
        if (runs.length < page) return count
        yield* Effect.yieldNow
      }
    })
    yield* Effect.andThen(Effect.flatMap(PruneInterval, Effect.sleep), Effect.ignore(prune)).pipe(
      Effect.forever,
      Effect.forkScoped
    )
    return { prune }
  })
)
