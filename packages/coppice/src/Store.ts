/**
 * Opens the store a URL names: `memory:` or `sqlite:PATH`.
 */
import * as Database from "@coppice/sqlite/Database"
import type { DatabaseError } from "@coppice/sqlite/DatabaseError"
import * as FileOwner from "@coppice/sqlite/FileOwner"
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import * as SqlTaskStore from "@coppice/task/SqlTaskStore"
import { StoreError, type StoreErrorReason, type TaskStore } from "@coppice/task/TaskStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** Where a service keeps its log when nothing else is said. */
export const defaultUrl = "sqlite:.coppice/coppice.db"

const known = new Set<string>(["Locked", "Corrupt", "NewerSchema", "DiskFull", "ReadOnly", "Io", "Busy"])

const toStoreError = (error: DatabaseError): StoreError =>
  new StoreError({
    reason: known.has(error.reason._tag) ? error.reason._tag as StoreErrorReason : "Other",
    message: error.message,
    cause: error
  })

const sqlite = (path: string, synchronous: "FULL" | "NORMAL"): Layer.Layer<TaskStore, StoreError> =>
  SqlTaskStore.layer.pipe(
    Layer.provide(
      Layer.effect(
        SqlTaskStore.SqlDriver,
        Effect.mapError(
          Effect.andThen(FileOwner.acquire(path), Database.open({ path, synchronous })),
          toStoreError
        )
      )
    )
  )

/**
 * The store behind a URL.
 *
 * **Details**
 *
 * One process owns a SQLite file: a second one fails with `Locked`. `synchronous` is `FULL` unless said otherwise: what
 * is acknowledged survives a power cut. `NORMAL` survives the death of the process only, and is for measurements.
 */
export const layer = (
  url: string,
  options?: { readonly synchronous?: "FULL" | "NORMAL" | undefined }
): Layer.Layer<TaskStore, StoreError> => {
  if (url === "memory:") return MemoryTaskStore.layerMemory
  const path = url.startsWith("sqlite:") ? url.slice("sqlite:".length) : ""
  if (path !== "") {
    return path === ":memory:" ? MemoryTaskStore.layerMemory : sqlite(path, options?.synchronous ?? "FULL")
  }
  const message = /^postgres(ql)?:/.test(url)
    ? "Postgres stores are not in this release; use sqlite:PATH or memory:"
    : `"${url}" is not a store; use sqlite:PATH or memory:`
  return Layer.effectDiscard(Effect.fail(new StoreError({ reason: "Other", message }))) as never
}
