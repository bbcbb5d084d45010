/**
 * How `import` would see a package from outside.
 *
 * `import x from "dep"` equals `require("dep")` only when both reach the same CommonJS file. A package that serves
 * another build to `import` is told apart by its manifest; the migrated code goes on requiring such a package.
 */
import { existsSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join } from "node:path"
import type { Target } from "../Inventory.ts"

export const packageTarget = (root: string, specifier: string): Target => {
  if (isBuiltin(specifier)) return { kind: "builtin", name: specifier, unnamed: [] }
  const name = packageName(specifier)
  const absent: Target = { kind: "package", name, specifier, format: "absent" }
  const folder = name === "" || specifier.startsWith("#") ? null : findPackage(root, name)
  const manifest = folder === null ? null : readManifest(join(folder, "package.json"))
  if (folder === null || manifest === null) return absent
  const subpath = specifier.slice(name.length + 1)
  if (isDual(manifest)) return { ...absent, format: "module" }
  const exact = subpath === "" || manifest["exports"] !== undefined ? specifier : exactSubpath(folder, name, subpath)
  return exact === null ? absent : { ...absent, specifier: exact, format: "commonjs" }
}

/** Which of the names a built-in module does not have: those cannot be imported by name. */
export const absentNames = (builtin: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const module = process.getBuiltinModule(builtin)
  return names.filter((name) => module === undefined || !Object.keys(module).includes(name))
}

export type Manifest = Readonly<Record<string, unknown>>

export const readManifest = (file: string): Manifest | null => {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, ""))
    return typeof value === "object" && value !== null ? value as Manifest : null
  } catch {
    return null
  }
}

const packageName = (specifier: string): string =>
  specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")

const findPackage = (root: string, name: string): string | null => {
  for (let folder = root;; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name)
    if (existsSync(join(candidate, "package.json"))) return candidate
    if (folder === dirname(folder)) return null
  }
}

const isDual = (manifest: Manifest): boolean => {
  const main = typeof manifest["main"] === "string" ? manifest["main"] : ""
  return manifest["type"] === "module" || main.endsWith(".mjs") || hasCondition(manifest["exports"])
}

const hasCondition = (exports: unknown): boolean => {
  if (typeof exports === "string") return exports.endsWith(".mjs")
  if (typeof exports !== "object" || exports === null) return false
  return Object.entries(exports).some(([key, value]) =>
    key === "import" || key === "module-sync" || hasCondition(value)
  )
}

/** ES modules name the file: no guessed extensions, no folders. */
const exactSubpath = (folder: string, name: string, subpath: string): string | null => {
  const candidates = [subpath, `${subpath}.js`, `${subpath}.json`, `${subpath}/index.js`]
  const found = candidates.find((candidate) => /\.[cm]?js$/.test(candidate) && existsSync(join(folder, candidate)))
  return found === undefined ? null : `${name}/${found.replaceAll("//", "/")}`
}
