/**
 * A file while it is being rewritten: replacements in the text, and lines to be added around it.
 *
 * Lines are collected first and inserted last, because a replacement would swallow what was inserted at its edge.
 */
import { MagicString } from "magic-string"
import type { Warning } from "../Migrate.ts"
import type { Analysis } from "./Analysis.ts"
import { type Names, namesFor } from "./Names.ts"
import { isUseStrict } from "./Sloppy.ts"
import { type Node, parentOf, type Source } from "./Source.ts"

export interface Draft {
  readonly analysis: Analysis
  readonly text: MagicString
  readonly names: Names
  readonly style: Style
  readonly imports: Array<string>
  /** Statements which follow the imports at the top. */
  readonly setup: Array<string>
  /** Which variable took the place of a `require` call. */
  readonly inlined: Map<Node, string>
  /** Statements that have become imports as a whole. */
  readonly imported: Set<Node>
  /** Lines before a declarator that gets a statement of its own. */
  readonly ahead: Map<Node, Array<string>>
  readonly before: Map<number, Array<string>>
  readonly after: Map<number, Array<string>>
  readonly footer: Array<string>
  readonly changes: Map<string, number>
  readonly warnings: Array<Warning>
}

export interface Style {
  readonly quote: string
  readonly semicolon: string
  readonly newline: string
}

export const draftOf = (analysis: Analysis): Draft => ({
  analysis,
  text: new MagicString(analysis.source.text),
  names: namesFor(analysis.scopes),
  style: styleOf(analysis.source),
  imports: [],
  setup: [],
  inlined: new Map(),
  imported: new Set(),
  ahead: new Map(),
  before: new Map(),
  after: new Map(),
  footer: [],
  changes: new Map(),
  warnings: []
})

export const count = (draft: Draft, change: string): void => {
  draft.changes.set(change, (draft.changes.get(change) ?? 0) + 1)
}

export const quoted = ({ style }: Draft, text: string): string =>
  style.quote + text.replaceAll("\\", "\\\\").replaceAll(style.quote, `\\${style.quote}`) + style.quote

/** A line of its own before the statement, above the comment that belongs to it. */
export const addBefore = (draft: Draft, statement: Node, line: string): void =>
  add(draft.before, leadOf(draft.analysis.source, statement), line)

export const addAhead = (draft: Draft, declarator: Node, line: string): void => add(draft.ahead, declarator, line)

export const addAfter = (draft: Draft, statement: Node, line: string): void => add(draft.after, statement.end, line)

/** Replaces an expression; `{ exports }` becomes `{ exports: text }`. */
export const replace = (draft: Draft, node: Node, text: string): void => {
  const { source } = draft.analysis
  const parent = parentOf(source, node)
  const isShorthand = parent?.type === "Property" && parent.shorthand && parent.value === node
  const before = source.text.slice(node.start, node.end)
  if (before !== text) draft.text.update(node.start, node.end, isShorthand ? `${before}: ${text}` : text)
}

/** Removes a statement with its line, and one empty line after it. */
export const removeStatement = (draft: Draft, statement: Node): void => {
  const { source } = draft.analysis
  const { text } = source
  const lineStart = text.lastIndexOf("\n", statement.start - 1) + 1
  const alone = text.slice(lineStart, statement.start).trim() === ""
  const tail = /^[ \t]*(\r?\n){0,2}/.exec(text.slice(statement.end))?.[0] ?? ""
  const comment = /^[ \t]*\/[/*]/.test(text.slice(statement.end))
  if (runsOn(source, statement.end)) draft.text.update(statement.start, statement.end, ";")
  else if (alone && !comment) draft.text.remove(lineStart, statement.end + tail.length)
  else draft.text.remove(statement.start, statement.end)
}

export const finish = (draft: Draft): string => {
  const { source } = draft.analysis
  const statements = source.program.body.filter((statement) => !isUseStrict(statement))
  const rest = statements.findIndex((statement) => !draft.imported.has(statement))
  const lastImport = (rest === -1 ? statements : statements.slice(0, rest)).at(-1)
  addHeader(draft, statements[0], lastImport)
  for (const [offset, all] of draft.before) draft.text.appendLeft(offset, linesOf(draft, all))
  for (const [offset, all] of draft.after) addLinesAfter(draft, offset, all)
  return withFooter(draft)
}

/** Imports come first; what else is new follows those which stood at the top already. */
const addHeader = (draft: Draft, first: Node | undefined, lastImport: Node | undefined): void => {
  const { source } = draft.analysis
  const { newline } = draft.style
  const start = first === undefined ? source.text.length : leadOf(source, first)
  const imports = linesOf(draft, [...draft.imports, ...draft.before.get(start) ?? []])
  draft.before.delete(start)
  const next = first === undefined ? start : lastImport === undefined ? first.start : lineEnd(source, lastImport)
  const setup = setupOf(draft, next)
  const isApart = imports !== "" && first !== undefined && lastImport === undefined
  if (lastImport !== undefined && setup !== "") draft.text.appendLeft(next, newline + newline + setup)
  const own = lastImport !== undefined || setup === "" ? "" : setup + newline + newline
  const header = imports + (isApart ? newline : "") + own
  if (first === undefined) draft.text.append(header)
  else draft.text.appendLeft(start, header)
}

const setupOf = ({ analysis, setup, style }: Draft, offset: number): string => {
  const lines = setup.join(style.semicolon + style.newline)
  return lines === "" ? "" : lines + (runsOn(analysis.source, offset) ? ";" : style.semicolon)
}

const addLinesAfter = (draft: Draft, offset: number, lines: ReadonlyArray<string>): void => {
  const { newline, semicolon } = draft.style
  const end = runsOn(draft.analysis.source, offset) ? ";" : semicolon
  draft.text.appendLeft(offset, lines.map((line) => newline + line).join(semicolon) + end)
}

const withFooter = (draft: Draft): string => {
  const { newline } = draft.style
  const footer = draft.footer.length === 0 ? "" : newline + linesOf(draft, draft.footer)
  const body = draft.text.toString()
  const code = body + (footer !== "" && !body.endsWith("\n") ? newline : "") + footer
  return newline === "\n" ? code : code.replace(/\r?\n/g, newline)
}

/** Does the statement after the offset begin so that a line without a semicolon would go on with it? */
const runsOn = ({ program, text }: Source, offset: number): boolean => {
  const next = program.body.find((statement) => statement.start >= offset)
  return next !== undefined && /[([`+\-/]/.test(text[next.start] ?? "")
}

const linesOf = ({ style }: Draft, lines: ReadonlyArray<string>): string =>
  lines.map((line) => line + style.semicolon + style.newline).join("")

/** Behind the comment which may follow a statement on its line. */
const lineEnd = ({ text }: Source, statement: Node): number => {
  const rest = /^[ \t]*(\/\/.*)?(?=\r?\n|$)/.exec(text.slice(statement.end))?.[0]
  return statement.end + (rest?.length ?? 0)
}

const add = <Key>(map: Map<Key, Array<string>>, key: Key, line: string): void => {
  const lines = map.get(key)
  if (lines === undefined) map.set(key, [line])
  else lines.push(line)
}

/** Where a statement begins for a reader: at the comment right above it, unless that is the file's own header. */
const leadOf = (source: Source, statement: Node): number => {
  let start = statement.start
  for (const comment of source.comments.toReversed()) {
    if (comment.end > start) continue
    const gap = source.text.slice(comment.end, start)
    const ownLine = /(^|\n)[ \t]*$/.test(source.text.slice(0, comment.start))
    if (!/^[ \t]*\r?\n[ \t]*$/.test(gap) || !ownLine || isBanner(comment.value)) break
    start = comment.start
  }
  return start
}

const isBanner = (comment: string): boolean => /^!|@license|copyright|eslint|jshint|^\/usr/i.test(comment)

const styleOf = (source: Source): Style => {
  const quotes = source.nodes.flatMap((node) =>
    node.type === "Literal" && typeof node.value === "string" ? [source.text[node.start] ?? ""] : []
  )
  const isDouble = quotes.filter((quote) => quote === "\"").length * 2 > quotes.length
  const statements = source.program.body.filter(({ type }) => /^(Expression|Variable)/.test(type))
  const ended = statements.filter(({ end }) => source.text[end - 1] === ";")
  return {
    quote: isDouble ? "\"" : "'",
    semicolon: ended.length * 2 > statements.length ? ";" : "",
    newline: source.text.includes("\r\n") ? "\r\n" : "\n"
  }
}
