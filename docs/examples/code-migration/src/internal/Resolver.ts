/** Where a specifier leads, by the rules of `require`, among the files of the scanned folder. */
import { posix } from "node:path"
import type { Target } from "../Inventory.ts"
import { type Manifest, packageTarget } from "./Packages.ts"

export interface Folder {
  readonly root: string
  /** Every file, with forward slashes. */
  readonly paths: ReadonlySet<string>
  /** The `package.json` of sub-folders (and of the root, under ""). */
  readonly manifests: ReadonlyMap<string, Manifest>
}

export const resolve = (folder: Folder, from: string, specifier: string): Target => {
  if (!/^\.{0,2}\/|^\.{1,2}$/.test(specifier)) return packageTarget(folder.root, specifier)
  const path = posix.join(posix.dirname(from), specifier)
  const found = resolvePath(folder, path, /(^|\/)\.{0,2}$/.test(specifier))
  return found === null || specifier.startsWith("/") ? { kind: "missing" } : { kind: "file", path: found }
}

/** A file, a file with one of the known extensions, a folder; null when there is none or it lies outside. */
export const resolvePath = (folder: Folder, path: string, isFolder = false): string | null => {
  const base = posix.normalize(path).replace(/\/$/, "")
  if (base.startsWith("..")) return null
  const asFile = isFolder ? undefined : withExtensions(base).find((candidate) => folder.paths.has(candidate))
  return asFile ?? resolveFolder(folder, base === "." ? "" : base)
}

const withExtensions = (base: string) => [base, `${base}.js`, `${base}.json`, `${base}.node`]

const resolveFolder = (folder: Folder, base: string): string | null => {
  const main = folder.manifests.get(base)?.["main"]
  const entry = typeof main === "string" ? posix.join(base, main) : null
  const candidates = [
    ...entry === null ? [] : [...withExtensions(entry), ...withExtensions(posix.join(entry, "index")).slice(1)],
    ...withExtensions(posix.join(base, "index")).slice(1)
  ]
  return candidates.find((candidate) => folder.paths.has(candidate)) ?? null
}
