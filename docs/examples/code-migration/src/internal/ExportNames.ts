/**
 * Which members of the exports can be exported by name as well.
 *
 * A name follows the default export faithfully if the member is set while the file loads, in any case, and never again.
 * If a variable holds the same value for good, that variable is exported; otherwise the member is read once, at the end.
 */
import type { AssignmentExpression, Expression, ObjectExpression } from "acorn"
import { isRequireCall } from "./Effects.ts"
import { outermost, type Root } from "./ExportRoot.ts"
import type { ExportUse } from "./ExportUses.ts"
import { staticName } from "./Requires.ts"
import { type Scopes, stableTop, type Variable } from "./Scopes.ts"
import { type Node, parentOf, type Source } from "./Source.ts"

export interface ExportName {
  readonly name: string
  /** The variable which holds the same value for good; null when it is read from the object after loading. */
  readonly local: string | null
  /** The value is that of this `require` call, which an import may come to hold. */
  readonly call: Node | null
  /** Defined with a getter: reading it early may reach into a file that has not run. */
  readonly late: boolean
}

export interface Alias {
  readonly variable: Variable
  /** It was made for the exports; a class or function that is exported later has a life of its own. */
  readonly own: boolean
}

export interface Exported {
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

export const collectNames = (
  source: Source,
  scopes: Scopes,
  { alias, aliased, root, uses }: Exported
): { readonly names: ReadonlyArray<ExportName>; readonly unnamed: ReadonlyArray<string> } => {
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
