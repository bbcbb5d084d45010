/**
 * Which identifier means which variable.
 *
 * A thin door to eslint-scope, so that the rest of the engine sees acorn's node types only. `free` are the references
 * which no declaration of the file explains: globals, and in CommonJS the five names Node passes to every file.
 */
import type { Identifier } from "acorn"
import { analyze, type Reference as RawReference, type Scope, type Variable } from "eslint-scope"
import type { Node, Source } from "./Source.ts"

export type { Variable }

export interface Reference {
  readonly node: Identifier
  readonly variable: Variable | null
  readonly writes: boolean
  readonly reads: boolean
  /** The write is the initialiser of the declaration. */
  readonly initial: boolean
  readonly strict: boolean
}

export interface Scopes {
  readonly free: ReadonlyArray<Reference>
  readonly references: ReadonlyMap<Node, Reference>
  readonly byVariable: ReadonlyMap<Variable, ReadonlyArray<Reference>>
  /** The variables declared at the top of the file. */
  readonly top: ReadonlyMap<string, Variable>
  /** Every name that occurs as a variable anywhere in the file. */
  readonly names: ReadonlySet<string>
  /** How often a name is declared, at any depth. */
  readonly declarations: ReadonlyMap<string, number>
}

type Program = Parameters<typeof analyze>[0]

export const scopesOf = (source: Source, sourceType: "commonjs" | "module"): Scopes => {
  const manager = analyze(source.program as unknown as Program, { ecmaVersion: 2026, sourceType })
  const references = manager.scopes.flatMap((scope) =>
    scope.references.map((reference) => toReference(reference, scope))
  )
  // Inside of a class its own name is declared once more; it means the same.
  const scopes = manager.scopes.filter(({ type }) => type !== "class")
  const variables = scopes.flatMap((scope) => scope.variables).filter((variable) => variable.defs.length > 0)
  return {
    free: references.filter((reference) => reference.variable === null),
    references: new Map(references.map((reference) => [reference.node, reference])),
    byVariable: groupByVariable(references),
    top: topVariables(manager.scopes),
    names: new Set([...references.map(({ node }) => node.name), ...variables.map(({ name }) => name)]),
    declarations: countNames(variables)
  }
}

/** Declared once and never assigned again: its value is the one it was declared with. */
export const isStable = (scopes: Scopes, variable: Variable): boolean =>
  variable.defs.length === 1 &&
  referencesTo(scopes, variable).every((reference) => !reference.writes || reference.initial)

/** The variable at the top of the file which the identifier means, if it is a stable one. */
export const stableTop = (scopes: Scopes, node: Node): Variable | null => {
  if (node.type !== "Identifier") return null
  const variable = scopes.top.get(node.name)
  const known = variable !== undefined && scopes.references.get(node)?.variable === variable
  return known && isStable(scopes, variable) ? variable : null
}

export const referencesTo = (scopes: Scopes, variable: Variable): ReadonlyArray<Reference> =>
  scopes.byVariable.get(variable) ?? []

export const freeNamed = (scopes: Scopes, name: string): ReadonlyArray<Reference> =>
  scopes.free.filter((reference) => reference.node.name === name)

const toReference = (reference: RawReference, scope: Scope): Reference => ({
  node: reference.identifier as unknown as Identifier,
  variable: reference.resolved === null || reference.resolved.defs.length === 0 ? null : reference.resolved,
  writes: reference.isWrite(),
  reads: reference.isRead(),
  initial: reference.init === true,
  strict: scope.isStrict
})

const groupByVariable = (references: ReadonlyArray<Reference>): Map<Variable, Array<Reference>> => {
  const groups = new Map<Variable, Array<Reference>>()
  for (const reference of references) {
    if (reference.variable === null) continue
    const group = groups.get(reference.variable)
    if (group === undefined) groups.set(reference.variable, [reference])
    else group.push(reference)
  }
  return groups
}

const topVariables = (scopes: ReadonlyArray<Scope>): ReadonlyMap<string, Variable> => {
  const top = scopes.find((scope) => scope.upper?.type === "global" && scope.block.type === "Program")
  return new Map([...top?.set ?? []].filter(([, variable]) => variable.defs.length > 0))
}

const countNames = (variables: ReadonlyArray<Variable>): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { name } of variables) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
