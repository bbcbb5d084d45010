/**
 * Brings back what a crash, a stop or a lost message left behind.
 *
 * At the start every active task that is not parked is handed to its worker, oldest first, and every ended but
 * unsettled one is settled: the process that ran it is gone, so it has stopped, unless its worker knows of something that
 * may go on elsewhere. A slow sweep does the same again for tasks no worker holds.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settler } from "./Settler.ts"
import { guardianOf, isTerminal, type TaskId } from "./Task.ts"
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
      if (worker === undefined) return false
      const entry = log.adopt(row)
      // the log may know more than the store
      if (entry.held || entry.parked || isTerminal(entry.state.status)) {
        log.release(entry)
        return false
      }
      worker.resume(entry)
      return true
    }

    const settleLost = (rows: ReadonlyArray<TaskRow>): void => {
      const lost = rows.filter(({ state }) => log.resident(state.id) === undefined)
      const ids = new Set(lost.map(({ state }) => state.id))
      // who is settled brings the tasks below along
      const tops = lost.filter(({ state }) => {
        const guardian = guardianOf(state)
        return guardian === null || !ids.has(guardian)
      })
      const entries = tops.map((row) => log.adopt(row))
      for (const entry of entries) settler.rest(entry)
    }

    const settleAllLost = Effect.gen(function*() {
      // those that cannot settle yet stay in front of the others: look further each time
      for (let limit = page;; limit *= 2) {
        const found = yield* log.reading(Effect.map(store.unsettled(limit), (rows) => {
          settleLost(rows)
          return rows.length
        }))
        if (found < limit) return
        yield* log.barrier
      }
    })

    const resumePage = (rows: ReadonlyArray<TaskRow>) => ({
      resumed: rows.filter(bringBack).length,
      cursor: rows.length < page ? undefined : rows.at(-1)?.state.id
    })

    const sweep = Effect.gen(function*() {
      settler.allKnown()
      yield* settleAllLost
      let cursor: TaskId | undefined
      let count = 0
      do {
        const done = yield* log.reading(Effect.map(store.runnable(cursor, page), resumePage))
        cursor = done.cursor
        count += done.resumed
        yield* Effect.yieldNow
      } while (cursor !== undefined)
      return count
    })

    yield* Effect.andThen(Effect.flatMap(SweepInterval, Effect.sleep), Effect.ignore(sweep)).pipe(
      Effect.forever,
      Effect.forkScoped
    )
    return { sweep }
  })
)
