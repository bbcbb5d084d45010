import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Failpoint from "../Failpoint.ts"
import { type Batch, StoreError, type TaskStore } from "../TaskStore.ts"

/** Writes a batch, between the failpoints before and after it. */
export const commit = (store: TaskStore["Service"], batch: Batch): Effect.Effect<void, StoreError> =>
  Failpoint.isArmed() ? withFailpoints(store, batch) : store.commit(batch)

const withFailpoints = (store: TaskStore["Service"], batch: Batch): Effect.Effect<void, StoreError> =>
  Effect.andThen(
    Effect.sync(() => hitAll("before", batch)),
    Effect.andThen(store.commit(batch), Effect.sync(() => hitAll("after", batch)))
  )

const hitAll = (side: "before" | "after", batch: Batch): void => {
  Failpoint.hit(`commit.${side}`)
  for (const { event } of batch.events) Failpoint.hit(`${side}:${event._tag}`)
}

/** What a failed commit means to those who wait for it. */
export const toStoreError = (cause: Cause.Cause<StoreError>): StoreError =>
  Option.getOrElse(
    Cause.findErrorOption(cause),
    () => new StoreError({ reason: "Other", message: unexpected(Cause.squash(cause)), cause: Cause.squash(cause) })
  )

const unexpected = (cause: unknown): string =>
  `The store failed in an unexpected way: ${cause instanceof Error ? cause.message : String(cause)}`
