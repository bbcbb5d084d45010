/**
 * Every `require(…)` of a file: what it asks for, when, and what becomes of the value.
 *
 * `Binding` is the shape an import can take over. Only declarations at the top of the file whose variables are never
 * assigned again qualify; everything else is `inline`: the call is replaced by a name and the code around it stays.
 */
import type { CallExpression, Identifier, ObjectPattern, VariableDeclaration, VariableDeclarator } from "acorn"
import { isRequireCall } from "./Effects.ts"
import { type Moment, momentOf } from "./Moment.ts"
import { isStable, type Scopes, type Variable } from "./Scopes.ts"
import { type Node, parentOf, type Source } from "./Source.ts"

export interface NamedPart {
  readonly imported: string
  readonly local: string
}

export interface Declared {
  readonly declaration: VariableDeclaration
  readonly declarator: VariableDeclarator
}

export type Binding =
  /** `require("x")` as a statement. */
  | { readonly type: "effect"; readonly statement: Node }
  /** `const x = require("x")` */
  | { readonly type: "whole"; readonly id: Identifier } & Declared
  /** `const { a, b: c } = require("x")` */
  | { readonly type: "parts"; readonly pattern: ObjectPattern; readonly parts: ReadonlyArray<NamedPart> } & Declared
  /** `const a = require("x").b` */
  | { readonly type: "member"; readonly part: NamedPart } & Declared
  | { readonly type: "inline" }

export interface RequireSite {
  readonly call: CallExpression
  /** Null when it is computed. */
  readonly specifier: string | null
  readonly moment: Moment
  readonly binding: Binding
}

export const requireSites = (source: Source, scopes: Scopes): ReadonlyArray<RequireSite> =>
  source.nodes
    .filter((node) => node.type === "CallExpression" && isRequireCall(scopes, node))
    .map((node) => toSite(source, scopes, node as CallExpression))
    .sort((a, b) => a.call.start - b.call.start)

/** The variables which hold the value or parts of it. */
export const boundVariables = (scopes: Scopes, binding: Binding): ReadonlyArray<Variable> => {
  const names = binding.type === "whole"
    ? [binding.id.name]
    : binding.type === "parts"
    ? binding.parts.map(({ local }) => local)
    : binding.type === "member"
    ? [binding.part.local]
    : []
  return names.flatMap((name) => scopes.top.get(name) ?? [])
}

/** The names taken from the value; null when all of it is wanted. */
export const namesTaken = (source: Source, site: RequireSite): ReadonlyArray<string> | null => {
  const { binding } = site
  if (binding.type === "parts") return binding.parts.map(({ imported }) => imported)
  if (binding.type === "member") return [binding.part.imported]
  const parent = parentOf(source, site.call)
  if (binding.type === "inline" && parent?.type === "MemberExpression" && parent.object === site.call) {
    const name = staticName(parent)
    return name === null ? null : [name]
  }
  return null
}

export const staticName = (node: Node): string | null => {
  if (node.type === "MemberExpression") return keyName(node.property, node.computed)
  return node.type === "Property" ? keyName(node.key, node.computed) : null
}

const keyName = (key: Node, computed: boolean): string | null => {
  if (key.type === "Identifier" && !computed) return key.name
  return key.type === "Literal" && typeof key.value === "string" ? key.value : null
}

export const constantString = (node: Node | undefined): string | null => {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return null
  return node.quasis[0]?.value.cooked ?? null
}

const toSite = (source: Source, scopes: Scopes, call: CallExpression): RequireSite => ({
  call,
  specifier: call.arguments.length === 1 ? constantString(call.arguments[0]) : null,
  moment: momentOf(source, call),
  binding: bindingOf(source, scopes, call)
})

const bindingOf = (source: Source, scopes: Scopes, call: CallExpression): Binding => {
  const parent = parentOf(source, call)
  const grandparent = parent && parentOf(source, parent)
  if (parent?.type === "ExpressionStatement" && grandparent?.type === "Program") {
    return { type: "effect", statement: parent }
  }
  if (parent?.type === "VariableDeclarator") return declaredBinding(source, scopes, parent) ?? { type: "inline" }
  if (parent?.type !== "MemberExpression" || grandparent?.type !== "VariableDeclarator") return { type: "inline" }
  return memberBinding(source, scopes, parent, grandparent) ?? { type: "inline" }
}

const declaredBinding = (source: Source, scopes: Scopes, declarator: VariableDeclarator): Binding | null => {
  const declaration = topDeclaration(source, declarator)
  if (declaration === null) return null
  const { id } = declarator
  if (id.type === "Identifier") {
    return isStableTop(scopes, id.name) ? { type: "whole", id, declaration, declarator } : null
  }
  const parts = id.type === "ObjectPattern" ? partsOf(id) : null
  if (id.type !== "ObjectPattern" || parts === null || !parts.every(({ local }) => isStableTop(scopes, local))) {
    return null
  }
  return { type: "parts", pattern: id, parts, declaration, declarator }
}

const memberBinding = (
  source: Source,
  scopes: Scopes,
  member: Node,
  declarator: VariableDeclarator
): Binding | null => {
  const declaration = topDeclaration(source, declarator)
  const imported = staticName(member)
  if (declaration === null || imported === null || declarator.id.type !== "Identifier") return null
  const part = { imported, local: declarator.id.name }
  return isStableTop(scopes, part.local) ? { type: "member", part, declaration, declarator } : null
}

const topDeclaration = (source: Source, declarator: VariableDeclarator): VariableDeclaration | null => {
  const declaration = parentOf(source, declarator)
  if (declaration?.type !== "VariableDeclaration") return null
  return parentOf(source, declaration)?.type === "Program" ? declaration : null
}

const isStableTop = (scopes: Scopes, name: string): boolean => {
  const variable = scopes.top.get(name)
  return variable !== undefined && isStable(scopes, variable)
}

/** Null when the pattern has defaults, a rest or nested patterns: those stay a destructuring. */
const partsOf = (pattern: ObjectPattern): ReadonlyArray<NamedPart> | null => {
  const parts = pattern.properties.map((property) => {
    if (property.type !== "Property" || property.value.type !== "Identifier") return null
    const imported = staticName(property)
    return imported === null ? null : { imported, local: property.value.name }
  })
  return parts.every((part) => part !== null) ? parts : null
}
