/**
 * Everything that keeps tasks alive in one process, as one layer over a store.
 *
 * What it leaves open is the store and the workers' code: register workers with `Workers`, then run `Rescuer.sweep` once
 * to bring back what an earlier process left behind.
 */
import * as Layer from "effect/Layer"
import * as Ownership from "./Ownership.ts"
import * as Predecessor from "./Predecessor.ts"
import * as Pruner from "./Pruner.ts"
import * as Rescuer from "./Rescuer.ts"
import * as Settler from "./Settler.ts"
import * as TaskLog from "./TaskLog.ts"
import * as Tasks from "./Tasks.ts"
import type { StoreError, TaskStore } from "./TaskStore.ts"
import * as Timers from "./Timers.ts"
import * as Worker from "./Worker.ts"

/** The services of `layer`. */
export type TaskEngine =
  | Ownership.Ownership
  | TaskLog.TaskLog
  | Predecessor.Predecessor
  | Worker.Workers
  | Settler.Settler
  | Tasks.Tasks
  | Rescuer.Rescuer
  | Pruner.Pruner

const background = Layer.mergeAll(Timers.layer, Rescuer.layer, Pruner.layer)

export const layer: Layer.Layer<TaskEngine, StoreError, TaskStore> = background.pipe(
  Layer.provideMerge(Tasks.layer),
  Layer.provideMerge(Settler.layer),
  Layer.provideMerge(Predecessor.layer),
  Layer.provideMerge(TaskLog.layer),
  Layer.provideMerge(Layer.merge(Ownership.layerSingle, Worker.layer))
)
