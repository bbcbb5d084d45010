/**
 * A file that stays CommonJS in a package of ES modules.
 *
 * It moves to the name `x.cjs`, and `x.js` becomes a bridge to it: whoever imports or requires `x.js` gets what they
 * always got, so the files around it can be migrated without knowing. Scripts move without a bridge, because a bridge
 * would not be the main module. A file that does not even parse is carried over as it is, unless others load it.
 */
import { MagicString } from "magic-string"
import type { FileFacts, Inventory, Refusal } from "../Inventory.ts"
import { analyse } from "./Analysis.ts"
import { specifierOf } from "./ImportRewrite.ts"

export interface KeptFile {
  readonly path: string
  readonly as: string
  readonly bridge: string | null
  readonly code: string
}

/** The kept files by their old path: where each of them moves. */
export type Moves = ReadonlyMap<string, string>

export const movesOf = (inventory: Inventory, paths: ReadonlyArray<string>): Moves =>
  new Map(paths.flatMap((path) => moves(inventory, path) ? [[path, newName(inventory, path)] as const] : []))

export interface Keep {
  readonly inventory: Inventory
  readonly moved: Moves
  readonly path: string
  readonly source: string
  readonly reason: Refusal
}

export const keepFile = ({ inventory, moved, path, reason, source }: Keep): KeptFile => {
  const file = inventory.files[path]!
  const as = moved.get(path) ?? path
  const hasBridge = as !== path && (file.kind !== "script" || isRequired(inventory, path))
  return { path, as, bridge: hasBridge ? bridgeTo(as, file, reason) : null, code: repoint(moved, file, source) }
}

const moves = (inventory: Inventory, path: string): boolean => {
  const kind = inventory.files[path]?.kind
  if (kind === "unparsable") return path.endsWith(".js") && isRequired(inventory, path)
  return kind === "module" || kind === "script"
}

const newName = (inventory: Inventory, path: string): string => {
  const base = path.replace(/\.js$/, "")
  return [`${base}.cjs`, `${base}.kept.cjs`].find((name) => inventory.files[name] === undefined) ??
    `${base}.commonjs.cjs`
}

const isRequired = (inventory: Inventory, path: string): boolean =>
  Object.values(inventory.files).some(({ requires }) =>
    requires.some(({ target }) => target.kind === "file" && target.path === path)
  )

/** Kept files require one another directly: through their bridges a cycle would fail. */
const repoint = (moved: Moves, file: FileFacts, source: string): string => {
  const analysed = analyse(source)
  if (!analysed.ok) return source
  const text = new MagicString(source)
  for (const [index, { call }] of analysed.analysis.requires.entries()) {
    const facts = file.requires[index]
    const as = facts?.target.kind === "file" ? moved.get(facts.target.path) : undefined
    const argument = call.arguments[0]
    if (!facts || as === undefined || argument === undefined) continue
    const quote = source[argument.start] ?? "'"
    const specifier = specifierOf(file.path, { ...facts, target: { kind: "file", path: as } })
    text.update(argument.start, argument.end, quote + specifier + quote)
  }
  return text.toString()
}

const bridgeTo = (as: string, file: FileFacts, reason: Refusal): string => {
  const name = as.slice(as.lastIndexOf("/") + 1)
  const locals = file.exports.names.map((exported, index) => ({ exported, local: `value${index}` }))
  const lines = [
    `// ${name} stays CommonJS: ${reason.message.replaceAll("\n", " ")} (${reason.code})`,
    `import kept from "./${name}"`,
    "",
    `export { kept as default, kept as "module.exports" }`,
    ...locals.length === 0 ? [] : [
      `const { ${locals.map(({ exported, local }) => `${exported}: ${local}`).join(", ")} } = kept`,
      `export { ${locals.map(({ exported, local }) => `${local} as ${exported}`).join(", ")} }`
    ]
  ]
  return `${lines.join("\n")}\n`
}
