/**
 * Puts the results of all migrators together: every file of the new package, and nothing on disk yet.
 *
 * A file without a good result is kept as CommonJS, and so is every file in a cycle with it. That is decided here and
 * once more from the results alone, so a migrator that failed, lied or never answered cannot break the others.
 */
import { readFile } from "node:fs/promises"
import { join, posix } from "node:path"
import { loadCycles } from "./internal/Cycles.ts"
import { keepFile, type KeptFile, type Moves, movesOf } from "./internal/Kept.ts"
import { rewriteManifest, rewriteNested } from "./internal/PackageJson.ts"
import type { FileFacts, Inventory, Refusal } from "./Inventory.ts"
import type { FileResult } from "./Migrate.ts"
import { sha256 } from "./Scan.ts"

export interface OutputFile {
  readonly path: string
  /** Null: the file of the original is copied. */
  readonly text: string | null
  readonly executable: boolean
}

export interface Kept {
  readonly path: string
  /** Its new name. */
  readonly as: string
  readonly reason: Refusal
}

export interface OutputTree {
  /** The folder which copies come from. */
  readonly from: string
  readonly files: ReadonlyArray<OutputFile>
  readonly kept: ReadonlyArray<Kept>
}

export interface IntegrateOptions {
  /** Files to leave CommonJS although they could be migrated, for instance because a check of the output failed. */
  readonly keep?: ReadonlyArray<string>
}

export const integrate = async (
  inventory: Inventory,
  results: ReadonlyArray<FileResult>,
  options: IntegrateOptions = {}
): Promise<OutputTree> => {
  const reasons = withPartners(inventory, reasonsToKeep(inventory, results, options.keep ?? []))
  const moved = movesOf(inventory, [...reasons.keys()])
  const kept: Array<KeptFile> = []
  for (const [path, reason] of reasons) {
    kept.push(keepFile({ inventory, moved, path, reason, source: await readSource(inventory, path) }))
  }
  const migrated = results.filter((result) => result.status === "migrated" && !reasons.has(result.path))
  const files = [
    ...migrated.map((result) => written(inventory, result.path, result.status === "migrated" ? result.code : "")),
    ...kept.flatMap((file) => outputsOf(inventory, file)),
    ...await manifests(inventory, moved)
  ]
  const rest = [...Object.keys(inventory.files), ...inventory.assets].filter((path) =>
    !moved.has(path) && !files.some((file) => file.path === path)
  )
  return {
    from: inventory.root,
    files: [...files, ...rest.map((path) => ({ path, text: null, executable: false }))].sort(byPath),
    kept: kept.map(({ as, path }) => ({ path, as, reason: reasons.get(path)! }))
  }
}

/** Every file that should have become an ES module and has not, with the reason. */
const reasonsToKeep = (
  inventory: Inventory,
  results: ReadonlyArray<FileResult>,
  keep: ReadonlyArray<string>
): Map<string, Refusal> => {
  const byName = new Map(results.map((result) => [result.path, result]))
  const reasons = new Map<string, Refusal>()
  for (const file of Object.values(inventory.files)) {
    const reason = keep.includes(file.path) ? refusal("kept-on-request", "was asked to stay CommonJS") : reasonFor(
      file,
      byName.get(file.path)
    )
    if (reason !== null) reasons.set(file.path, reason)
  }
  return reasons
}

const reasonFor = (file: FileFacts, result: FileResult | undefined): Refusal | null => {
  if (file.refusal !== null) return file.refusal
  if (file.kind !== "module" && file.kind !== "script") return null
  if (result === undefined) return refusal("no-result", "was never migrated")
  if (result.status === "failed") return result.reason
  if (result.status === "unchanged") return refusal("no-result", "was left unchanged")
  return result.sourceSha256 === file.sha256 ? null : refusal("source-changed", "was migrated from another version")
}

const refusal = (code: string, message: string): Refusal => ({ code, message, line: 1, column: 1 })

/** Through a cycle CommonJS could not be reached while it loads: the members stay together. */
const withPartners = (inventory: Inventory, reasons: ReadonlyMap<string, Refusal>): ReadonlyMap<string, Refusal> => {
  const all = new Map(reasons)
  for (const cycle of loadCycles(inventory.files)) {
    const cause = cycle.find((path) => reasons.has(path))
    if (cause === undefined) continue
    for (const path of cycle) {
      if (!all.has(path)) all.set(path, refusal("cycle-partner", `is in a cycle with ${cause}, which stays CommonJS`))
    }
  }
  return all
}

const readSource = async (inventory: Inventory, path: string): Promise<string> => {
  const text = await readFile(join(inventory.root, path), "utf8")
  if (sha256(text) !== inventory.files[path]?.sha256) throw new Error(`${path} has changed since it was scanned`)
  return text
}

const written = (inventory: Inventory, path: string, text: string): OutputFile => ({
  path,
  text,
  executable: inventory.files[path]?.kind === "script"
})

const outputsOf = (inventory: Inventory, { as, bridge, code, path }: KeptFile): ReadonlyArray<OutputFile> => [
  { ...written(inventory, path, code), path: as },
  ...bridge === null ? [] : [written(inventory, path, bridge)]
]

const manifests = async (inventory: Inventory, moved: Moves): Promise<ReadonlyArray<OutputFile>> => {
  const root = inventory.package === null
    ? { path: "package.json", text: `{\n  "private": true,\n  "type": "module"\n}\n`, executable: false }
    : await rewrittenManifest(inventory, "package.json", (text) => rewriteManifest(inventory, moved, text))
  const nested = Object.keys(inventory.files).filter((path) =>
    path.endsWith("/package.json") && coversCode(inventory, path)
  )
  return [root, ...await Promise.all(nested.map((path) => rewrittenManifest(inventory, path, rewriteNested)))]
}

const rewrittenManifest = async (
  inventory: Inventory,
  path: string,
  rewrite: (text: string) => string
): Promise<OutputFile> => ({ path, text: rewrite(await readSource(inventory, path)), executable: false })

const coversCode = (inventory: Inventory, manifest: string): boolean => {
  const folder = `${posix.dirname(manifest)}/`
  const isJson = inventory.files[manifest]?.kind === "json"
  return isJson &&
    Object.values(inventory.files).some(({ kind, path }) =>
      path.startsWith(folder) && (kind === "module" || kind === "script")
    )
}

const byPath = (a: OutputFile, b: OutputFile): number => a.path < b.path ? -1 : a.path > b.path ? 1 : 0
