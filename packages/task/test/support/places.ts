/**
 * Where the stores of the tests live.
 */
import * as Database from "@coppice/sqlite/Database"
import * as FileOwner from "@coppice/sqlite/FileOwner"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as MemoryTaskStore from "../../src/MemoryTaskStore.ts"
import * as SqlTaskStore from "../../src/SqlTaskStore.ts"
import { StoreError } from "../../src/TaskStore.ts"
import type { Place } from "../../src/testing/StorePlace.ts"

/** A folder for one test, deleted with its scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-task-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const toStoreError = (cause: { readonly message: string; readonly reason: { readonly _tag: string } }) =>
  new StoreError({ reason: cause.reason._tag as StoreError["reason"], message: cause.message, cause })

/** The SQL store over one SQLite file. */
export const sqlite = (options: Database.Options) =>
  SqlTaskStore.layer.pipe(
    Layer.provide(Layer.effect(SqlTaskStore.SqlDriver, Effect.mapError(Database.open(options), toStoreError)))
  )

/** The same, for one process at a time. */
export const owned = (options: Database.Options) =>
  Layer.provide(sqlite(options), Layer.effectDiscard(Effect.mapError(FileOwner.acquire(options.path), toStoreError)))

export const memoryPlace: Place = Effect.sync(MemoryTaskStore.layerShared)

/** Speed over power cuts: no case pulls the plug. */
export const sqlitePlace: Place = Effect.map(
  folder,
  (path) => sqlite({ path: join(path, "coppice.db"), synchronous: "OFF" })
)
