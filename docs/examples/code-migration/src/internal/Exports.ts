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
import type { Expression } from "acorn"
import type { ExportForm, Refusal } from "../Inventory.ts"
import { isRequireCall } from "./Effects.ts"
import { type Alias, collectNames, type ExportName } from "./ExportNames.ts"
import { isAfter, isPlainRoot, othersOf, type Root, rootsOf } from "./ExportRoot.ts"
import { aliasUses, type ExportUse, exportUses } from "./ExportUses.ts"
import { runsAtLoad } from "./Moment.ts"
import { type Scopes, stableTop, type Variable } from "./Scopes.ts"
import { contains, type Node, parentOf, type Source } from "./Source.ts"
import { refuse, type WrapperUses } from "./Wrapper.ts"

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
  const form = wrapper.moduleValues.length > 0 ? "emulated" : formOf(source, scopes, uses, roots)
  const root = form === "single" || form === "reexport" || form === "replaced" ? roots[0] ?? null : null
  const alias = form === "object" ? objectAlias(uses) : form === "single" ? rootAlias(source, scopes, root!) : null
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

const none = { names: [], unnamed: [] }

const formOf = (
  source: Source,
  scopes: Scopes,
  uses: ReadonlyArray<ExportUse>,
  roots: ReadonlyArray<Root>
): ExportForm => {
  if (uses.length === 0) return "none"
  const root = roots[0]
  if (root === undefined) return "object"
  if (roots.length > 1 || !isPlainRoot(source, root)) return "emulated"
  if (!isOnlyObject(source, scopes, root, uses)) return isSplit(source, scopes, root, uses) ? "replaced" : "emulated"
  const alone = uses.every((use) => contains(root.outer, use.node))
  return isRequireCall(scopes, root.value) && alone && !root.declared ? "reexport" : "single"
}

/** Nothing looks at the object that was there before. */
const isOnlyObject = (source: Source, scopes: Scopes, root: Root, uses: ReadonlyArray<ExportUse>): boolean =>
  othersOf(root, uses).every((use) =>
    use.via !== "this" && (root.synced || use.via !== "exports") &&
    (use.node.start > root.outer.end || !runsAtLoad(source, scopes, use.node))
  )

/** Which of the two objects is meant can be told for every use. */
const isSplit = (source: Source, scopes: Scopes, root: Root, uses: ReadonlyArray<ExportUse>): boolean =>
  !root.synced && !root.declared && !scopes.declarations.has("exports") &&
  othersOf(root, uses).every((use) =>
    use.via !== "module" || use.moment.when === "load" || use.node.start > root.outer.end ||
    !runsAtLoad(source, scopes, use.node)
  )

/** `const api = exports` */
const objectAlias = (uses: ReadonlyArray<ExportUse>): Alias | null => {
  const use = uses.map(({ use }) => use).find((use) => use.type === "alias")
  return use === undefined ? null : { variable: use.variable, own: true }
}

/** `const api = module.exports = {}`, or `module.exports = Api` with a class of its own. */
const rootAlias = (source: Source, scopes: Scopes, root: Root): Alias | null => {
  const declarator = parentOf(source, root.outer)
  const declared = declarator?.type === "VariableDeclarator" ? stableTop(scopes, declarator.id) : null
  if (declared !== null) return { variable: declared, own: true }
  const exported = root.declared ? null : stableTop(scopes, root.value)
  return exported !== null && isSetBefore(exported, root) ? { variable: exported, own: false } : null
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

const refusalsOf = (source: Source, form: ExportForm, uses: ReadonlyArray<ExportUse>): ReadonlyArray<Refusal> => {
  if (form !== "emulated") return []
  const later = uses.find(({ moment, use, via }) => use.type === "root" && via === "module" && moment.when === "call")
  return later ? [refuse(source, later.node, "exports-replaced-later", "replaces module.exports after loading")] : []
}
