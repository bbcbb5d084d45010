/**
 * Records how ended tasks come to rest, leaves first.
 *
 * A cancellation sets the status of a whole subtree in one commit; each node is settled when nothing of it runs any
 * more *and* none of its children is unsettled (I11). Whoever ran the node says `settle`; this waits for the children.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isTerminal, type Settlement, type TaskId } from "./Task.ts"
import { type Entry, TaskLog } from "./TaskLog.ts"

export class Settler extends Context.Service<Settler, {
  /** Nothing of this ended task runs any more. Takes over the caller's pin. */
  readonly settle: (entry: Entry, how: Settlement) => void
  /** Calls back once no resident child of the task is unsettled; at once when there is none. */
  readonly whenChildrenSettled: (id: TaskId, callback: () => void) => void
}>()("@coppice/task/Settler") {}

export const layer: Layer.Layer<Settler, never, TaskLog> = Layer.effect(
  Settler,
  Effect.gen(function*() {
    const log = yield* TaskLog
    const waiting = new Map<TaskId, Array<() => void>>()

    const whenChildrenSettled = (id: TaskId, callback: () => void): void => {
      if (log.liveChildren(id).length === 0) return callback()
      const callbacks = waiting.get(id)
      if (callbacks === undefined) waiting.set(id, [callback])
      else callbacks.push(callback)
    }

    const childSettled = (parent: TaskId): void => {
      const callbacks = waiting.get(parent)
      if (callbacks === undefined || log.liveChildren(parent).length > 0) return
      waiting.delete(parent)
      for (const callback of callbacks) callback()
    }

    const settle = (entry: Entry, how: Settlement): void => {
      whenChildrenSettled(entry.state.id, () => {
        if (isTerminal(entry.state.status) && entry.state.settlement === null) {
          log.dispatch(entry, { _tag: "Settle", how, took: log.now() - (entry.state.endedAt ?? log.now()) })
          if (entry.state.parent !== null) childSettled(entry.state.parent)
        }
        log.release(entry)
      })
    }

    const stop = log.onCommit((events) => {
      if (waiting.size === 0) return
      for (const { event, task } of events) {
        if (event._tag === "Completed" || event._tag === "Failed") {
          const parent = log.resident(task)?.state.parent
          if (parent !== undefined && parent !== null) childSettled(parent)
        }
      }
    })
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    return { settle, whenChildrenSettled }
  })
)
