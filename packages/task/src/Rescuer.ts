/**
 * Brings back what a crash, a stop or a lost message left behind.
 *
 * At the start every active task that is not parked is handed to its worker, oldest first, and every ended but
 * unsettled one is settled: the process that ran it is gone, so it has stopped. A slow sweep does the same again for
 * tasks no worker holds.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settler } from "./Settler.ts"
import type { TaskId } from "./Task.ts"
import { TaskLog } from "./TaskLog.ts"
import { type StoreError, type TaskRow, TaskStore } from "./TaskStore.ts"
import { Workers } from "./Worker.ts"

/** How often the sweep looks for lost tasks. */
export const SweepInterval = Context.Reference<Duration.Input>("@coppice/task/Rescuer/SweepInterval", {
  defaultValue: () => "30 seconds"
})

export class Rescuer extends Context.Service<Rescuer, {
  /** One pass over the store; returns how many tasks were handed back to a worker. */
  readonly sweep: Effect.Effect<number, StoreError>
}>()("@coppice/task/Rescuer") {}

const page = 1_000

export const layer: Layer.Layer<Rescuer, never, TaskStore | TaskLog | Workers | Settler> = Layer.effect(
  Rescuer,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const log = yield* TaskLog
    const workers = yield* Workers
    const settler = yield* Settler

    const bringBack = (row: TaskRow): boolean => {
      const worker = workers.find(row.state.agent)
      if (worker === undefined || log.resident(row.state.id)?.held === true) return false
      worker.resume(log.adopt(row))
      return true
    }

    const settleLost = Effect.gen(function*() {
      const rows = (yield* store.unsettled(page)).filter((row) => log.resident(row.state.id) === undefined)
      const entries = rows.map((row) => log.adopt(row))
      for (const entry of entries) settler.settle(entry, "stopped")
    })

    const sweep = Effect.gen(function*() {
      yield* settleLost
      let cursor: TaskId | undefined
      let count = 0
      while (true) {
        const rows = yield* store.runnable(cursor, page)
        for (const row of rows) if (bringBack(row)) count++
        cursor = rows.at(-1)?.state.id
        if (rows.length < page) return count
        yield* Effect.yieldNow
      }
    })

    yield* Effect.andThen(Effect.flatMap(SweepInterval, Effect.sleep), Effect.ignore(sweep)).pipe(
      Effect.forever,
      Effect.forkScoped
    )
    return { sweep }
  })
)
