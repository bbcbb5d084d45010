/**
 * Does loading a file do anything besides declaring things?
 *
 * A quiet file may be loaded earlier than it was: a `require` of it can become a hoisted import even if it stood in a
 * function. The check is a list of harmless shapes; whatever is not on it counts as an effect.
 */
import type { Scopes } from "./Scopes.ts"
import type { Node, Source } from "./Source.ts"

export const isQuiet = (source: Source, scopes: Scopes): boolean =>
  source.program.body.every((statement) => isQuietNode(scopes, statement))

/** What has run when the code at the offset does: a value computed by a call is less suspicious than an action. */
export const effectsBefore = (source: Source, scopes: Scopes, offset: number): "nothing" | "values" | "actions" => {
  const loud = source.program.body.filter(({ end }) => end <= offset).filter((statement) =>
    !isQuietNode(scopes, statement)
  )
  if (loud.length === 0) return "nothing"
  return loud.every(({ type }) => type === "VariableDeclaration") ? "values" : "actions"
}

/** Is the call `require("…")`, of the `require` Node gives? */
export const isRequireCall = (scopes: Scopes, node: Node): boolean =>
  node.type === "CallExpression" && isFreeNamed(scopes, node.callee, "require")

const isFreeNamed = (scopes: Scopes, node: Node, name: string): boolean =>
  node.type === "Identifier" && node.name === name && scopes.references.get(node)?.variable === null

const isQuietNode = (scopes: Scopes, node: Node | null | undefined): boolean => {
  const quiet = (child: Node | null | undefined) => isQuietNode(scopes, child)
  if (!node) return true
  switch (node.type) {
    case "EmptyStatement":
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "Identifier":
    case "Literal":
    case "ThisExpression":
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return true
    case "ExpressionStatement":
      return quiet(node.expression)
    case "VariableDeclaration":
      return node.declarations.every((declarator) => quiet(declarator.init))
    case "ClassDeclaration":
    case "ClassExpression":
      return quiet(node.superClass) && node.body.body.every((member) => isQuietMember(scopes, member))
    case "ExportNamedDeclaration":
    case "ExportDefaultDeclaration":
      return quiet(node.declaration)
    case "AssignmentExpression":
      return isOwn(scopes, node.left) && quiet(node.right)
    case "MemberExpression":
      return quiet(node.object) && (!node.computed || quiet(node.property))
    case "TemplateLiteral":
      return node.expressions.every(quiet)
    case "ArrayExpression":
      return node.elements.every(quiet)
    case "ObjectExpression":
      return node.properties.every(quiet)
    case "Property":
      return quiet(node.value) && (!node.computed || quiet(node.key))
    case "SpreadElement":
    case "UnaryExpression":
      return quiet(node.argument)
    case "BinaryExpression":
    case "LogicalExpression":
      return quiet(node.left) && quiet(node.right)
    case "ConditionalExpression":
      return quiet(node.test) && quiet(node.consequent) && quiet(node.alternate)
    case "SequenceExpression":
      return node.expressions.every(quiet)
    case "CallExpression":
    case "NewExpression":
      return isRequireCall(scopes, node) ||
        (isHarmlessCall(scopes, node.callee, node.type) || isOwnDefinition(scopes, node)) && node.arguments.every(quiet)
    default:
      return false
  }
}

const isQuietMember = (scopes: Scopes, member: Node): boolean => {
  if (member.type === "MethodDefinition") return !member.computed || isQuietNode(scopes, member.key)
  return member.type === "PropertyDefinition" && (!member.static || isQuietNode(scopes, member.value))
}

/** Assigning to the file's own variables, to `exports` and to members of those is not seen from outside. */
const isOwn = (scopes: Scopes, target: Node): boolean => {
  if (target.type === "MemberExpression") {
    return isOwn(scopes, target.object) && (!target.computed || isQuietNode(scopes, target.property))
  }
  if (target.type !== "Identifier") return target.type === "ThisExpression"
  const variable = scopes.references.get(target)?.variable
  return variable ? !isRequired(scopes, variable.defs[0]?.node as Node | undefined) : isCommonJsName(target.name)
}

/** `Object.defineProperty(exports, …)`, `Object.assign(Own.prototype, …)` */
const isOwnDefinition = (scopes: Scopes, call: Node): boolean => {
  if (call.type !== "CallExpression" || call.callee.type !== "MemberExpression") return false
  const { object, property } = call.callee
  const [target] = call.arguments
  return isFreeNamed(scopes, object, "Object") && property.type === "Identifier" &&
    /^(assign|definePropert(y|ies))$/.test(property.name) && target !== undefined && isOwn(scopes, target)
}

/** A member of a required value belongs to another file. */
const isRequired = (scopes: Scopes, declaration: Node | undefined): boolean =>
  declaration?.type === "VariableDeclarator" && !!declaration.init && mentionsRequire(scopes, declaration.init)

const mentionsRequire = (scopes: Scopes, node: Node): boolean => {
  if (isRequireCall(scopes, node)) return true
  if (node.type === "MemberExpression") return mentionsRequire(scopes, node.object)
  return node.type === "CallExpression" && mentionsRequire(scopes, node.callee)
}

const isCommonJsName = (name: string) => name === "module" || name === "exports"

const isHarmlessCall = (scopes: Scopes, callee: Node, type: "CallExpression" | "NewExpression"): boolean => {
  if (callee.type === "Identifier") {
    return scopes.references.get(callee)?.variable === null &&
      (type === "NewExpression" ? harmlessConstructors : harmlessFunctions).has(callee.name)
  }
  if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier") return false
  if (isFreeNamed(scopes, callee.object, "Object")) return harmlessObjectMethods.has(callee.property.name)
  return harmlessMethods.has(callee.property.name) && isQuietNode(scopes, callee.object)
}

const harmlessConstructors = new Set(["Array", "Date", "Error", "Map", "Object", "RegExp", "Set", "WeakMap", "WeakSet"])
const harmlessFunctions = new Set(["Array", "Boolean", "Number", "String", "Symbol", "parseInt", "parseFloat"])
const harmlessObjectMethods = new Set(["create", "entries", "freeze", "keys", "seal", "values"])
const harmlessMethods = new Set(
  ("bind charAt charCodeAt concat includes indexOf join match padEnd padStart repeat slice split substr substring " +
    "toLowerCase toString toUpperCase trim").split(" ")
)
