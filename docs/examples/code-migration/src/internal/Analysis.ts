/** Everything the engine knows about one file from its text alone. */
import type { Location, Refusal, RequireFacts } from "../Inventory.ts"
import { effectsBefore, isQuiet } from "./Effects.ts"
import { type ExportPlan, exportPlan } from "./Exports.ts"
import { aliasUses, type Use, useOf } from "./ExportUses.ts"
import { runsAtLoad } from "./Moment.ts"
import { boundVariables, namesTaken, type RequireSite, requireSites } from "./Requires.ts"
import { referencesTo, type Scopes, scopesOf, type Variable } from "./Scopes.ts"
import { sloppyRefusals } from "./Sloppy.ts"
import { locate, type Node, parentOf, parse, type Source, textOf } from "./Source.ts"
import { type WrapperUses, wrapperUses } from "./Wrapper.ts"

export interface Analysis {
  readonly source: Source
  readonly scopes: Scopes
  readonly requires: ReadonlyArray<RequireSite>
  readonly wrapper: WrapperUses
  readonly exports: ExportPlan
  readonly refusals: ReadonlyArray<Refusal>
}

export type Analysed =
  | { readonly ok: true; readonly analysis: Analysis }
  | { readonly ok: false; readonly message: string; readonly location: Location }

export const analyse = (text: string): Analysed => {
  const parsed = parse(text, "commonjs")
  if (!parsed.ok) return parsed
  const { source } = parsed
  const scopes = scopesOf(source, "commonjs")
  const wrapper = wrapperUses(source, scopes)
  const exports = exportPlan(source, scopes, wrapper)
  const refusals = [...wrapper.refusals, ...exports.refusals, ...sloppyRefusals(source, scopes)]
  return {
    ok: true,
    analysis: { source, scopes, wrapper, exports, requires: requireSites(source, scopes), refusals }
  }
}

/** CommonJS cannot have `import` or `export` statements. */
export const isEsModule = (text: string): boolean => {
  const parsed = parse(text, "module")
  return parsed.ok && parsed.source.program.body.some(({ type }) => /^(Import|Export)/.test(type))
}

/** What a `require` means for the rest of the graph; where it leads is found by the resolver. */
export const requireFacts = (analysis: Analysis, site: RequireSite) => {
  const { scopes, source } = analysis
  const { binding, call, moment } = site
  const variables = boundVariables(scopes, binding)
  return {
    ...moment,
    ...locate(source.text, call.start),
    specifier: site.specifier,
    names: namesTaken(source, site),
    effectOnly: binding.type === "effect",
    atLoad: binding.type === "inline"
      ? isReexported(analysis, site) ? "untouched" as const : touchOf(analysis, [call])
      : touchOf(analysis, variables.flatMap((variable) => readsOf(scopes, variable))),
    after: effectsBefore(source, scopes, call.start),
    mutates: mutations(analysis, site)
  }
}

export const isQuietFile = ({ scopes, source }: Analysis): boolean => isQuiet(source, scopes)

const readsOf = (scopes: Scopes, variable: Variable): ReadonlyArray<Node> =>
  referencesTo(scopes, variable).filter(({ initial }) => !initial).map(({ node }) => node)

const touchOf = ({ scopes, source }: Analysis, nodes: ReadonlyArray<Node>): RequireFacts["atLoad"] => {
  const loading = nodes.filter((node) => runsAtLoad(source, scopes, node))
  if (loading.length === 0) return "untouched"
  return loading.every((node) => isOnlyHeld(source, node)) ? "held" : "used"
}

/** Kept under another name: `exports.a = a`, `{ a }`, `[a]`, `const b = a`. */
const isOnlyHeld = (source: Source, node: Node): boolean => {
  const parent = parentOf(source, node)
  switch (parent?.type) {
    case "Property":
      return parent.value === node
    case "AssignmentExpression":
      return parent.right === node
    case "VariableDeclarator":
      return parent.id.type === "Identifier"
    default:
      return parent?.type === "ArrayExpression"
  }
}

const isReexported = ({ exports }: Analysis, site: RequireSite): boolean =>
  exports.form === "reexport" && exports.root?.value === site.call

const mutations = ({ scopes, source }: Analysis, { binding, call }: RequireSite): ReadonlyArray<string> => {
  const uses = binding.type === "whole"
    ? boundVariables(scopes, binding).flatMap((variable) => aliasUses(source, scopes, variable))
    : binding.type === "inline"
    ? [{ node: call, use: useOf(source, scopes, call) }]
    : []
  return [...new Set(uses.flatMap(({ node, use }) => changedNames(source, node, use)))]
}

const changedNames = (source: Source, node: Node, use: Use): ReadonlyArray<string> => {
  if (use.type === "write" || use.type === "define" || use.type === "remove") return [use.name ?? "*"]
  return use.type === "leak" && isHandedOver(source, node) ? ["*"] : []
}

/** To a function that might add members or replace them; the ones which only look are known. */
const isHandedOver = (source: Source, node: Node): boolean => {
  const call = parentOf(source, node)
  if ((call?.type !== "CallExpression" && call?.type !== "NewExpression") || call.callee === node) return false
  return !/^(Array|console|JSON|Object|Reflect)\.|^(inherits|util\.inherits|assert)$/.test(textOf(source, call.callee))
}
