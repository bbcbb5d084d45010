/**
 * Every place of a file that touches its exports object, under any of its names.
 *
 * `module.exports`, `exports`, `this` at the top, and variables that hold the same object for good
 * (`var api = module.exports = {}`, `const self = exports`).
 */
import type { AssignmentExpression } from "acorn"
import { type Moment, momentOf } from "./Moment.ts"
import { constantString, staticName } from "./Requires.ts"
import { freeNamed, isStable, referencesTo, type Scopes, type Variable } from "./Scopes.ts"
import { ownerOfThis } from "./Sloppy.ts"
import { type Node, parentOf, type Source, textOf, topStatement } from "./Source.ts"

export type Name = "module" | "exports" | "this" | "alias"

export type Use =
  /** The object is replaced: `module.exports = value`. */
  | { readonly type: "root"; readonly assignment: AssignmentExpression }
  /** `exports.name = value`; a null name is computed, a null value cannot be told. */
  | { readonly type: "write"; readonly name: string | null; readonly assignment: AssignmentExpression | null }
  /** `Object.defineProperty(exports, "name", …)` */
  | { readonly type: "define"; readonly name: string; readonly getter: Node | null }
  | { readonly type: "remove"; readonly name: string | null }
  | { readonly type: "read" }
  /** `const x = exports` */
  | { readonly type: "alias"; readonly variable: Variable }
  /** Handed to code that may do anything with it. */
  | { readonly type: "leak" }

export interface ExportUse {
  /** The expression that stands for the object. */
  readonly node: Node
  readonly via: Name
  readonly use: Use
  readonly moment: Moment
  /** A statement of its own at the top of the file. */
  readonly isTop: boolean
}

export const exportUses = (source: Source, scopes: Scopes): ReadonlyArray<ExportUse> =>
  [...moduleExports(source, scopes), ...plainExports(scopes), ...topThis(source)]
    .map(({ node, via }) => toUse(source, scopes, node, via))
    .sort((a, b) => a.node.start - b.node.start)

/** The same for a variable that holds the exports object. */
export const aliasUses = (source: Source, scopes: Scopes, variable: Variable): ReadonlyArray<ExportUse> =>
  referencesTo(scopes, variable)
    .filter(({ initial }) => !initial)
    .map(({ node }) => toUse(source, scopes, node, "alias"))

interface Found {
  readonly node: Node
  readonly via: Name
}

const moduleExports = (source: Source, scopes: Scopes): ReadonlyArray<Found> =>
  freeNamed(scopes, "module").flatMap(({ node }) => {
    const parent = parentOf(source, node)
    const isExports = parent?.type === "MemberExpression" && parent.object === node && staticName(parent) === "exports"
    return isExports ? [{ node: parent, via: "module" as const }] : []
  })

const plainExports = (scopes: Scopes): ReadonlyArray<Found> =>
  freeNamed(scopes, "exports").map(({ node }) => ({ node, via: "exports" as const }))

const topThis = (source: Source): ReadonlyArray<Found> =>
  source.nodes
    .filter((node) => node.type === "ThisExpression" && ownerOfThis(source, node) === undefined)
    .map((node) => ({ node, via: "this" as const }))

const toUse = (source: Source, scopes: Scopes, node: Node, via: Name): ExportUse => {
  const top = topStatement(source, node)
  return {
    node,
    via,
    use: useOf(source, scopes, node),
    moment: momentOf(source, node),
    isTop: top.type === "ExpressionStatement" || top.type === "VariableDeclaration"
  }
}

export const useOf = (source: Source, scopes: Scopes, node: Node): Use => {
  const parent = parentOf(source, node)
  switch (parent?.type) {
    case "AssignmentExpression":
      if (parent.left === node) return { type: "root", assignment: parent }
      return { type: isOwnMember(source, parent.left, node) ? "read" : "leak" }
    case "MemberExpression":
      return parent.object === node ? memberUse(source, parent) : { type: "leak" }
    case "VariableDeclarator":
      return aliasOrLeak(scopes, parent.id)
    case "UnaryExpression":
    case "ExpressionStatement":
    case "BinaryExpression":
    case "LogicalExpression":
      return { type: "read" }
    case "CallExpression":
      return callUse(source, parent, node)
    default:
      return { type: "leak" }
  }
}

/** `exports.self = exports` */
const isOwnMember = (source: Source, target: Node, node: Node): boolean =>
  target.type === "MemberExpression" && textOf(source, target.object) === textOf(source, node)

const aliasOrLeak = (scopes: Scopes, id: Node): Use => {
  const variable = id.type === "Identifier" ? scopes.top.get(id.name) : undefined
  return variable && isStable(scopes, variable) ? { type: "alias", variable } : { type: "leak" }
}

const memberUse = (source: Source, member: Node): Use => {
  const name = staticName(member)
  const parent = parentOf(source, member)
  if (parent?.type === "AssignmentExpression" && parent.left === member) {
    return { type: "write", name, assignment: parent.operator === "=" ? parent : null }
  }
  if (parent?.type === "UnaryExpression" && parent.operator === "delete") return { type: "remove", name }
  if (parent && isPatternTarget(source, member, parent)) return { type: "write", name, assignment: null }
  return { type: "read" }
}

/** `exports.n++`, `[exports.a] = …`, `for (exports.a of …)`, `({ x: exports.a } = …)` */
const isPatternTarget = (source: Source, node: Node, parent: Node): boolean => {
  switch (parent.type) {
    case "UpdateExpression":
    case "ArrayPattern":
    case "RestElement":
      return true
    case "AssignmentPattern":
    case "ForInStatement":
    case "ForOfStatement":
      return parent.left === node
    case "Property":
      return parent.value === node && parentOf(source, parent)?.type === "ObjectPattern"
    default:
      return false
  }
}

const callUse = (source: Source, call: Node, node: Node): Use => {
  if (call.type !== "CallExpression" || call.arguments[0] !== node) return { type: "leak" }
  const callee = textOf(source, call.callee)
  const name = constantString(call.arguments[1])
  if (callee === "Object.defineProperty" && name !== null) {
    return { type: "define", name, getter: getterOf(call.arguments[2]) }
  }
  const isWrite = /^Object\.(assign|definePropert(y|ies)|setPrototypeOf)$/.test(callee)
  return isWrite ? { type: "write", name: null, assignment: null } : { type: "leak" }
}

const getterOf = (descriptor: Node | undefined): Node | null => {
  if (descriptor?.type !== "ObjectExpression") return descriptor ?? null
  return descriptor.properties.find((property) => staticName(property) === "get") ?? null
}
