import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type FileResult, migrateFile } from "../src/Migrate.ts"
import { MigrateFile } from "./Contracts.ts"
import { attempt, inventoryOf, keep, stepKeeping } from "./Effects.ts"

const diffOf = (result: FileResult) => result.status === "migrated" ? result.diff : { added: 0, removed: 0 }

const failureOf = (result: FileResult): string | null =>
  result.status === "failed" ? `line ${result.reason.line}: ${result.reason.message}` : null

export const MigrateFileLive = MigrateFile.toLayer(({ inventory: ref, path }) =>
  stepKeeping(
    "rewrite",
    { path },
    Effect.gen(function*() {
      const inventory = yield* inventoryOf(ref)
      const source = yield* attempt(() => readFile(join(inventory.root, path), "utf8"))
      const result = migrateFile(inventory, path, source)
      const { added, removed } = diffOf(result)
      return { path, status: result.status, added, removed, failure: failureOf(result), result: yield* keep(result) }
    })
  )
)
