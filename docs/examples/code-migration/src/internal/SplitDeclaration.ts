/**
 * `const a = require("a"), n = 1, b = require("b")` becomes three statements, each on its line.
 *
 * Declarators that become imports lose the keyword; neighbours that stay keep one declaration together.
 */
import type { VariableDeclaration, VariableDeclarator } from "acorn"
import type { Draft } from "./Draft.ts"
import { contains, type Node, parentOf, type Source, topStatement } from "./Source.ts"

export const splitDeclaration = (draft: Draft, imported: ReadonlySet<VariableDeclarator>): void => {
  const { source } = draft.analysis
  const declarations = new Set([...imported].map((declarator) => parentOf(source, declarator) as VariableDeclaration))
  for (const declaration of declarations) split(draft, declaration, imported)
}

/** The declarator that must get the import line itself, as an import stands before it in the same declaration. */
export const splitPoint = (
  source: Source,
  imported: ReadonlySet<VariableDeclarator>,
  node: Node
): VariableDeclarator | null => {
  const statement = topStatement(source, node)
  if (statement.type !== "VariableDeclaration") return null
  const index = statement.declarations.findIndex((declarator) => contains(declarator, node))
  return statement.declarations.slice(0, index).some((declarator) => imported.has(declarator))
    ? statement.declarations[index] ?? null
    : null
}

const split = (draft: Draft, declaration: VariableDeclaration, imported: ReadonlySet<VariableDeclarator>): void => {
  const { source } = draft.analysis
  const { declarations, kind } = declaration
  const [first] = declarations
  if (first && imported.has(first)) draft.text.update(declaration.start, first.start, "import ")
  if (declarations.every((declarator) => imported.has(declarator))) draft.imported.add(declaration)
  const semicolon = source.text[declaration.end - 1] === ";" ? ";" : ""
  for (const [index, next] of declarations.entries()) {
    const previous = declarations[index - 1]
    const lines = draft.ahead.get(next) ?? []
    if (previous === undefined || (!imported.has(previous) && !imported.has(next) && lines.length === 0)) continue
    const comma = commaAfter(source, previous.end)
    if (semicolon === "") draft.text.remove(comma, comma + 1)
    else draft.text.update(comma, comma + 1, semicolon)
    const keyword = imported.has(next) ? "import " : `${kind} `
    breakLine(draft, declaration, {
      from: comma + 1,
      to: next.start,
      parts: [...lines.map((line) => line + semicolon), keyword]
    })
  }
}

/** Puts the next declarator on a line of its own, with the declaration's indentation. */
const breakLine = (
  draft: Draft,
  declaration: VariableDeclaration,
  { from, parts, to }: { readonly from: number; readonly to: number; readonly parts: ReadonlyArray<string> }
): void => {
  const { source } = draft.analysis
  const gap = source.text.slice(from, to)
  const space = /\s*$/.exec(gap)?.[0] ?? ""
  const lineStart = source.text.lastIndexOf("\n", declaration.start - 1) + 1
  const indent = /^[ \t]*/.exec(source.text.slice(lineStart, declaration.start))?.[0] ?? ""
  const line = parts.map((part) => draft.style.newline + indent + part).join("")
  if (space === "") draft.text.appendLeft(to, line)
  else draft.text.update(to - space.length, to, line)
}

const commaAfter = (source: Source, offset: number): number => {
  let comma = source.text.indexOf(",", offset)
  for (const { end, start } of source.comments) {
    if (start <= comma && comma < end) comma = source.text.indexOf(",", end)
  }
  return comma
}
