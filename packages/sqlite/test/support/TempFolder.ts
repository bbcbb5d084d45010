/**
 * A folder for one test, deleted with its scope.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Makes a folder whose path is free of symbolic links and machine names. */
export const make = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-sqlite-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)
