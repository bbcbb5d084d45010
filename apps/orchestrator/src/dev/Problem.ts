/**
 * What is wrong with code that cannot be loaded, and where: from what the compiler, the resolver or the code itself threw.
 */
import type { DevProblem } from "@coppice/api/DevApi"
import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { stripVTControlCharacters } from "node:util"

/** Where code was being loaded. */
export interface Origin {
  readonly root: string
  /** What is wrong when nothing says where. */
  readonly config: string
  /** Whether a file is the user's, so that a place in it is worth showing. */
  readonly isKnown: (path: string) => boolean
}

interface Place {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
}

/** As compilers and resolvers say it; columns count from 0. */
interface Located {
  readonly message?: string
  readonly id?: string
  readonly loc?: { readonly file?: string; readonly line: number; readonly column: number }
  readonly errors?: ReadonlyArray<Located>
  readonly stack?: string
}

const ofCompiler = ({ id, loc }: Located): Place | undefined => {
  const file = loc?.file ?? id
  if (file === undefined) return undefined
  return { file, line: loc?.line ?? null, column: loc === undefined ? null : loc.column + 1 }
}

/** The innermost place of the stack that is in one of the user's files. */
const ofStack = ({ stack = "" }: Located, { isKnown }: Origin): Place | undefined => {
  for (const [, path, line, column] of stack.matchAll(/(?:file:\/\/)?(\/[^\s():]+):(\d+):(\d+)/g)) {
    if (isKnown(path!)) return { file: path!, line: Number(line), column: Number(column) }
  }
  return undefined
}

/** What the runner says of an import that leads nowhere. */
const nowhere = /Failed to load url (\S+) .* in (\/[^\s]+?)\. Does the file exist/

const ofImport = ({ message = "" }: Located): Place | undefined => {
  const [, , file] = nowhere.exec(message) ?? []
  return file === undefined ? undefined : { file, line: null, column: null }
}

/** The first line that says something: compilers print a drawing around it. */
const messageOf = ({ message = "unknown" }: Located): string => {
  const lines = stripVTControlCharacters(message).split("\n").map((line) => line.trim())
  const line = lines.find((text) => text !== "" && !text.startsWith("Transform failed")) ?? "unknown"
  const [, lost] = nowhere.exec(line) ?? []
  if (lost !== undefined) return `it imports ${lost}, and there is no such file`
  return line.replace(/^\[[A-Z_]+\]\s*/, "").replace(/^\[(?:vite|plugin)[^\]]*\]\s*/, "")
}

const excerptOf = ({ file, line }: Place): string | null => {
  try {
    return line === null ? null : readFileSync(file, "utf8").split("\n")[line - 1]?.trimEnd() ?? null
  } catch {
    return null
  }
}

/** The problem as people are shown it. */
export const of = (error: unknown, origin: Origin): Omit<DevProblem, "at"> => {
  const outer: Located = error instanceof Error ? error : { message: String(error) }
  const inner = outer.errors?.[0] ?? outer
  const place = ofImport(inner) ?? ofCompiler(inner) ?? ofStack(outer, origin) ?? ofCompiler(outer)
  const { column, file, line } = place ?? { file: origin.config, line: null, column: null }
  return {
    message: messageOf(inner),
    file: relative(origin.root, file),
    line,
    column,
    excerpt: place === undefined ? null : excerptOf(place)
  }
}
