/**
 * A folder for one test, deleted with its scope.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const make = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "coppice-test-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** The URL of a store that does not exist yet. */
export const sqliteUrl = Effect.map(make, (folder) => `sqlite:${join(folder, "below", "coppice.db")}`)
