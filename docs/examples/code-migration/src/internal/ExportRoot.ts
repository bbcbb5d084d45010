/** An assignment to `module.exports` as a whole: the root of everything else a file exports. */
import type { AssignmentExpression, Expression } from "acorn"
import type { ExportUse } from "./ExportUses.ts"
import { parentOf, type Source } from "./Source.ts"

/** `exports = module.exports = value`, with everything else that is assigned on the way. */
export interface Root {
  readonly outer: AssignmentExpression
  readonly links: ReadonlyArray<AssignmentExpression>
  readonly value: Expression
  readonly synced: boolean
  /** A declaration or an assignment to a variable takes the value too. */
  readonly declared: boolean
}

export const rootsOf = (source: Source, uses: ReadonlyArray<ExportUse>): ReadonlyArray<Root> => {
  const outers = new Set<AssignmentExpression>()
  for (const { use } of uses) if (use.type === "root") outers.add(outermost(source, use.assignment))
  return [...outers].map((outer) => toRoot(source, outer, uses))
}

export const outermost = (source: Source, assignment: AssignmentExpression): AssignmentExpression => {
  const parent = parentOf(source, assignment)
  return parent?.type === "AssignmentExpression" && parent.right === assignment ? outermost(source, parent) : assignment
}

const toRoot = (source: Source, outer: AssignmentExpression, uses: ReadonlyArray<ExportUse>): Root => {
  const links: Array<AssignmentExpression> = []
  let value: Expression = outer
  for (; value.type === "AssignmentExpression"; value = value.right) links.push(value)
  const via = (name: string) => uses.some((use) => use.via === name && links.some((link) => link.left === use.node))
  return {
    outer,
    links: links.filter((link) => uses.some((use) => use.node === link.left && use.use.type === "root")),
    value,
    synced: via("exports") && via("module"),
    declared: parentOf(source, outer)?.type === "VariableDeclarator" ||
      links.some(({ left }) => left.type === "Identifier" && uses.every(({ node }) => node !== left))
  }
}

/** One unconditional assignment to nothing but names of the exports and variables. */
export const isPlainRoot = (source: Source, root: Root): boolean =>
  isTopRoot(source, root) && hasOnlyNames(root) && root.links.every(({ operator }) => operator === "=") &&
  root.links.some(({ left }) => left.type === "MemberExpression")

/** The uses beside the assignment itself. */
export const othersOf = (root: Root, uses: ReadonlyArray<ExportUse>): ReadonlyArray<ExportUse> =>
  uses.filter(({ node }) => !root.links.some(({ left }) => left === node))

/** Does the use mean the value that `module.exports` got, rather than the object it had? */
export const isAfter = (root: Root, { moment, node, via }: ExportUse): boolean =>
  via === "module" && (moment.when === "call" || node.start > root.outer.end)

const isTopRoot = (source: Source, root: Root): boolean => {
  const parent = parentOf(source, root.outer)
  const grandparent = parent && parentOf(source, parent)
  if (parent?.type === "ExpressionStatement") return grandparent?.type === "Program"
  const isDeclared = parent?.type === "VariableDeclarator" && parent.id.type === "Identifier"
  return isDeclared && grandparent !== undefined && parentOf(source, grandparent)?.type === "Program"
}

/** `module.exports = module.exports.x = …` writes to the object it replaces. */
const hasOnlyNames = (root: Root): boolean => {
  for (let value: Expression = root.outer; value.type === "AssignmentExpression"; value = value.right) {
    const { left } = value
    if (left.type !== "Identifier" && !root.links.includes(value)) return false
  }
  return true
}
