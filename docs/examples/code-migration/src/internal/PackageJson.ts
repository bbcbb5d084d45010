/**
 * The manifest of the migrated package.
 *
 * ES modules are not looked for: `main` and `bin` name files, with their extensions. Paths stay what they were, as
 * every migrated file keeps its name, so `exports` needs no change; a command that stays CommonJS has moved.
 */
import type { Inventory } from "../Inventory.ts"
import type { Moves } from "./Kept.ts"

/** `import.meta.main`, import attributes, and `require` of ES modules with the name "module.exports". */
export const nodeVersions = "^22.19.0 || >=24.2.0"

export const rewriteManifest = (inventory: Inventory, moved: Moves, text: string): string => {
  const manifest = JSON.parse(text.replace(/^\uFEFF/, "")) as Record<string, unknown>
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2
  const rewritten = withType(manifest, {
    ...inventory.package?.main ? { main: samePrefix(manifest["main"], inventory.package.main) } : {},
    ..."bin" in manifest ? { bin: rewriteBin(inventory, moved, manifest["bin"]) } : {},
    ...Array.isArray(manifest["files"]) ? { files: [...manifest["files"], ...moved.values()] } : {},
    engines: { ...manifest["engines"] as object | undefined, node: nodeVersions }
  })
  return JSON.stringify(rewritten, null, indent) + (text.endsWith("\n") ? "\n" : "")
}

/** A manifest below the root, which would otherwise make its folder CommonJS again. */
export const rewriteNested = (text: string): string => {
  const manifest = JSON.parse(text.replace(/^\uFEFF/, "")) as Record<string, unknown>
  const indent = /^[ \t]+(?=")/m.exec(text)?.[0] ?? 2
  return JSON.stringify(withType(manifest, {}), null, indent) + (text.endsWith("\n") ? "\n" : "")
}

/** Changed keys keep their place; `type` comes after the version or first. */
const withType = (manifest: Record<string, unknown>, changed: Record<string, unknown>): Record<string, unknown> => {
  const result: Record<string, unknown> = {}
  if (!("version" in manifest) && !("type" in manifest)) result["type"] = "module"
  for (const [key, value] of Object.entries({ ...manifest, ...changed })) {
    result[key] = key === "type" ? "module" : value
    if (key === "version" && !("type" in manifest)) result["type"] = "module"
  }
  return result
}

const samePrefix = (before: unknown, path: string): string =>
  typeof before === "string" && before.startsWith("./") ? `./${path}` : path

const rewriteBin = (inventory: Inventory, moved: Moves, before: unknown): unknown => {
  const bins = inventory.package?.bin ?? {}
  const pathOf = (command: string, old: unknown) => {
    const path = bins[command]
    return path === undefined ? old : samePrefix(old, moved.get(path) ?? path)
  }
  if (typeof before === "string") return pathOf(Object.keys(bins)[0] ?? "", before)
  if (typeof before !== "object" || before === null) return before
  return Object.fromEntries(Object.entries(before).map(([command, old]) => [command, pathOf(command, old)]))
}
