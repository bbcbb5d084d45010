/**
 * A store that fails and waits when told to: before a write, as a full disk does, or after it, as a connection that is
 * lost at the commit does.
 *
 * `layer` stands between a real store and whoever uses it; the faults are set through `FaultyTaskStore`.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Batch, StoreError, type StoreErrorReason, TaskStore } from "../TaskStore.ts"

type Store = TaskStore["Service"]

/** The operations of the port. */
export type Operation = keyof Store

/** How an operation fails: `after` means it was done and reports that it was not. */
export interface Fault {
  readonly reason: StoreErrorReason
  readonly side?: "before" | "after" | undefined
  /** How often; once unless said otherwise. */
  readonly times?: number | undefined
}

/** One call that waits. */
export interface Pause {
  /** Succeeds once the call waits. */
  readonly reached: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
}

interface Armed {
  readonly reason: StoreErrorReason
  readonly side: "before" | "after"
  left: number
}

interface Waiting {
  readonly side: "before" | "after"
  readonly reached: Deferred.Deferred<void>
  readonly resumed: Deferred.Deferred<void>
}

export class FaultyTaskStore extends Context.Service<FaultyTaskStore, {
  /** Makes the next calls of an operation fail. */
  readonly fail: (operation: Operation, fault: Fault) => void
  /** Takes every fault back. */
  readonly heal: () => void
  /** Makes the next call of an operation wait: `before` its work, or before it answers. */
  readonly pause: (operation: Operation, side?: "before" | "after") => Pause
  /** What the store has really written, in order. */
  readonly written: ReadonlyArray<Batch>
  /** How often an operation was called. */
  readonly calls: (operation: Operation) => number
}>()("@coppice/task/testing/FaultyTaskStore") {}

const makeFaults = () => {
  const written: Array<Batch> = []
  const armed = new Map<Operation, Armed>()
  const pauses = new Map<Operation, Waiting>()
  const counts = new Map<Operation, number>()

  const hit = (operation: Operation, side: "before" | "after"): Effect.Effect<void, StoreError> =>
    Effect.suspend(() => {
      const fault = armed.get(operation)
      if (fault === undefined || fault.side !== side) return Effect.void
      fault.left--
      if (fault.left <= 0) armed.delete(operation)
      return Effect.fail(new StoreError({ reason: fault.reason, message: `${operation} fails ${side} its work` }))
    })

  const wait = (operation: Operation, side: "before" | "after"): Effect.Effect<void> =>
    Effect.suspend(() => {
      const pause = pauses.get(operation)
      if (pause === undefined || pause.side !== side) return Effect.void
      pauses.delete(operation)
      Deferred.doneUnsafe(pause.reached, Effect.void)
      return Deferred.await(pause.resumed)
    })

  const faulty = <A>(operation: Operation, effect: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.gen(function*() {
      counts.set(operation, (counts.get(operation) ?? 0) + 1)
      yield* wait(operation, "before")
      yield* hit(operation, "before")
      const result = yield* effect
      yield* wait(operation, "after")
      yield* hit(operation, "after")
      return result
    })

  const service: FaultyTaskStore["Service"] = {
    fail: (operation, { reason, side = "before", times = 1 }) => armed.set(operation, { reason, side, left: times }),
    heal: () => armed.clear(),
    pause: (operation, side = "after") => {
      const reached = Deferred.makeUnsafe<void>()
      const resumed = Deferred.makeUnsafe<void>()
      pauses.set(operation, { side, reached, resumed })
      return { reached: Deferred.await(reached), resume: Effect.asVoid(Deferred.succeed(resumed, undefined)) }
    },
    written,
    calls: (operation) => counts.get(operation) ?? 0
  }
  return { service, faulty, written }
}

const wrap = (store: Store, { faulty, written }: ReturnType<typeof makeFaults>): Store => {
  const wrapped: Record<string, unknown> = {}
  for (const [name, operation] of Object.entries(store)) {
    const as = name as Operation
    wrapped[name] = Effect.isEffect(operation)
      ? faulty(as, operation as Effect.Effect<unknown, StoreError>)
      : (...args: ReadonlyArray<never>) =>
        faulty(as, (operation as (...args: ReadonlyArray<never>) => Effect.Effect<unknown, StoreError>)(...args))
  }
  const commit = (batch: Batch) =>
    faulty("commit", Effect.tap(store.commit(batch), () => Effect.sync(() => written.push(batch))))
  return { ...wrapped as unknown as Store, commit }
}

/** The store below, with faults. */
export const layer: Layer.Layer<TaskStore | FaultyTaskStore, never, TaskStore> = Layer.effectContext(
  Effect.gen(function*() {
    const faults = makeFaults()
    const store = wrap(yield* TaskStore, faults)
    return Context.make(TaskStore, store).pipe(Context.add(FaultyTaskStore, faults.service))
  })
)
