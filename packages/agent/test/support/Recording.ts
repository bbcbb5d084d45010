/**
 * Stores that remember every commit, so that a test can put a process down after any of them and begin again there.
 */
import { layerMemory } from "@coppice/task/MemoryTaskStore"
import type { TaskId } from "@coppice/task/Task"
import type { Envelope } from "@coppice/task/TaskEvent"
import * as TaskMachine from "@coppice/task/TaskMachine"
import { type Batch, type TaskRow, TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** A memory store that keeps a copy of what was committed. */
export const recording = (
  batches: Array<Batch>,
  before: Layer.Layer<TaskStore> = layerMemory
): Layer.Layer<TaskStore> =>
  Layer.effect(
    TaskStore,
    Effect.map(TaskStore, (store) => ({
      ...store,
      commit: (batch: Batch) => {
        const copy = structuredClone(batch)
        return Effect.tap(store.commit(batch), () => Effect.sync(() => batches.push(copy)))
      }
    }))
  ).pipe(Layer.provide(before))

/** A memory store as the commits left it. */
export const restored = (batches: ReadonlyArray<Batch>): Layer.Layer<TaskStore> =>
  Layer.effect(
    TaskStore,
    Effect.gen(function*() {
      const store = yield* TaskStore
      const { epoch } = yield* store.open
      for (const batch of batches) yield* store.commit({ ...structuredClone(batch), epoch })
      return store
    }).pipe(Effect.orDie)
  ).pipe(Layer.provide(layerMemory))

export const eventsIn = (batches: ReadonlyArray<Batch>): ReadonlyArray<Envelope> =>
  batches.flatMap((batch) => [...batch.events])

export const byTask = (events: ReadonlyArray<Envelope>): ReadonlyMap<TaskId, ReadonlyArray<Envelope>> =>
  Map.groupBy(events, ({ task }) => task)

/** The rows the commits left behind, and the same rows told from the events alone. */
export const rowsOf = (batches: ReadonlyArray<Batch>) => {
  const rows = new Map<TaskId, TaskRow>()
  for (const { changed, created, woken } of batches) {
    for (const row of [...created, ...changed]) rows.set(row.state.id, row)
    for (const id of woken) if (rows.has(id)) rows.set(id, { ...rows.get(id)!, parked: false })
  }
  const told = new Map([...byTask(eventsIn(batches))].map(([id, events]) => [id, TaskMachine.replay(id, events)!]))
  return { rows, told }
}
