/**
 * The last gate before a rewritten file is handed out.
 *
 * The result must parse as a module, must not use a variable which the original did not use, and must import only
 * files and names that will exist. A finding is a bug of this engine; it becomes a failure of that file, so that it
 * is seen, and the file stays as it was.
 */
import { posix } from "node:path"
import type { Inventory, Refusal } from "../Inventory.ts"
import { type Reference, type Scopes, scopesOf } from "./Scopes.ts"
import { locate, type Node, parentOf, parse, type Source } from "./Source.ts"
import { wrapperNames } from "./Wrapper.ts"

export const selfCheck = (inventory: Inventory, path: string, before: Scopes, code: string): Refusal | null => {
  const parsed = parse(code, "module")
  if (!parsed.ok) return finding(`the result does not parse: ${parsed.message}`, parsed.location)
  const { source } = parsed
  const known = new Set(before.free.map(({ node }) => node.name))
  const stray = scopesOf(source, "module").free.find((reference) => isStray(source, known, reference))
  if (stray) return finding(`${stray.node.name} is not defined in the result`, locate(code, stray.node.start))
  for (const statement of source.program.body) {
    const problem = importProblem(inventory, path, statement)
    if (problem !== null) return finding(problem, locate(code, statement.start))
  }
  return null
}

const finding = (message: string, location: { line: number; column: number }): Refusal => ({
  code: "self-check",
  message: `${message} (line of the rewritten file)`,
  ...location
})

const isStray = (source: Source, known: ReadonlySet<string>, { node }: Reference): boolean => {
  const parent = parentOf(source, node)
  if (parent?.type === "UnaryExpression" && parent.operator === "typeof") return false
  return !known.has(node.name) || (wrapperNames as ReadonlyArray<string>).includes(node.name)
}

const importProblem = (inventory: Inventory, path: string, statement: Node): string | null => {
  if (!("source" in statement) || statement.source?.type !== "Literal") return null
  const specifier = String(statement.source.value)
  if (!specifier.startsWith(".")) return null
  const file = inventory.files[posix.join(posix.dirname(path), specifier)]
  if (file === undefined) return `imports ${specifier}, which is not there`
  const imported = "specifiers" in statement ? statement.specifiers.flatMap(importedName) : []
  const missing = imported.find((name) => name !== "default" && !file.exports.names.includes(name))
  return missing === undefined ? null : `imports ${missing}, which ${specifier} does not export`
}

const importedName = (specifier: Node): ReadonlyArray<string> => {
  const node = specifier.type === "ImportSpecifier"
    ? specifier.imported
    : specifier.type === "ExportSpecifier"
    ? specifier.local
    : null
  return node?.type === "Identifier" ? [node.name] : []
}
