/**
 * When a piece of a file runs: while the file loads, or in a function called later; always, or only if.
 *
 * CommonJS runs a `require` where it stands, ES modules run all imports first. Everything this engine may hoist, and
 * everything it must leave in place, follows from these two answers. Functions that are called on the spot count as
 * loading. A named function called while loading is found by `runsAtLoad`, which follows names, not values: it can
 * miss a call through an alias. A miss ends in an error when the migrated file is loaded, never in another result.
 */
import type { Variable } from "eslint-scope"
import { referencesTo, type Scopes } from "./Scopes.ts"
import { type Node, parentOf, type Source } from "./Source.ts"

export interface Moment {
  readonly when: "load" | "call"
  readonly guarded: boolean
  readonly inTry: boolean
}

export const momentOf = (source: Source, node: Node): Moment => {
  const steps = [...ancestry(source, node)]
  const inTry = steps.some(([, parent]) => parent.type === "TryStatement")
  return {
    when: steps.some(([child, parent]) => defers(source, child, parent)) ? "call" : "load",
    guarded: inTry || steps.some(([child, parent]) => guards(child, parent) || isIteration(source, parent)),
    inTry
  }
}

export const isFunction = (node: Node) =>
  node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression"

/** `(function () { … })()`, `(function () { … }).call(this)` and `list.forEach(function () { … })`. */
export const isImmediate = (source: Source, node: Node): boolean =>
  isCalledOnTheSpot(source, node) || isIteration(source, node)

const isCalledOnTheSpot = (source: Source, node: Node): boolean => {
  if (!isFunction(node) || ("async" in node && node.async) || ("generator" in node && node.generator)) return false
  const parent = parentOf(source, node)
  if (parent?.type === "CallExpression") return parent.callee === node
  if (parent?.type !== "MemberExpression" || parent.object !== node || parent.computed) return false
  const call = parentOf(source, parent)
  const method = parent.property.type === "Identifier" ? parent.property.name : ""
  return call?.type === "CallExpression" && call.callee === parent && (method === "call" || method === "apply")
}

const isIteration = (source: Source, node: Node): boolean => {
  const call = isFunction(node) ? parentOf(source, node) : undefined
  if (call?.type !== "CallExpression" || call.arguments[0] !== node) return false
  const { callee } = call
  return callee.type === "MemberExpression" && !callee.computed && callee.property.type === "Identifier" &&
    iterators.has(callee.property.name)
}

/** Methods of arrays which call their argument before they return. */
const iterators = new Set(["every", "filter", "find", "findIndex", "flatMap", "forEach", "map", "reduce", "some"])

/** Does the node run before the file has finished loading, as far as names tell? */
export const runsAtLoad = (source: Source, scopes: Scopes, node: Node, seen = new Set<Node>()): boolean => {
  for (const [child, parent] of ancestry(source, node)) {
    if (!defers(source, child, parent)) continue
    if (seen.has(parent)) return false
    seen.add(parent)
    return isArgument(source, parent)
      ? runsAtLoad(source, scopes, parent, seen)
      : ownersOf(source, scopes, parent).some((owner) => isUsedAtLoad(source, scopes, owner, seen))
  }
  return true
}

const isUsedAtLoad = (source: Source, scopes: Scopes, owner: Variable, seen: Set<Node>): boolean =>
  referencesTo(scopes, owner).some(({ node }) => isCalled(source, node) && runsAtLoad(source, scopes, node, seen))

/** Called, constructed, passed to a call, extended, or a member of it called. */
const isCalled = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  if (parent === undefined) return false
  if (parent.type === "MemberExpression" && parent.object === node) return isCalled(source, parent)
  if (parent.type === "TaggedTemplateExpression") return true
  if ((parent.type === "ClassDeclaration" || parent.type === "ClassExpression") && parent.superClass === node) {
    return true
  }
  return parent.type === "CallExpression" || parent.type === "NewExpression"
}

const isArgument = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  return (parent?.type === "CallExpression" || parent?.type === "NewExpression") && parent.callee !== node
}

/** The variables under which a function can be reached: its own name, or the object or class that holds it. */
const ownersOf = (source: Source, scopes: Scopes, fn: Node): ReadonlyArray<Variable> => {
  const owners: Array<Variable> = []
  const add = (identifier: Node) => {
    const variable = scopes.references.get(identifier)?.variable
    if (variable) owners.push(variable)
  }
  for (const [child, parent] of [[fn, fn] as const, ...ancestry(source, fn)]) {
    if ("id" in parent && parent.id && parent.type !== "VariableDeclarator") {
      owners.push(...declaredBy(scopes, parent.id))
    }
    if (parent.type === "VariableDeclarator") return [...owners, ...declaredBy(scopes, parent.id)]
    if (parent.type === "AssignmentExpression" && parent.right === child) {
      add(rootOf(parent.left))
      return owners
    }
    if (parent !== fn && (parent.type.endsWith("Statement") || isFunction(parent))) return owners
  }
  return owners
}

const declaredBy = (scopes: Scopes, id: Node): ReadonlyArray<Variable> => {
  const direct = scopes.references.get(id)?.variable
  if (direct) return [direct]
  return [...scopes.byVariable.keys()].filter((variable) =>
    variable.identifiers.some((identifier) => (identifier as unknown) === id)
  )
}

const rootOf = (node: Node): Node => node.type === "MemberExpression" ? rootOf(node.object) : node

const ancestry = function*(source: Source, node: Node): Generator<readonly [child: Node, parent: Node]> {
  let child = node
  for (let parent = parentOf(source, child); parent !== undefined; parent = parentOf(source, child)) {
    yield [child, parent]
    child = parent
  }
}

/** Crossing from child to parent, does one leave code that runs only when somebody calls it? */
const defers = (source: Source, child: Node, parent: Node): boolean => {
  if (isFunction(parent)) return !isImmediate(source, parent)
  return parent.type === "PropertyDefinition" && !parent.static && parent.value === child
}

const guards = (child: Node, parent: Node): boolean => {
  switch (parent.type) {
    case "IfStatement":
    case "ConditionalExpression":
      return parent.test !== child
    case "LogicalExpression":
    case "AssignmentPattern":
      return parent.right === child
    case "AssignmentExpression":
      return parent.right === child && ["||=", "&&=", "??="].includes(parent.operator)
    case "ForStatement":
    case "ForInStatement":
    case "ForOfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "SwitchCase":
      return true
    default:
      return false
  }
}
