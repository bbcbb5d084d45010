/**
 * Rewrites one CommonJS file as an ES module.
 *
 * Pure: the same inventory and source give the same result, on any machine, in any order, as often as one likes. Bad
 * input is an answer (`failed`, with a place in the file), never an exception. Whatever cannot be shown to mean the
 * same is refused; what is rewritten on good evidence but worth a look carries a warning.
 */
import { analyse } from "./internal/Analysis.ts"
import { type Draft, draftOf, finish } from "./internal/Draft.ts"
import { reexportedSite, rewriteExports, rewriteReexport } from "./internal/ExportRewrite.ts"
import { rewriteRequires } from "./internal/ImportRewrite.ts"
import { type DiffStats, diffStats } from "./internal/Patch.ts"
import { selfCheck } from "./internal/SelfCheck.ts"
import { hasUseStrict } from "./internal/Sloppy.ts"
import { rewriteWrapper } from "./internal/WrapperRewrite.ts"
import type { FileFacts, Inventory, Location, Refusal } from "./Inventory.ts"
import { sha256 } from "./Scan.ts"

export interface Warning extends Location {
  readonly code: string
  readonly message: string
  /** A person should look at it; the others are for the record. */
  readonly risky: boolean
}

export interface Migrated {
  readonly status: "migrated"
  readonly path: string
  readonly sourceSha256: string
  readonly code: string
  /** How often each kind of edit was made. */
  readonly changes: Readonly<Record<string, number>>
  readonly warnings: ReadonlyArray<Warning>
  readonly diff: DiffStats
}

/** Nothing to do: JSON, an ES module already, or named `.cjs`. */
export interface Unchanged {
  readonly status: "unchanged"
  readonly path: string
  readonly kind: FileFacts["kind"]
}

export interface Failed {
  readonly status: "failed"
  readonly path: string
  readonly reason: Refusal
}

export type FileResult = Migrated | Unchanged | Failed

export const migrateFile = (inventory: Inventory, path: string, source: string): FileResult => {
  try {
    return attempt(inventory, path, source)
  } catch (error) {
    return failed(path, { code: "internal", message: `the migrator broke: ${String(error)}`, line: 1, column: 1 })
  }
}

const attempt = (inventory: Inventory, path: string, source: string): FileResult => {
  const file = inventory.files[path]
  if (file === undefined) return failedAtStart(path, "unknown-file", "is not in the inventory")
  if (file.sha256 !== sha256(source)) return failedAtStart(path, "source-changed", "has changed since it was scanned")
  if (file.refusal !== null) return failed(path, file.refusal)
  if (file.kind !== "module" && file.kind !== "script") return { status: "unchanged", path, kind: file.kind }
  const analysed = analyse(source)
  if (!analysed.ok) return failed(path, { code: "unparsable", message: analysed.message, ...analysed.location })
  const draft = draftOf(analysed.analysis)
  rewrite(draft, inventory, file)
  const code = finish(draft)
  const problem = selfCheck(inventory, path, analysed.analysis.scopes, code)
  return problem === null ? migrated(file, source, code, draft) : failed(path, problem)
}

/** Where sloppy code writes to what cannot be written, nothing happened; now it throws. */
const noteStrictness = (draft: Draft): void => {
  if (hasUseStrict(draft.analysis.source.program)) return
  const message = "ran in sloppy mode and is strict now: a write that failed silently throws"
  draft.warnings.push({ code: "now-strict", message, risky: false, line: 1, column: 1 })
}

const rewrite = (draft: Draft, inventory: Inventory, file: FileFacts): void => {
  noteStrictness(draft)
  rewriteWrapper(draft)
  const reexported = reexportedSite(draft, inventory, file)
  if (reexported !== null) return rewriteReexport(draft, inventory, file, reexported)
  rewriteRequires(draft, inventory, file)
  rewriteExports(draft, inventory, file)
}

const migrated = (file: FileFacts, source: string, code: string, draft: Draft): Migrated => ({
  status: "migrated",
  path: file.path,
  sourceSha256: file.sha256,
  code,
  changes: Object.fromEntries([...draft.changes].sort(([a], [b]) => a < b ? -1 : 1)),
  warnings: draft.warnings,
  diff: diffStats(source, code)
})

const failed = (path: string, reason: Refusal): Failed => ({ status: "failed", path, reason })

const failedAtStart = (path: string, code: string, message: string): Failed =>
  failed(path, { code, message, line: 1, column: 1 })
