/** Turns what a file did with `module.exports` into export statements; the forms are explained in `Exports`. */
import type { FileFacts, Inventory, RequireFacts } from "../Inventory.ts"
import { addAfter, count, type Draft, quoted, removeStatement, replace } from "./Draft.ts"
import { isAfter, type Root } from "./ExportRoot.ts"
import type { ExportUse } from "./ExportUses.ts"
import { specifierOf } from "./ImportRewrite.ts"
import { linkageOf } from "./Linkage.ts"
import { nameOf } from "./Names.ts"
import { contains, type Node, parentOf, topStatement } from "./Source.ts"

export const rewriteExports = (draft: Draft, inventory: Inventory, file: FileFacts): void => {
  const { exports } = draft.analysis
  const taken = exports.names.map(({ name }) => name).filter((name) => !file.exports.names.includes(name))
  const unnamed = [...exports.unnamed, ...taken]
  if (unnamed.length > 0) warnUnnamed(draft, unnamed)
  switch (exports.form) {
    case "none":
      return isValueWanted(inventory, file) ? declareObject(draft, file) : undefined
    case "object":
      return declareObject(draft, file)
    case "reexport":
    case "single":
      return exportRoot(draft, inventory, file, exports.root!)
    case "replaced":
      return replaceObject(draft, file, exports.root!)
    case "emulated":
      return emulate(draft)
  }
}

/** `module.exports = require("./x")` when the names of the other file can be passed on as they are. */
export const reexportedSite = (draft: Draft, inventory: Inventory, file: FileFacts): RequireFacts | null => {
  const { exports, requires } = draft.analysis
  if (exports.form !== "reexport") return null
  const facts = file.requires[requires.findIndex(({ call }) => call === exports.root?.value)]
  const kind = facts?.target.kind === "file" ? inventory.files[facts.target.path]?.kind : undefined
  if (!facts || (kind !== "module" && kind !== "script")) return null
  return linkageOf(inventory.files, file.path, facts).how === "import" ? facts : null
}

export const rewriteReexport = (draft: Draft, inventory: Inventory, file: FileFacts, facts: RequireFacts): void => {
  const { source } = draft.analysis
  const root = draft.analysis.exports.root!
  const from = quoted(draft, specifierOf(file.path, facts))
  const target = facts.target.kind === "file" ? inventory.files[facts.target.path] : undefined
  const all = target?.exports.names.every((name) => file.exports.names.includes(name))
  const names = all ? [] : file.exports.names
  const lines = [`export ${clause(["default", `default as "module.exports"`, ...names])} from ${from}`]
  if (all && file.exports.names.length > 0) lines.push(`export * from ${from}`)
  count(draft, "module.exports to export")
  const statement = topStatement(source, root.outer)
  const semicolon = source.text[statement.end - 1] === ";" ? ";" : ""
  draft.text.update(statement.start, statement.end, lines.join(semicolon + draft.style.newline) + semicolon)
}

const warnUnnamed = (draft: Draft, names: ReadonlyArray<string>): void => {
  const message = `${names.join(", ")}: may change after loading, and is a member of the default export only`
  draft.warnings.push({ code: "unnamed-export", message, risky: false, line: 1, column: 1 })
}

const isValueWanted = (inventory: Inventory, file: FileFacts): boolean =>
  inventory.package?.main === file.path ||
  Object.values(inventory.files).some(({ requires }) =>
    requires.some(({ effectOnly, target }) => !effectOnly && target.kind === "file" && target.path === file.path)
  )

const declareObject = (draft: Draft, file: FileFacts): void => {
  const holder = objectName(draft)
  draft.setup.push(`const ${holder} = {}`)
  rename(draft, draft.analysis.exports.uses, holder)
  draft.footer.push(...exportLines(draft, file, holder))
}

/** `exports` where nothing else in the file is called so. */
const objectName = (draft: Draft): string => {
  if (!draft.analysis.scopes.declarations.has("exports")) return "exports"
  return draft.names.fresh("moduleExports")
}

const rename = (draft: Draft, uses: ReadonlyArray<ExportUse>, holder: string): void => {
  for (const { node } of uses) {
    count(draft, "exports object")
    replace(draft, node, holder)
  }
}

const exportRoot = (draft: Draft, inventory: Inventory, file: FileFacts, root: Root): void => {
  const { exports, source } = draft.analysis
  const others = exports.uses.filter(({ node }) => !root.links.some(({ left }) => left === node))
  const outside = others.filter(({ node }) => !contains(root.outer, node))
  const statement = topStatement(source, root.outer)
  const declared = declarableName(draft, root)
  const holder = declared ?? holderOf(draft, others.length > 0) ?? newHolder(draft, inventory, file, root)
  count(draft, "module.exports to export")
  rename(draft, others, holder)
  const lines = exportLines(draft, file, holder)
  // Members may be added through a variable as well: they are read when all of them are there.
  const isComplete = outside.length === 0 && (exports.local === null || lines.length === 1)
  const isOnlyExport = holder === exports.local && !root.declared
  if (isOnlyExport && isComplete) return replaceStatement(draft, statement, lines)
  if (isOnlyExport) removeStatement(draft, statement)
  else if (declared !== null) {
    draft.text.remove(root.outer.start, afterEquals(draft, root.outer.left.end, root.value.start))
  } else keepValue(draft, root, statement, holder)
  if (isComplete) { for (const line of lines) addAfter(draft, statement, line) }
  else draft.footer.push(...lines)
}

/** `module.exports = function parse () {…}` is a declaration of `parse`, if no one else in the file is called so. */
const declarableName = (draft: Draft, root: Root): string | null => {
  const { scopes, source } = draft.analysis
  const { value } = root
  if ((value.type !== "FunctionExpression" && value.type !== "ClassExpression") || !value.id) return null
  const { name } = value.id
  const isPlain = root.links.length === 1 && root.outer.right === value &&
    source.text.slice(afterEquals(draft, root.outer.left.end, value.start), value.start) === ""
  const isOnly = scopes.declarations.get(name) === 1 && scopes.free.every(({ node }) => node.name !== name)
  return isPlain && isOnly && parentOf(source, root.outer)?.type === "ExpressionStatement" ? name : null
}

/** The variable that has the value already, if it means the same wherever the exports were used. */
const holderOf = (draft: Draft, isUsed: boolean): string | null => {
  const { exports, scopes } = draft.analysis
  const isVisible = exports.local !== null && (!isUsed || scopes.declarations.get(exports.local) === 1)
  return isVisible ? exports.local : null
}

/** `exports`, or for a function without a name the name of the file, which is what stack traces will show. */
const newHolder = (draft: Draft, inventory: Inventory, file: FileFacts, root: Root): string => {
  const { scopes } = draft.analysis
  if (!root.declared && isAnonymous(root.value)) {
    const name = draft.names.fresh(nameOfFile(inventory, file.path))
    const message = `the exported function had no name and is called ${name} now`
    draft.warnings.push({ code: "function-named", message, risky: false, line: 1, column: 1 })
    return name
  }
  return scopes.declarations.has("exports") ? draft.names.fresh("moduleExports") : "exports"
}

const isAnonymous = (value: Node): boolean =>
  value.type === "ArrowFunctionExpression" ||
  ((value.type === "FunctionExpression" || value.type === "ClassExpression") && !value.id)

const nameOfFile = (inventory: Inventory, path: string): string => {
  const name = nameOf(path)
  const generic = ["index", "lib", "src", "dist", "main"].includes(name)
  return generic ? nameOf(inventory.package?.name ?? name) : name
}

/** `module.exports = value` → `const exports = value`; in a declaration the assignment is dropped. */
const keepValue = (draft: Draft, root: Root, statement: Node, holder: string): void => {
  const { source } = draft.analysis
  const parent = parentOf(source, root.outer)
  const isDeclared = parent?.type === "VariableDeclarator" && parent.id.type === "Identifier"
  for (const [index, { left, right }] of root.links.entries()) {
    const isFirst = index === 0 && left.start === root.outer.start && !isDeclared
    const end = afterEquals(draft, left.end, right.start)
    if (isFirst) draft.text.update(left.start, end, `const ${holder} = `)
    else draft.text.remove(left.start, end)
  }
  if (isDeclared && parent.id.type === "Identifier" && parent.id.name !== holder) {
    addAfter(draft, statement, `const ${holder} = ${parent.id.name}`)
  } else if (!isDeclared && root.links[0]?.left.start !== root.outer.start) {
    draft.text.appendRight(root.outer.start, `const ${holder} = `)
  }
}

/** The value may stand in parentheses, which belong to no node. */
const afterEquals = (draft: Draft, from: number, to: number): number => {
  const { comments, text } = draft.analysis.source
  let equals = text.indexOf("=", from)
  for (const { end, start } of comments) if (start <= equals && equals < end) equals = text.indexOf("=", end)
  const space = /^\s*/.exec(text.slice(equals + 1, to))?.[0].length ?? 0
  return equals + 1 + space
}

const replaceStatement = (draft: Draft, statement: Node, lines: ReadonlyArray<string>): void => {
  const semicolon = draft.analysis.source.text[statement.end - 1] === ";" ? ";" : ""
  draft.text.update(statement.start, statement.end, lines.join(semicolon + draft.style.newline) + semicolon)
}

/** `exports` goes on as the object it was; what `module.exports` became gets a variable of its own. */
const replaceObject = (draft: Draft, file: FileFacts, root: Root): void => {
  const { exports, source } = draft.analysis
  const holder = draft.names.fresh("moduleExports")
  const others = exports.uses.filter(({ node }) => !root.links.some(({ left }) => left === node))
  draft.setup.push("const exports = {}")
  rename(draft, others.filter((use) => isAfter(root, use)), holder)
  rename(draft, others.filter((use) => !isAfter(root, use)), "exports")
  count(draft, "module.exports to export")
  keepValue(draft, root, topStatement(source, root.outer), holder)
  draft.footer.push(...exportLines(draft, file, holder))
}

const emulate = (draft: Draft): void => {
  const { exports, scopes, wrapper } = draft.analysis
  const isHeld = wrapper.moduleValues.some(({ held }) => held)
  const plain = exports.uses.filter(({ via }) => via === "exports")
  const these = exports.uses.filter(({ via }) => via === "this")
  draft.setup.push(`const module = { exports: {}${isHeld ? ", require" : ""} }`)
  if (plain.length > 0 && !scopes.top.has("exports")) {
    const isReplaced = plain.some(({ use }) => use.type === "root")
    draft.setup.push(`${isReplaced ? "let" : "const"} exports = module.exports`)
  }
  if (these.length > 0) {
    const first = draft.names.fresh("firstExports")
    draft.setup.push(`const ${first} = module.exports`)
    for (const { node } of these) replace(draft, node, first)
  }
  count(draft, "module object kept")
  const holder = draft.names.fresh("moduleExports")
  draft.footer.push(`const ${holder} = module.exports`, defaultLine([], holder))
  warnEmulated(draft, isHeld)
}

const warnEmulated = (draft: Draft, isHeld: boolean): void => {
  const message = "what it exports is decided at run time: there is a default export and no names"
  draft.warnings.push({ code: "run-time-exports", message, risky: false, line: 1, column: 1 })
  if (!isHeld) return
  const held = "keeps its module object, which is a plain one now: exports and require, nothing else"
  draft.warnings.push({ code: "module-held", message: held, risky: true, line: 1, column: 1 })
}

/** The default, the name for `require`, and the names; those without a variable of their own are read once. */
const exportLines = (draft: Draft, file: FileFacts, holder: string): ReadonlyArray<string> => {
  const planned = new Map(draft.analysis.exports.names.map((planned) => [planned.name, planned]))
  const bound: Array<string> = []
  const read: Array<string> = []
  const readAs: Array<string> = []
  for (const name of file.exports.names) {
    const plan = planned.get(name)
    const local = plan?.local ?? (plan?.call && draft.inlined.get(plan.call))
    if (local) bound.push(local === name ? name : `${local} as ${name}`)
    else if (name !== holder && draft.names.isFreeAtTop(name)) read.push(name)
    else {
      const renamed = draft.names.fresh(`${name}Value`)
      readAs.push(`${name}: ${renamed}`)
      bound.push(`${renamed} as ${name}`)
    }
  }
  return [
    ...readAs.length > 0 ? [`const ${clause(readAs)} = ${holder}`] : [],
    defaultLine(bound, holder),
    ...read.length > 0 ? [`export const ${clause(read)} = ${holder}`] : []
  ]
}

const defaultLine = (names: ReadonlyArray<string>, holder: string): string =>
  `export ${clause([`${holder} as default`, `${holder} as "module.exports"`, ...names])}`

const clause = (parts: ReadonlyArray<string>): string => {
  const line = `{ ${parts.join(", ")} }`
  return line.length <= 100 ? line : `{\n${parts.map((part) => `  ${part}`).join(",\n")}\n}`
}
