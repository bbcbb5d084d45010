import * as TaskEngine from "@coppice/task/TaskEngine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Store from "../Store.ts"

/** A copy of the file, and of what stands beside it: a log that a service writes is not touched. */
const copied = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = url.replace(/^sqlite:/, "")
      const folder = mkdtempSync(join(tmpdir(), "coppice-replay-"))
      for (const beside of ["", "-wal"]) {
        if (existsSync(path + beside)) copyFileSync(path + beside, join(folder, `copy.db${beside}`))
      }
      return folder
    }),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
  )

/** The verbs over a copy of a SQLite store, which may be in use; gone with the scope. */
export const copyOf = (url: string) =>
  Effect.map(
    copied(url),
    (folder) => TaskEngine.layer.pipe(Layer.provide(Store.layer(`sqlite:${join(folder, "copy.db")}`)))
  )
