/**
 * The task engine in one process over a store that can fail, and a worker that does what the test says.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Contract } from "../../src/Contract.ts"
import * as MemoryTaskStore from "../../src/MemoryTaskStore.ts"
import { Settler } from "../../src/Settler.ts"
import type { TaskId } from "../../src/Task.ts"
import * as TaskEngine from "../../src/TaskEngine.ts"
import { type Entry, TaskLog } from "../../src/TaskLog.ts"
import { Tasks } from "../../src/Tasks.ts"
import type { StoreError, TaskStore } from "../../src/TaskStore.ts"
import * as FaultyTaskStore from "../../src/testing/FaultyTaskStore.ts"
import { InvalidInput, type Worker, Workers } from "../../src/Worker.ts"

/** The engine over any store, with faults between them. */
export const over = (store: Layer.Layer<TaskStore, StoreError>) =>
  Layer.provideMerge(TaskEngine.layer, Layer.provide(FaultyTaskStore.layer, store))

/** The engine over a store in memory. */
export const layer = Layer.suspend(() => over(MemoryTaskStore.layerMemory))

/** One turn of the event loop, in which the log commits what is open. */
export const turn: Effect.Effect<void> = Effect.callback((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** A contract under this name. */
export const contract = (name: string, options: Partial<Contract> = {}): Contract => ({
  name,
  description: "",
  version: "1",
  kind: "agent",
  input: {},
  output: {},
  error: null,
  policy: "always",
  content: false,
  listed: true,
  concurrency: 1_000,
  queue: 1_000,
  attempts: 3,
  ...options
})

export interface FakeWorker extends Worker {
  /** Tasks handed over and not ended, by id. */
  readonly held: Map<TaskId, Entry>
  /** Ids handed over by `resume`, in order. */
  readonly resumed: Array<TaskId>
  /** Tasks that hear of their end and take their time; the others stop at once. */
  readonly stubborn: Set<TaskId>
  /** Ends a task well and lets go of it. */
  readonly complete: (id: TaskId, result?: Json) => void
  /** Says that nothing of an ended task runs any more. */
  readonly settle: (id: TaskId) => void
  /** Lets go of an active task that waits for the log. */
  readonly park: (id: TaskId) => void
}

/** Registers a worker that holds its tasks until the test ends them. It refuses the input `"bad"`. */
export const work = (name: string, options: Partial<Contract> = {}) =>
  Effect.gen(function*() {
    const log = yield* TaskLog
    const settler = yield* Settler
    const held = new Map<TaskId, Entry>()
    const resumed: Array<TaskId> = []
    const stubborn = new Set<TaskId>()
    const terms = contract(name, options)
    const take = (entry: Entry) => {
      entry.held = true
      held.set(entry.state.id, entry)
    }
    const drop = (id: TaskId): Entry => {
      const entry = held.get(id)!
      held.delete(id)
      entry.held = false
      return entry
    }
    const settle = (id: TaskId) => settler.settle(drop(id), "stopped")
    const worker: FakeWorker = {
      contract: terms,
      accept: (input) =>
        input === "bad"
          ? Effect.fail(new InvalidInput({ agent: name, path: "", message: "bad" }))
          : Effect.succeed(input),
      waiting: () => Math.max(0, held.size - terms.concurrency),
      hasPlace: () => held.size < terms.concurrency,
      whenRoom: (callback) => callback(),
      start: take,
      resume: (entry) => {
        resumed.push(entry.state.id)
        take(entry)
      },
      held,
      resumed,
      stubborn,
      complete: (id, result = "done") => {
        const entry = drop(id)
        log.dispatch(entry, { _tag: "Complete", attempt: entry.state.attempt, result })
        log.release(entry)
      },
      settle,
      park: (id) => {
        const entry = drop(id)
        log.setParked(entry, true)
        log.release(entry)
      }
    }
    const stop = log.onCommit((events) => {
      for (const { event, task } of events) {
        const ends = event._tag === "Cancelled" || event._tag === "Failed"
        if (ends && held.has(task) && !stubborn.has(task)) settle(task)
      }
    })
    yield* Effect.addFinalizer(() => Effect.sync(stop))
    yield* (yield* Workers).register(worker)
    return worker
  })

/** The services a test talks to. */
export interface Services {
  readonly log: TaskLog["Service"]
  readonly tasks: Tasks["Service"]
  readonly faults: FaultyTaskStore.FaultyTaskStore["Service"]
}

/** What a setting needs. */
export type Needs = TaskLog | Tasks | FaultyTaskStore.FaultyTaskStore | Workers | Settler | Scope.Scope

export const services: Effect.Effect<Services, never, TaskLog | Tasks | FaultyTaskStore.FaultyTaskStore> = Effect.gen(
  function*() {
    return { log: yield* TaskLog, tasks: yield* Tasks, faults: yield* FaultyTaskStore.FaultyTaskStore }
  }
)

/** Starts a child below a resident task. */
export const child = (tasks: Tasks["Service"], worker: Worker, parent: Entry, key: string): TaskId =>
  Result.getOrThrow(tasks.submitChild({ parent, key, input: null, worker, deadline: null, onParentExit: "stop" })).state
    .id
