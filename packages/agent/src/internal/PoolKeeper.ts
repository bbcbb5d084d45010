import { type Measure, softKey } from "@coppice/task/Budget"
import * as Pools from "@coppice/task/Pools"
import type { TaskId } from "@coppice/task/Task"
import { type Envelope, isEnding } from "@coppice/task/TaskEvent"
import type { Entry, TaskLog } from "@coppice/task/TaskLog"
import type { TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"

type Retry = () => void

/**
 * Keeps the owners of budgets in memory while something below them may draw from them, and those that wait for a person to
 * allow more.
 */
export class PoolKeeper {
  private readonly log: TaskLog["Service"]
  private readonly store: TaskStore["Service"]
  private readonly pinned = new Map<TaskId, ReadonlyArray<Entry>>()
  private readonly waiting = new Map<TaskId, Array<Retry>>()

  constructor(log: TaskLog["Service"], store: TaskStore["Service"]) {
    this.log = log
    this.store = store
  }

  /** The task begins: who made it has the owners in memory. */
  hold({ state }: Entry): void {
    if (Pools.poolOf(state) === undefined || this.pinned.has(state.id)) return
    this.pinned.set(state.id, Pools.owners(this.log, state).map((owner) => this.log.adopt(owner)))
  }

  /** The task comes back: brings the owners into memory before anything else happens. */
  with<A, E>({ state }: Entry, effect: Effect.Effect<A, E>) {
    if (Pools.poolOf(state) === undefined || this.pinned.has(state.id)) return effect
    const acquired = Effect.map(Pools.acquire(this.log, this.store, state), (owners) => {
      this.pinned.set(state.id, owners)
    })
    return Effect.andThen(acquired, effect)
  }

  drop(id: TaskId): void {
    for (const owner of this.pinned.get(id) ?? []) this.log.release(owner)
    this.pinned.delete(id)
  }

  /** Asks a person whether the owner's budget may be used further, and calls back when that may have changed. */
  ask(owner: TaskId, measure: Measure, retry: Retry): void {
    const waiting = this.waiting.get(owner)
    if (waiting === undefined) this.waiting.set(owner, [retry])
    else waiting.push(retry)
    const entry = this.log.resident(owner)
    if (entry !== undefined) this.log.dispatch(entry, { _tag: "AskForMore", measure })
  }

  /** Facts that may be what somebody waits for. */
  readonly committed = (events: ReadonlyArray<Envelope>): void => {
    if (this.waiting.size === 0) return
    for (const { event, task } of events) {
      const isAnswer = event._tag === "InputReceived" && event.key === softKey
      if (!isAnswer && !isEnding(event._tag) && event._tag !== "Steered") continue
      const waiting = this.waiting.get(task) ?? []
      this.waiting.delete(task)
      for (const retry of waiting) retry()
    }
  }
}
