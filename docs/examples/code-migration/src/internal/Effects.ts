/**
 * Does loading a file do anything besides declaring things?
 *
 * A quiet file may be loaded earlier than it was: a `require` of it can become a hoisted import even if it stood in a
 * function. The check is a list of harmless shapes; whatever is not on it counts as an effect.
 */
import type { CallExpression, NewExpression, VariableDeclarator } from "acorn"
import type { Scopes } from "./Scopes.ts"
import type { Node, Source } from "./Source.ts"

export const isQuiet = (source: Source, scopes: Scopes): boolean =>
  source.program.body.every((statement) => isQuietNode({ scopes, mayRead: false }, statement))

/** What has run when the code at the offset does: a value computed by a call is less suspicious than an action. */
export const effectsBefore = (source: Source, scopes: Scopes, offset: number): "nothing" | "values" | "actions" => {
  const before = source.program.body.filter(({ end }) => end <= offset)
  const loud = before.filter((statement) => !isQuietNode({ scopes, mayRead: true }, statement))
  if (loud.length === 0) return "nothing"
  return loud.every(({ type }) => type === "VariableDeclaration") ? "values" : "actions"
}

/** Is the call `require("…")`, of the `require` Node gives? */
export const isRequireCall = (scopes: Scopes, node: Node): boolean =>
  node.type === "CallExpression" && isFreeNamed(scopes, node.callee, "require")

const isFreeNamed = (scopes: Scopes, node: Node, name: string): boolean =>
  node.type === "Identifier" && node.name === name && scopes.references.get(node)?.variable === null

interface Rules {
  readonly scopes: Scopes
  /** Looking at what others may change: harmless by itself, but it matters when one looks. */
  readonly mayRead: boolean
}

const isQuietNode = (rules: Rules, node: Node | null | undefined): boolean => {
  const quiet = (child: Node | null | undefined) => isQuietNode(rules, child)
  if (!node) return true
  switch (node.type) {
    case "EmptyStatement":
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "Literal":
    case "ThisExpression":
      return true
    case "Identifier":
      return rules.mayRead || rules.scopes.references.get(node)?.variable !== null || standard.has(node.name)
    case "ExpressionStatement":
      return quiet(node.expression)
    case "VariableDeclaration":
      return node.declarations.every((declarator) => isQuietDeclarator(rules, declarator))
    case "ClassDeclaration":
    case "ClassExpression":
      return quiet(node.superClass) && node.body.body.every((member) => isQuietMember(rules, member))
    case "AssignmentExpression":
      return isOwn(rules.scopes, node.left) && quiet(node.right)
    case "MemberExpression":
      return mayLookInto(rules, node.object) && quiet(node.object) && (!node.computed || quiet(node.property))
    case "TemplateLiteral":
      return node.expressions.every(quiet)
    case "ArrayExpression":
      return node.elements.every(quiet)
    case "ObjectExpression":
      return node.properties.every(quiet)
    case "Property":
      return quiet(node.value) && (!node.computed || quiet(node.key))
    case "SpreadElement":
      return mayLookInto(rules, node.argument) && quiet(node.argument)
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
      return isRequireCall(rules.scopes, node) || (isHarmlessCall(rules, node) && node.arguments.every(quiet))
    default:
      return false
  }
}

const isQuietMember = (rules: Rules, member: Node): boolean => {
  if (member.type === "MethodDefinition") return !member.computed || isQuietNode(rules, member.key)
  return member.type === "PropertyDefinition" && (!member.static || isQuietNode(rules, member.value))
}

/** What is destructured from a `require` is looked at by whoever knows the other file. */
const isQuietDeclarator = (rules: Rules, { id, init }: VariableDeclarator): boolean => {
  if (id.type === "Identifier") return isQuietNode(rules, init)
  const isPlain = id.type === "ObjectPattern" &&
    id.properties.every((property) => property.type === "Property" && property.value.type === "Identifier")
  return isPlain && !!init && (rules.mayRead ? isQuietNode(rules, init) : isRequireCall(rules.scopes, init))
}

/** May the members of the object be read: are they the file's own, or the language's? */
const mayLookInto = (rules: Rules, object: Node): boolean => {
  if (rules.mayRead || object.type !== "Identifier") return rules.mayRead || object.type !== "CallExpression"
  return isOwn(rules.scopes, object) ||
    (standard.has(object.name) && isFreeNamed(rules.scopes, object, object.name))
}

/** Assigning to the file's own variables, to `exports` and to members of those is not seen from outside. */
const isOwn = (scopes: Scopes, target: Node): boolean => {
  if (target.type === "MemberExpression") {
    return isOwn(scopes, target.object) && (!target.computed || isQuietNode({ scopes, mayRead: true }, target.property))
  }
  if (target.type !== "Identifier") return target.type === "ThisExpression"
  const variable = scopes.references.get(target)?.variable
  return variable ? !isRequired(scopes, variable.defs[0]?.node as Node | undefined) : isCommonJsName(target.name)
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

const isHarmlessCall = (rules: Rules, { callee, type, ...call }: CallExpression | NewExpression): boolean => {
  const { scopes } = rules
  if (callee.type === "Identifier") {
    return scopes.references.get(callee)?.variable === null &&
      (type === "NewExpression" ? harmlessConstructors : harmlessFunctions).has(callee.name)
  }
  if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier") return false
  const { name } = callee.property
  if (!isFreeNamed(scopes, callee.object, "Object")) {
    return harmlessMethods.has(name) && isQuietNode(rules, callee.object)
  }
  const [target] = call.arguments
  return harmlessObjectMethods.has(name) ||
    (/^(assign|definePropert(y|ies))$/.test(name) && target !== undefined && isOwn(scopes, target))
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "))

const harmlessConstructors = words("Array Date Error Map Object RegExp Set WeakMap WeakSet")
const harmlessFunctions = words("Array Boolean Number String Symbol parseInt parseFloat")
const harmlessObjectMethods = words("create entries freeze keys seal values")
const harmlessMethods = words(
  "bind charAt charCodeAt concat includes indexOf join match padEnd padStart repeat slice split substr substring " +
    "toLowerCase toString toUpperCase trim"
)

/** Globals of the language, which mean the same at any time. */
const standard = words(
  "Array Boolean Date Error Function Infinity Map Math NaN Number Object Promise Proxy RangeError ReferenceError " +
    "Reflect RegExp Set String Symbol SyntaxError TypeError WeakMap WeakSet exports module require undefined"
)
