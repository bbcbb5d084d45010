/** Turns `require` into `import`, where that means the same, and into a made `require` elsewhere. */
import type { VariableDeclarator } from "acorn"
import { posix } from "node:path"
import type { FileFacts, Inventory, RequireFacts, Target } from "../Inventory.ts"
import { addAhead, addBefore, count, type Draft, quoted, replace } from "./Draft.ts"
import { isQuietClosure, type Linkage, linkageOf } from "./Linkage.ts"
import { nameOf } from "./Names.ts"
import type { Binding, NamedPart, RequireSite } from "./Requires.ts"
import { type Node, textOf, topStatement } from "./Source.ts"
import { splitDeclaration, splitPoint } from "./SplitDeclaration.ts"

export const rewriteRequires = (draft: Draft, inventory: Inventory, file: FileFacts): void => {
  const linked = draft.analysis.requires.map((site, index) => {
    const facts = file.requires[index]!
    return { site, facts, linkage: linkageOf(inventory.files, file.path, facts) }
  })
  const imported = linked.filter(({ linkage }) => linkage.how === "import")
  const declarators = new Set(imported.flatMap((link) => importedDeclarator(inventory, link) ?? []))
  for (const { site } of imported) if (site.binding.type === "effect") draft.imported.add(site.binding.statement)
  const defaults = new Map<string, string>()
  for (const { facts, site } of imported) rewriteImport({ draft, inventory, file, defaults, declarators }, site, facts)
  splitDeclaration(draft, declarators)
  const required = linked.filter(({ linkage }) => linkage.how === "require")
  for (const { facts, linkage } of required) warnRequire(draft, facts, linkage)
  const { moduleValues, requireValues } = draft.analysis.wrapper
  if (required.length > 0 || requireValues.length > 0 || moduleValues.some(({ held }) => held)) makeRequire(draft)
  warnCycle(draft, inventory, file, imported.map(({ facts }) => facts))
  warnOrder(draft, inventory, imported.map(({ facts }) => facts))
}

/** The specifier under which an ES module reaches the target. */
export const specifierOf = (from: string, facts: RequireFacts): string => {
  const { target } = facts
  if (target.kind === "builtin") return target.name
  if (target.kind === "package") return target.specifier
  if (target.kind !== "file") return facts.specifier ?? ""
  const path = posix.relative(posix.dirname(from), target.path)
  return path.startsWith(".") ? path : `./${path}`
}

interface Context {
  readonly draft: Draft
  readonly inventory: Inventory
  readonly file: FileFacts
  /** The variable that holds the default export, by specifier. */
  readonly defaults: Map<string, string>
  /** Those which become import statements. */
  readonly declarators: ReadonlySet<VariableDeclarator>
}

interface Link {
  readonly site: RequireSite
  readonly facts: RequireFacts
}

/** The declarator that becomes an import statement as a whole. */
const importedDeclarator = (inventory: Inventory, { facts, site }: Link): VariableDeclarator | null => {
  const { binding } = site
  if (binding.type === "whole") return binding.declarator
  if (binding.type !== "parts" && binding.type !== "member") return null
  return areNamed(inventory, facts.target, partsOf(binding)) ? binding.declarator : null
}

const partsOf = (binding: Binding): ReadonlyArray<NamedPart> =>
  binding.type === "parts" ? binding.parts : binding.type === "member" ? [binding.part] : []

/** Can the names be imported? Not from JSON, and from CommonJS only Node's guess would tell. */
const areNamed = (inventory: Inventory, target: Target, parts: ReadonlyArray<NamedPart>): boolean => {
  if (target.kind === "builtin") return parts.every(({ imported }) => !target.unnamed.includes(imported))
  if (target.kind !== "file") return false
  const file = inventory.files[target.path]
  const names = file?.kind === "module" || file?.kind === "script" ? file.exports.names : []
  return parts.every(({ imported }) => names.includes(imported))
}

const rewriteImport = (context: Context, site: RequireSite, facts: RequireFacts): void => {
  const { defaults, draft, inventory } = context
  const { binding, call } = site
  count(draft, "require to import")
  if (binding.type === "effect") return replace(draft, call, `import ${sourceText(context, facts)}`)
  const declarator = importedDeclarator(inventory, { site, facts })
  if (declarator === null || binding.type === "inline") {
    const name = defaultName(context, site, facts)
    draft.inlined.set(call, name)
    return replace(draft, call, name)
  }
  const from = ` from ${sourceText(context, facts)}`
  if (binding.type === "member") {
    const { imported, local } = binding.part
    const clause = imported === local ? imported : `${imported} as ${local}`
    draft.text.update(declarator.start, declarator.end, `{ ${clause} }${from}`)
    return
  }
  draft.text.update(declarator.id.end, declarator.end, from)
  if (binding.type === "parts") return rewritePattern(draft, binding.pattern)
  const { name } = binding.id
  if (draft.analysis.scopes.declarations.get(name) === 1) defaults.set(specifierOf(context.file.path, facts), name)
}

/** `{ a, b: c }` → `{ a, b as c }`, with its line breaks and comments. */
const rewritePattern = ({ text }: Draft, pattern: Node): void => {
  if (pattern.type !== "ObjectPattern") return
  for (const property of pattern.properties) {
    if (property.type === "Property" && !property.shorthand) text.update(property.key.end, property.value.start, " as ")
  }
}

const sourceText = ({ draft, file }: Context, facts: RequireFacts): string => {
  const isJson = facts.target.kind === "file" && facts.target.path.endsWith(".json")
  const attributes = isJson ? ` with { type: ${quoted(draft, "json")} }` : ""
  return quoted(draft, specifierOf(file.path, facts)) + attributes
}

/** The variable for the default export; imports it right before the statement, which keeps the order of loading. */
const defaultName = (context: Context, site: RequireSite, facts: RequireFacts): string => {
  const { defaults, draft, file } = context
  const specifier = specifierOf(file.path, facts)
  const known = defaults.get(specifier)
  if (known !== undefined) return known
  const name = draft.names.fresh(nameOf(specifier))
  const line = `import ${name} from ${sourceText(context, facts)}`
  const { source } = draft.analysis
  const declarator = splitPoint(source, context.declarators, site.call)
  if (facts.when === "call") draft.imports.push(line)
  else if (declarator !== null) addAhead(draft, declarator, line)
  else addBefore(draft, topStatement(source, site.call), line)
  defaults.set(specifier, name)
  return name
}

/** The name must be `require`: the calls stay as they are. */
const makeRequire = (draft: Draft): void => {
  const createRequire = draft.names.fresh("createRequire")
  const clause = createRequire === "createRequire" ? createRequire : `createRequire as ${createRequire}`
  draft.imports.unshift(`import { ${clause} } from ${quoted(draft, "node:module")}`)
  draft.setup.unshift(`const require = ${createRequire}(import.meta.url)`)
  count(draft, "createRequire")
  for (const { node, passedOn } of draft.analysis.wrapper.requireValues) {
    if (!passedOn) continue
    const message = `hands on \`${textOf(draft.analysis.source, node)}\`: what is loaded through it cannot be seen`
    draft.warnings.push({ code: "require-passed-on", message, risky: true, ...position(draft, node) })
  }
}

const warnRequire = (draft: Draft, facts: RequireFacts, linkage: Linkage): void => {
  if (linkage.how === "import") return
  const { column, line } = facts
  draft.warnings.push({ code: linkage.code, message: linkage.why, risky: linkage.risky, line, column })
}

/** CommonJS may have handed out an unfinished object here, or nothing for a name; an import sees the final value. */
const warnCycle = (
  draft: Draft,
  inventory: Inventory,
  file: FileFacts,
  imported: ReadonlyArray<RequireFacts>
): void => {
  const cycle = inventory.cycles.find((members) => members.includes(file.path)) ?? []
  for (const { column, line, target } of imported) {
    if (target.kind !== "file" || !cycle.includes(target.path)) continue
    const message = `in a cycle with ${target.path}: sees its finished exports, in whatever order the two are loaded`
    draft.warnings.push({ code: "cycle-import", message, risky: false, line, column })
  }
}

/** One warning a file: the first statement that used to run before a module was loaded, and now runs after. */
const warnOrder = (draft: Draft, inventory: Inventory, imported: ReadonlyArray<RequireFacts>): void => {
  const moved = imported.filter((facts) =>
    facts.when === "load" && facts.after !== "nothing" && mayNotice(inventory, facts)
  )
  const facts = moved.find(({ after }) => after === "actions") ?? moved[0]
  if (facts === undefined) return
  const risky = facts.after === "actions"
  const what = risky ? "statements that act" : "values that are computed"
  const message = `"${facts.specifier}" is now loaded before the ${what} above it`
  draft.warnings.push({ code: "import-order", message, risky, line: facts.line, column: facts.column })
}

const mayNotice = ({ files }: Inventory, { target }: RequireFacts): boolean =>
  target.kind === "package" || (target.kind === "file" && !isQuietClosure(files, target.path))

const position = (draft: Draft, node: Node) => {
  const before = draft.analysis.source.text.slice(0, node.start)
  return { line: before.split("\n").length, column: node.start - before.lastIndexOf("\n") }
}
