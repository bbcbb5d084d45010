/**
 * Which process may write a run's log, and since which takeover.
 *
 * Every batch carries the epoch its writer believes in, and the store refuses a batch of an older one: a process that
 * was stopped and woke up late can write nothing. There are no per-task leases.
 *
 * `layerSingle` is for a store only one process can open. A cluster's layer answers per run.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskId } from "./Task.ts"
import { type StoreError, type StoreHead, TaskStore } from "./TaskStore.ts"

export class Ownership extends Context.Service<Ownership, {
  /** Whether this process may write the run's log now. */
  readonly owns: (run: TaskId) => boolean
  /** The epoch this process writes under. */
  readonly epoch: number
  /** Where the log stood when ownership was taken. */
  readonly head: StoreHead
}>()("@coppice/task/Ownership") {}

/** One process owns every run: opening the store raises its epoch, which fences every earlier owner. */
export const layerSingle: Layer.Layer<Ownership, StoreError, TaskStore> = Layer.effect(
  Ownership,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const head = yield* store.open
    return { owns: () => true, epoch: head.epoch, head }
  })
)
