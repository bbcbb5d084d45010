/**
 * How a file's exports become ES exports.
 *
 * Every migrated file has one default export: the very object (or function, or class) that `module.exports` was, so
 * that `import x` and code that changes `x` keep their meaning. It is exported a second time under the name
 * "module.exports", which makes `require` of the new file return what it always returned. Names come on top, only
 * where nothing assigns them after loading, so that `import { a }` and `x.a` can never disagree.
 *
 * The forms, from the plainest:
 *   none      the file exports nothing
 *   reexport  `module.exports = require("./x")`
 *   single    one `module.exports = value` at the top, perhaps with members added later
 *   object    only `exports.x = …`: the object is declared first, the rest of the file stays
 *   replaced  `exports` is used first, then `module.exports = value`: two objects, two variables
 *   emulated  anything else (conditional, UMD): `module` becomes an ordinary local object
 */
import type { AssignmentExpression, Expression, ObjectExpression } from "acorn"
import type { ExportForm, Refusal } from "../Inventory.ts"
import { aliasUses, type ExportUse, exportUses } from "./ExportUses.ts"
import { runsAtLoad } from "./Moment.ts"
import { isRequireCall } from "./Effects.ts"
import { staticName } from "./Requires.ts"
import { isStable, type Scopes, type Variable } from "./Scopes.ts"
import { contains, type Node, parentOf, type Source } from "./Source.ts"
import { refuse, type WrapperUses } from "./Wrapper.ts"

export interface ExportName {
  readonly name: string
  /** The variable which holds the same value for good; null when it is read from the object after loading. */
  readonly local: string | null
  /** The value is that of this `require` call, which an import may come to hold. */
  readonly call: Node | null
  /** Defined with a getter: reading it early may reach into a file that has not run. */
  readonly late: boolean
}

/** `exports = module.exports = value`, with everything else that is assigned on the way. */
export interface Root {
  readonly outer: AssignmentExpression
  readonly links: ReadonlyArray<AssignmentExpression>
  readonly value: Expression
  readonly synced: boolean
  /** A declaration or an assignment to a variable takes the value too. */
  readonly declared: boolean
}

export interface ExportPlan {
  readonly form: ExportForm
  readonly uses: ReadonlyArray<ExportUse>
  readonly root: Root | null
  /** The variable that already holds the exports. */
  readonly local: string | null
  readonly names: ReadonlyArray<ExportName>
  /** Members which change after loading, or may: only the default export shows them. */
  readonly unnamed: ReadonlyArray<string>
  /** Calls of `require` whose names are passed on. */
  readonly from: ReadonlyArray<Node>
  readonly hoisted: boolean
  readonly refusals: ReadonlyArray<Refusal>
}

export const exportPlan = (source: Source, scopes: Scopes, wrapper: WrapperUses): ExportPlan => {
  const uses = exportUses(source, scopes)
  const roots = rootsOf(source, uses)
  const form = formOf(source, scopes, uses, roots, wrapper)
  const root = form === "single" || form === "reexport" || form === "replaced" ? roots[0] ?? null : null
  const alias = aliasOf(source, scopes, form, uses, root)
  const aliased = alias === null ? [] : aliasUses(source, scopes, alias.variable)
  const from = form === "emulated" || root === null ? [] : passedOn(scopes, root.value)
  const shown = form === "replaced" ? uses.filter((use) => isAfter(root!, use)) : uses
  const names = form === "emulated" ? none : collectNames(source, scopes, { uses: shown, root, alias, aliased })
  return {
    form,
    uses,
    root,
    local: alias?.variable.name ?? null,
    ...names,
    from,
    hoisted: form === "single" && alias?.variable.defs[0]?.type === "FunctionName",
    refusals: refusalsOf(source, form, uses)
  }
}

interface Alias {
  readonly variable: Variable
  /** It was made for the exports; a class or function that is exported later has a life of its own. */
  readonly own: boolean
}

const rootsOf = (source: Source, uses: ReadonlyArray<ExportUse>): ReadonlyArray<Root> => {
  const outers = new Set<AssignmentExpression>()
  for (const { use } of uses) if (use.type === "root") outers.add(outermost(source, use.assignment))
  return [...outers].map((outer) => toRoot(source, outer, uses))
}

const outermost = (source: Source, assignment: AssignmentExpression): AssignmentExpression => {
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

const formOf = (
  source: Source,
  scopes: Scopes,
  uses: ReadonlyArray<ExportUse>,
  roots: ReadonlyArray<Root>,
  wrapper: WrapperUses
): ExportForm => {
  if (wrapper.moduleValues.length > 0) return "emulated"
  if (uses.length === 0) return "none"
  const root = roots[0]
  if (root === undefined) return "object"
  if (roots.length > 1 || !isPlainRoot(source, root)) return "emulated"
  if (!isOnlyObject(source, scopes, root, uses)) return isSplit(source, scopes, root, uses) ? "replaced" : "emulated"
  const alone = uses.every((use) => contains(root.outer, use.node))
  return isRequireCall(scopes, root.value) && alone && !root.declared ? "reexport" : "single"
}

/** One unconditional assignment to nothing but names of the exports and variables. */
const isPlainRoot = (source: Source, root: Root): boolean =>
  isTopRoot(source, root) && hasOnlyNames(root) && root.links.every(({ operator }) => operator === "=") &&
  root.links.some(({ left }) => left.type === "MemberExpression")

/** Nothing looks at the object that was there before. */
const isOnlyObject = (source: Source, scopes: Scopes, root: Root, uses: ReadonlyArray<ExportUse>): boolean =>
  othersOf(root, uses).every((use) =>
    use.via !== "this" && (root.synced || use.via !== "exports") &&
    (use.node.start > root.outer.end || !runsAtLoad(source, scopes, use.node))
  )

/** Which of the two objects is meant can be told for every use. */
const isSplit = (source: Source, scopes: Scopes, root: Root, uses: ReadonlyArray<ExportUse>): boolean =>
  !root.synced && !root.declared && !scopes.declarations.has("exports") && othersOf(root, uses).every((use) =>
    use.via !== "module" || use.moment.when === "load" || use.node.start > root.outer.end ||
    !runsAtLoad(source, scopes, use.node)
  )

const othersOf = (root: Root, uses: ReadonlyArray<ExportUse>): ReadonlyArray<ExportUse> =>
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

const aliasOf = (
  source: Source,
  scopes: Scopes,
  form: ExportForm,
  uses: ReadonlyArray<ExportUse>,
  root: Root | null
): Alias | null => {
  if (form === "object") {
    const use = uses.map(({ use }) => use).find((use) => use.type === "alias")
    return use === undefined ? null : { variable: use.variable, own: true }
  }
  if (root === null || form === "reexport" || form === "replaced") return null
  const declarator = parentOf(source, root.outer)
  const declared = declarator?.type === "VariableDeclarator" ? stableTop(scopes, declarator.id) : null
  if (declared !== null) return { variable: declared, own: true }
  const exported = root.declared ? null : stableTop(scopes, root.value)
  return exported !== null && isSetBefore(exported, root) ? { variable: exported, own: false } : null
}

const stableTop = (scopes: Scopes, node: Node): Variable | null => {
  if (node.type !== "Identifier") return null
  const variable = scopes.top.get(node.name)
  const known = variable !== undefined && scopes.references.get(node)?.variable === variable
  return known && isStable(scopes, variable) ? variable : null
}

/** `module.exports = f; var f = …` exports undefined. */
const isSetBefore = (variable: Variable, root: Root): boolean => {
  const definition = variable.defs[0]
  return definition?.type !== "Variable" || ((definition.node as unknown as Node).end <= root.outer.start)
}

/** The `require` calls whose names the exported value has as well. */
const passedOn = (scopes: Scopes, value: Expression): ReadonlyArray<Node> => {
  if (isRequireCall(scopes, value)) return [value]
  if (value.type !== "ObjectExpression") return []
  return value.properties.flatMap((property) =>
    property.type === "SpreadElement" && isRequireCall(scopes, property.argument) ? [property.argument] : []
  )
}

interface Exported {
  readonly uses: ReadonlyArray<ExportUse>
  readonly root: Root | null
  readonly alias: Alias | null
  readonly aliased: ReadonlyArray<ExportUse>
}

/** One thing that happens to a name: it gets a value, or something happens that cannot be followed. */
interface Fate {
  readonly name: string
  readonly local: string | null
  readonly call?: Node | null
  readonly late?: boolean
  readonly lost?: boolean
}

const none = { names: [], unnamed: [] }

const collectNames = (
  source: Source,
  scopes: Scopes,
  { alias, aliased, root, uses }: Exported
): Pick<ExportPlan, "names" | "unnamed"> => {
  const own = [...uses, ...alias?.own ? aliased : []]
  const foreign = alias?.own === false ? aliased.flatMap((use) => fateOf(source, scopes, use)) : []
  const literal = root?.value.type === "ObjectExpression" ? literalFates(scopes, root.value) : []
  const fates = Map.groupBy([...literal, ...own.flatMap((use) => fateOf(source, scopes, use))], ({ name }) => name)
  const leaks = own.some(({ moment, use }) => moment.when === "load" && isUnfollowed(use))
  const named = [...fates.keys()].filter(isExportable).map((name) => {
    const all = [...fates.get(name)!, ...foreign.filter((fate) => fate.name === name)]
    const only = all.length === 1 && !leaks ? all[0] : undefined
    const lost = own.some(changesUnknownLater) || all.some((fate) => fate.lost)
    return { name, local: only?.local ?? null, call: only?.call ?? null, late: all.some(({ late }) => late), lost }
  })
  return {
    names: named.filter(({ lost }) => !lost),
    unnamed: named.filter(({ lost }) => lost).map(({ name }) => name)
  }
}

const isUnfollowed = (use: ExportUse["use"]): boolean =>
  use.type === "leak" || ((use.type === "write" || use.type === "remove") && use.name === null)

/** `exports[key] = …` in a function called later: any name may change. */
const changesUnknownLater = ({ moment, use }: ExportUse): boolean =>
  moment.when === "call" && (use.type === "write" || use.type === "remove") && use.name === null

const fateOf = (source: Source, scopes: Scopes, { isTop, moment, use }: ExportUse): ReadonlyArray<Fate> => {
  const always = moment.when === "load" && !moment.guarded && isTop
  switch (use.type) {
    case "write":
      if (use.name === null) return []
      return [{ name: use.name, ...valueOf(source, scopes, use.assignment), lost: !always }]
    case "define":
      return [{ name: use.name, local: null, late: use.getter !== null, lost: !always || !isPlainGetter(use.getter) }]
    case "remove":
      return use.name === null ? [] : [{ name: use.name, local: null, lost: true }]
    default:
      return []
  }
}

/** A getter that only fetches a member of something: no laziness is lost by reading it once after loading. */
const isPlainGetter = (getter: Node | null): boolean => {
  if (getter === null) return true
  const fn = getter.type === "Property" ? getter.value : getter
  if (fn.type !== "FunctionExpression" && fn.type !== "ArrowFunctionExpression") return false
  const body = fn.body.type === "BlockStatement" && fn.body.body.length === 1 ? fn.body.body[0] : fn.body
  const value = body?.type === "ReturnStatement" ? body.argument : body
  return value?.type === "Identifier" || (value?.type === "MemberExpression" && value.object.type === "Identifier")
}

/** The variable which takes part in `const re = exports.re = []` or `exports.parse = parse`. */
const valueOf = (
  source: Source,
  scopes: Scopes,
  assignment: AssignmentExpression | null
): Pick<Fate, "local" | "call"> => {
  if (assignment === null) return { local: null }
  const outer = outermost(source, assignment)
  const parent = parentOf(source, outer)
  const declared = parent?.type === "VariableDeclarator" ? stableTop(scopes, parent.id) : null
  let value: Expression = assignment
  while (value.type === "AssignmentExpression") value = value.right
  return {
    local: (declared ?? settled(scopes, value, assignment.start))?.name ?? null,
    call: isRequireCall(scopes, value) ? value : null
  }
}

/** A stable variable that has its value already at this place. */
const settled = (scopes: Scopes, value: Node, offset: number): Variable | null => {
  const variable = stableTop(scopes, value)
  const definition = variable?.defs[0]
  if (!variable || definition?.type !== "Variable") return variable
  return (definition.node as unknown as Node).end <= offset ? variable : null
}

const literalFates = (scopes: Scopes, object: ObjectExpression): ReadonlyArray<Fate> => {
  const lastSpread = object.properties.findLastIndex(({ type }) => type === "SpreadElement")
  return object.properties.flatMap((property, index) => {
    const name = staticName(property)
    if (property.type !== "Property" || name === null) return []
    const isLast = index > lastSpread
    const variable = isLast ? settled(scopes, property.value, object.start) : null
    const call = isLast && isRequireCall(scopes, property.value) ? property.value : null
    return [{ name, local: variable?.name ?? null, call, lost: property.kind !== "init" }]
  })
}

const isExportable = (name: string): boolean =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && name !== "default" && name !== "__esModule"

const refusalsOf = (source: Source, form: ExportForm, uses: ReadonlyArray<ExportUse>): ReadonlyArray<Refusal> => {
  if (form !== "emulated") return []
  const later = uses.find(({ moment, use, via }) => use.type === "root" && via === "module" && moment.when === "call")
  return later ? [refuse(source, later.node, "exports-replaced-later", "replaces module.exports after loading")] : []
}
