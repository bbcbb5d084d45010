/**
 * The names that Node's CommonJS wrapper passes to every file, apart from the exports: `require` used other than by
 * calling it, `module` used other than for `module.exports`, `__dirname`, `__filename`, and the question "am I main?".
 */
import type { Refusal } from "../Inventory.ts"
import { freeNamed, type Reference, type Scopes } from "./Scopes.ts"
import { locate, type Node, parentOf, type Source } from "./Source.ts"

export interface MainCheck {
  /** The expression to replace. */
  readonly node: Node
  readonly negated: boolean
}

export interface WrapperUses {
  readonly mainChecks: ReadonlyArray<MainCheck>
  readonly dirname: ReadonlyArray<Node>
  readonly filename: ReadonlyArray<Node>
  /** `require` as a value: `typeof require`, `require.resolve`, handed to somebody. */
  readonly requireValues: ReadonlyArray<{ readonly node: Node; readonly passedOn: boolean }>
  /** `module` as a value: `typeof module`, `module && …`. */
  readonly moduleValues: ReadonlyArray<{ readonly node: Node; readonly held: boolean }>
  readonly refusals: ReadonlyArray<Refusal>
}

export const wrapperNames = ["exports", "require", "module", "__filename", "__dirname"] as const

export const wrapperUses = (source: Source, scopes: Scopes): WrapperUses => {
  const mainChecks = source.nodes.flatMap((node) => mainCheckAt(source, scopes, node) ?? [])
  const outside = (reference: Reference) =>
    !mainChecks.some(({ node }) => node.start <= reference.node.start && reference.node.end <= node.end)
  const required = freeNamed(scopes, "require").filter(outside)
  const modules = freeNamed(scopes, "module").filter(outside)
  const values = required.filter(({ node }) => !isCallee(source, node))
  return {
    mainChecks,
    dirname: freeNamed(scopes, "__dirname").map(({ node }) => node),
    filename: freeNamed(scopes, "__filename").map(({ node }) => node),
    requireValues: values.map(({ node }) => ({ node, passedOn: isPassedOn(source, node) })),
    moduleValues: modules
      .filter(({ node }) => memberOf(source, node) !== "exports")
      .map(({ node }) => ({ node, held: isHeld(source, node) })),
    refusals: [
      ...redeclared(source, scopes),
      ...required.flatMap((reference) => refuseRequire(source, reference) ?? []),
      ...modules.flatMap((reference) => refuseModule(source, reference) ?? []),
      ...["__dirname", "__filename"].flatMap((name) =>
        freeNamed(scopes, name).filter(({ writes }) => writes).map(({ node }) =>
          refuse(source, node, "wrapper-assigned", `assigns ${name}`)
        )
      )
    ]
  }
}

export const refuse = (source: Source, node: Node, code: string, message: string): Refusal => ({
  code,
  message,
  ...locate(source.text, node.start)
})

/** The name of the property read from the node, if it is the object of a plain member access. */
export const memberOf = (source: Source, node: Node): string | null => {
  const parent = parentOf(source, node)
  if (parent?.type !== "MemberExpression" || parent.object !== node) return null
  if (!parent.computed && parent.property.type === "Identifier") return parent.property.name
  return parent.property.type === "Literal" ? String(parent.property.value) : null
}

const isCallee = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  return parent?.type === "CallExpression" && parent.callee === node
}

const isPassedOn = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  const isTypeof = parent?.type === "UnaryExpression" && parent.operator === "typeof"
  return !isTypeof && memberOf(source, node) !== "resolve"
}

/** More than a look: `typeof module`, `module && …` and `module.hot` do not keep it. */
const isHeld = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  if (parent?.type === "UnaryExpression" || parent?.type === "MemberExpression") return false
  if (parent?.type === "LogicalExpression") return parent.right === node && isHeld(source, parent)
  return parent?.type !== "IfStatement" && parent?.type !== "ConditionalExpression"
}

const redeclared = (source: Source, scopes: Scopes): ReadonlyArray<Refusal> =>
  wrapperNames.flatMap((name) => {
    const definition = scopes.top.get(name)?.defs.find(({ type }) => type === "Variable")
    const declarator = definition?.node as Node | undefined
    if (declarator?.type !== "VariableDeclarator") return []
    // `var exports = module.exports = …` starts a new life for the name; other declarations keep Node's value.
    const fresh = declarator.init && !mentions(source, declarator.init, name)
    return fresh
      ? []
      : [refuse(source, declarator, "wrapper-redeclared", `declares ${name} and keeps Node's value for it`)]
  })

const mentions = (source: Source, outer: Node, name: string): boolean =>
  source.nodes.some((node) =>
    node.type === "Identifier" && node.name === name && outer.start <= node.start && node.end <= outer.end &&
    !isPropertyName(source, node)
  )

const isPropertyName = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  if (parent?.type === "MemberExpression") return parent.property === node && !parent.computed
  return parent?.type === "Property" && parent.key === node && !parent.computed && !parent.shorthand
}

const refuseRequire = (source: Source, { node, writes }: Reference): Refusal | null => {
  if (writes) return refuse(source, node, "wrapper-assigned", "assigns require")
  const member = memberOf(source, node)
  return member === "cache" || member === "extensions"
    ? refuse(source, node, "require-internals", `uses require.${member}, which does not know ES modules`)
    : null
}

const moduleInternals = new Set(
  "children constructor filename id isPreloading loaded parent path paths require".split(" ")
)

const refuseModule = (source: Source, { node, writes }: Reference): Refusal | null => {
  if (writes) return refuse(source, node, "wrapper-assigned", "assigns module")
  const member = memberOf(source, node)
  if (member !== null && moduleInternals.has(member)) {
    return refuse(source, node, "module-internals", `uses module.${member}, which ES modules do not have`)
  }
  const parent = parentOf(source, node)
  const isArgument = parent?.type === "CallExpression" && parent.callee !== node
  return isArgument ? refuse(source, node, "module-internals", "hands its module object to a function") : null
}

/** `require.main === module` in either order, and the older `!module.parent`. */
const mainCheckAt = (source: Source, scopes: Scopes, node: Node): MainCheck | null => {
  if (node.type === "BinaryExpression" && /^[!=]==?$/.test(node.operator)) {
    const sides = [node.left, node.right]
    const isCheck = sides.some((side) => isFree(scopes, side, "module")) &&
      sides.some((side) => isMemberOfFree(scopes, side, "require", "main"))
    return isCheck ? { node, negated: node.operator.startsWith("!") } : null
  }
  if (!isMemberOfFree(scopes, node, "module", "parent")) return null
  const parent = parentOf(source, node)
  if (parent?.type === "UnaryExpression" && parent.operator === "!") return { node: parent, negated: false }
  const isTest = (parent?.type === "IfStatement" || parent?.type === "ConditionalExpression") && parent.test === node
  return isTest ? { node, negated: true } : null
}

const isFree = (scopes: Scopes, node: Node, name: string): boolean =>
  node.type === "Identifier" && node.name === name && scopes.references.get(node)?.variable === null

const isMemberOfFree = (scopes: Scopes, node: Node, object: string, name: string): boolean =>
  node.type === "MemberExpression" && isFree(scopes, node.object, object) && !node.computed &&
  node.property.type === "Identifier" && node.property.name === name
