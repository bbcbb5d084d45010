/**
 * Code that means something else in strict mode, and ES modules are always strict.
 *
 * What the grammar forbids is found by parsing the file as a module. The rest is found here; a file that already says
 * "use strict" has none of it. A function whose `this` is the global object when called plainly cannot be told from a
 * method in general: refused are those that are called on the spot, or by their name only.
 */
import type { Refusal } from "../Inventory.ts"
import { isFunction } from "./Moment.ts"
import { type Reference, referencesTo, type Scopes } from "./Scopes.ts"
import { type Node, parentOf, parse, type Source } from "./Source.ts"
import { memberOf, refuse, wrapperNames } from "./Wrapper.ts"

export const sloppyRefusals = (source: Source, scopes: Scopes): ReadonlyArray<Refusal> => {
  const argumentsUses = [...scopes.references.keys()].filter((node) =>
    node.type === "Identifier" && node.name === "arguments"
  )
  const uses = Map.groupBy(argumentsUses, (node) => ownerOfThis(source, node))
  return [
    ...moduleSyntax(source),
    ...source.nodes.flatMap((node) => [...directEval(source, scopes, node), ...globalThisUse(source, scopes, node)]),
    ...[...uses.values()].flat().flatMap((node) => calleeUse(source, node)),
    ...(uses.get(undefined) ?? []).map((node) => topLevelArguments(source, node)),
    ...scopes.free.flatMap((reference) => implicitGlobal(source, reference)),
    ...source.nodes.flatMap((node) => blockFunction(source, scopes, node)),
    ...[...uses].flatMap(([fn, inFunction]) => fn ? aliasedArguments(source, scopes, fn, inFunction) : [])
  ]
}

/** Where `this` and `arguments` of a node come from: the nearest function that is not an arrow, or a class body. */
export const ownerOfThis = (source: Source, node: Node): Node | undefined => {
  let child = node
  for (let parent = parentOf(source, node); parent !== undefined; parent = parentOf(source, parent)) {
    if (parent.type === "FunctionDeclaration" || parent.type === "FunctionExpression") return parent
    if (parent.type === "StaticBlock" || (parent.type === "PropertyDefinition" && parent.value === child)) return parent
    child = parent
  }
  return undefined
}

const moduleSyntax = (source: Source): ReadonlyArray<Refusal> => {
  const parsed = parse(source.text, "module")
  return parsed.ok ? [] : [{ code: "not-module-syntax", message: `as a module: ${parsed.message}`, ...parsed.location }]
}

const directEval = (source: Source, scopes: Scopes, node: Node): ReadonlyArray<Refusal> => {
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier" || node.callee.name !== "eval") return []
  const free = scopes.references.get(node.callee)?.variable === null
  return free ? [refuse(source, node, "direct-eval", "eval sees the variables around it, which may be CommonJS's")] : []
}

const calleeUse = (source: Source, node: Node): ReadonlyArray<Refusal> =>
  /^(callee|caller)$/.test(memberOf(source, node) ?? "") && !isStrictAt(source, node)
    ? [refuse(source, node, "arguments-callee", "arguments.callee throws in strict mode")]
    : []

const topLevelArguments = (source: Source, node: Node): Refusal =>
  refuse(source, node, "wrapper-arguments", "reads the arguments of Node's CommonJS wrapper")

const globalThisUse = (source: Source, scopes: Scopes, node: Node): ReadonlyArray<Refusal> => {
  if (node.type !== "ThisExpression") return []
  const owner = ownerOfThis(source, node)
  if (owner === undefined || isStrictAt(source, owner)) return []
  return isPlainCallee(source, owner) || isOnlyCalledPlainly(source, scopes, owner)
    ? [refuse(source, node, "sloppy-this", "this is the global object here, and undefined in a module")]
    : []
}

/** `(function () { … })()`, also `(a || function () { … })()`; not `.call(this)`. */
const isPlainCallee = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  if (parent?.type === "LogicalExpression" || parent?.type === "ConditionalExpression") {
    return isPlainCallee(source, parent)
  }
  return parent?.type === "CallExpression" && parent.callee === node
}

/** A declared function which is only ever called by its name: nothing can give it another `this`. */
const isOnlyCalledPlainly = (source: Source, scopes: Scopes, fn: Node): boolean => {
  if (fn.type !== "FunctionDeclaration") return false
  const variable = [...scopes.byVariable.keys()].find(({ defs }) => defs.some(({ node }) => (node as unknown) === fn))
  const references = variable ? referencesTo(scopes, variable) : []
  return references.length > 0 && references.every(({ node }) => {
    const parent = parentOf(source, node)
    return parent?.type === "CallExpression" && parent.callee === node
  })
}

/** In sloppy mode a function declared in a block is also a variable of the function around it. */
const blockFunction = (source: Source, scopes: Scopes, node: Node): ReadonlyArray<Refusal> => {
  if (node.type !== "FunctionDeclaration" || !node.id) return []
  const parent = parentOf(source, node)
  const holder = parent?.type === "BlockStatement" ? parentOf(source, parent) : parent
  if (parent?.type === "Program" || (holder && isFunction(holder)) || isStrictAt(source, node)) return []
  const { name } = node.id
  const isElsewhere = (scopes.declarations.get(name) ?? 0) > 1 || scopes.free.some((free) => free.node.name === name)
  return isElsewhere
    ? [refuse(source, node, "block-function", `${name} is declared in a block and known outside of it`)]
    : []
}

/** Assigning to an undeclared name makes a global in sloppy mode and throws in strict mode. */
const implicitGlobal = (source: Source, { node, strict, writes }: Reference): ReadonlyArray<Refusal> => {
  const known = node.name in globalThis || (wrapperNames as ReadonlyArray<string>).includes(node.name)
  return writes && !strict && !known
    ? [refuse(source, node, "implicit-global", `assigns the undeclared variable ${node.name}`)]
    : []
}

/** In sloppy mode `arguments[0]` and the first parameter are one variable; in strict mode they are two. */
const aliasedArguments = (
  source: Source,
  scopes: Scopes,
  fn: Node,
  uses: ReadonlyArray<Node>
): ReadonlyArray<Refusal> => {
  if (!("params" in fn) || fn.params.length === 0 || isStrictAt(source, fn)) return []
  if (fn.params.some((param) => param.type !== "Identifier")) return []
  const written = uses.find((use) => isElementWritten(source, use))
  const writes = fn.params.flatMap((param) => writesOf(scopes, fn, param))
  const elements = uses.filter((use) => memberOf(source, use) !== "length")
  const node = written ?? writes.find((write) => elements.some((use) => mayFollow(source, fn, write, use)))
  return node === undefined
    ? []
    : [refuse(source, node, "arguments-alias", "changes a parameter that is also read or written through arguments")]
}

const isElementWritten = (source: Source, use: Node): boolean => {
  const member = parentOf(source, use)
  const assignment = member && parentOf(source, member)
  return member?.type === "MemberExpression" && member.computed && assignment?.type === "AssignmentExpression" &&
    assignment.left === member
}

const writesOf = (scopes: Scopes, fn: Node, param: Node): ReadonlyArray<Node> => {
  const variable = [...scopes.byVariable.keys()].find((candidate) =>
    candidate.defs.some(({ name, node }) => (name as unknown) === param && (node as unknown) === fn)
  )
  return variable === undefined
    ? []
    : referencesTo(scopes, variable).filter(({ writes }) => writes).map(({ node }) => node)
}

/** Later in the text, or both in one loop, or in an inner function that may run at any time. */
const mayFollow = (source: Source, fn: Node, write: Node, use: Node): boolean => {
  const assignment = parentOf(source, write)
  const written = assignment?.type === "AssignmentExpression" && assignment.left === write ? assignment.end : write.end
  if (use.start > written) return true
  for (let node = parentOf(source, write); node !== undefined && node !== fn; node = parentOf(source, node)) {
    const isLoop = /^(For|While|DoWhile)/.test(node.type)
    if (isFunction(node) || (isLoop && node.start <= use.start && use.end <= node.end)) return true
  }
  return false
}

const isStrictAt = (source: Source, node: Node): boolean => {
  for (let current: Node | undefined = node; current !== undefined; current = parentOf(source, current)) {
    if (current.type === "ClassBody" || hasUseStrict(current)) return true
    if (isFunction(current) && "body" in current && hasUseStrict(current.body)) return true
  }
  return false
}

export const hasUseStrict = (node: Node): boolean =>
  (node.type === "Program" || node.type === "BlockStatement") && node.body.some(isUseStrict)

export const isUseStrict = (statement: Node): boolean =>
  statement.type === "ExpressionStatement" && statement.directive === "use strict"
