/**
 * A place a store lives in, opened, closed and opened again.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { type StoreError, TaskStore } from "../TaskStore.ts"
import { Ledger } from "./Ledger.ts"

/** Makes an empty place; the layer opens the store there, and opens it again when it is built again. */
export type Place = Effect.Effect<Layer.Layer<TaskStore, StoreError>, never, Scope.Scope>

/** An opened store and a ledger that writes to it. */
export interface Opened {
  readonly store: TaskStore["Service"]
  readonly ledger: Ledger
  /** Writes what the ledger has. */
  readonly commit: Effect.Effect<void, StoreError>
  /** Closes the store and opens it anew, as a new process would. */
  readonly reopen: Effect.Effect<Opened, StoreError, Scope.Scope>
  /** Opens the store a second time while the first goes on, as a process that takes over would. */
  readonly takeOver: Effect.Effect<Opened, StoreError, Scope.Scope>
}

const build = (layer: Layer.Layer<TaskStore, StoreError>): Effect.Effect<Opened, StoreError, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Scope.fork(yield* Scope.Scope)
    const context = yield* Layer.buildWithScope(Layer.fresh(layer), scope)
    const store = Context.get(context, TaskStore)
    const ledger = new Ledger(yield* store.open)
    return {
      store,
      ledger,
      commit: Effect.suspend(() => store.commit(ledger.take())),
      reopen: Effect.andThen(Scope.close(scope, Exit.void), build(layer)),
      takeOver: build(layer)
    }
  })

/** A store in a place of its own, open. */
export const opened = (place: Place): Effect.Effect<Opened, StoreError, Scope.Scope> => Effect.flatMap(place, build)
