/**
 * `npm run docs:sync [-- --check]`: keeps every TypeScript fence of the Markdown pages equal to code that is compiled
 * and run. A fence names its source, from the root: a file of docs/examples or a `*.examples.ts`, and perhaps a region.
 * Between `<!-- generated name -->` and `<!-- end -->` stands what a program says (`coverage.ts`).
 * Then it looks where the pages point (`links.ts`).
 *
 * ~~~text
 * ```ts docs/examples/hello.ts#agent      takes what stands in docs/examples/hello.ts
 * …                                       between `// #region agent` and `// #endregion agent`
 * ```
 * ~~~
 */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./childProcess.ts"
import * as Coverage from "./coverage.ts"
import * as Links from "./links.ts"
import { type Finding, readFiles, type SourceFile } from "./Workspace.ts"

export interface Synced {
  readonly fences: number
  /** Pages that must change, with their new text. */
  readonly stale: ReadonlyArray<SourceFile>
  /** Fences and blocks that name no source, or one that is not there. */
  readonly findings: ReadonlyArray<Finding>
}

const opening = /^( *)```(?:ts|tsx|typescript)\b *(.*)$/
const isMarker = (line: string) => /^\s*\/\/ #(?:end)?region\b/.test(line)
const isSource = (path: string) => /^docs\/examples\/.*\.tsx?$|\.examples\.tsx?$/.test(path)

const dedent = (lines: ReadonlyArray<string>) => {
  const depth = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)![0].length))
  return lines.map((line) => line.slice(depth))
}

const trimBlank = (lines: ReadonlyArray<string>) => {
  const first = lines.findIndex((line) => line.trim() !== "")
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex((line) => line.trim() !== "") + 1)
}

/** The lines of a file, or of one of its regions; undefined where the region is missing or never ends. */
const excerpt = (text: string, region: string | undefined) => {
  const lines = text.split("\n")
  if (region === undefined) return trimBlank(lines.filter((line) => !isMarker(line)))
  const start = lines.findIndex((line) => line.trim() === `// #region ${region}`)
  const end = lines.findIndex((line) => line.trim() === `// #endregion ${region}`)
  if (start < 0 || end < start) return undefined
  return dedent(trimBlank(lines.slice(start + 1, end).filter((line) => !isMarker(line))))
}

const lookUp = (reference: string, sources: ReadonlyMap<string, string>) => {
  const [path = "", region] = reference.split("#")
  if (!isSource(path)) return "names no file of docs/examples and no *.examples.ts"
  const text = sources.get(path)
  if (text === undefined) return `names ${path}, which does not exist`
  return excerpt(text, region) ?? `names region ${region}, which ${path} does not have`
}

/** What the pages are made of. */
interface Sources {
  readonly code: ReadonlyMap<string, string>
  readonly blocks: ReadonlyMap<string, ReadonlyArray<string>>
}

interface Part {
  readonly isFence: boolean
  readonly end: string
  /** The lines between, or what is wrong. */
  readonly body: ReadonlyArray<string> | string
}

/** What begins on this line. */
const partAt = (line: string, { blocks, code }: Sources): Part | undefined => {
  const fence = opening.exec(line)
  if (fence !== null) {
    const [, indent = "", reference = ""] = fence
    const found = lookUp(reference, code)
    const body = typeof found === "string" ? found : found.map((text) => text === "" ? "" : indent + text)
    return { isFence: true, end: `${indent}\`\`\``, body }
  }
  const name = /^<!-- generated (\S+) -->$/.exec(line)?.[1]
  if (name === undefined) return undefined
  return { isFence: false, end: "<!-- end -->", body: blocks.get(name) ?? `names ${name}, which nothing generates` }
}

const syncPage = (page: SourceFile, sources: Sources) => {
  const findings: Array<Finding> = []
  const lines = page.text.split("\n")
  const out: Array<string> = []
  let fences = 0
  for (let at = 0; at < lines.length; at++) {
    out.push(lines[at]!)
    const part = partAt(lines[at]!, sources)
    if (part === undefined) continue
    if (part.isFence) fences++
    const end = lines.findIndex((other, index) => index > at && other === part.end)
    const body = end < 0 ? "never ends" : part.body
    if (typeof body === "string") {
      findings.push(`${page.path}:${at + 1}: the ${part.isFence ? "fence" : "block"} ${body}`)
    } else {
      out.push(...body)
      at = end - 1
    }
  }
  return { fences, findings, text: out.join("\n") }
}

/** What every page should say, given the code as it is. */
export const sync = (
  pages: ReadonlyArray<SourceFile>,
  files: ReadonlyArray<SourceFile>,
  blocks: Sources["blocks"] = new Map()
): Synced => {
  const code = new Map(files.filter(({ path }) => isSource(path)).map(({ path, text }) => [path, text]))
  const results = pages.map((page) => ({ page, ...syncPage(page, { code, blocks }) }))
  return {
    fences: results.reduce((sum, { fences }) => sum + fences, 0),
    stale: results.filter(({ page, text }) => text !== page.text).map(({ page, text }) => ({ path: page.path, text })),
    findings: results.flatMap(({ findings }) => findings)
  }
}

const main = (check: boolean) => {
  const pages = readFiles("**/*.md")
  const { fences, findings, stale } = sync(pages, readFiles("**/*.{ts,tsx}"), Coverage.blocks())
  if (!check) stale.forEach(({ path, text }) => writeFileSync(join(root, path), text))
  const changed = stale.map(({ path }) =>
    check ? `${path}: out of date, run \`npm run docs:sync\`` : `${path}: written`
  )
  const linked = Links.check(pages, (path) => existsSync(join(root, path)))
  const uncovered = Coverage.allFindings()
  for (const line of [...findings, ...uncovered, ...changed, ...linked.findings]) console.log(line)
  for (const line of Coverage.summaries()) console.log(line)
  console.log(`${fences} fences on ${pages.length} pages`)
  console.log(Links.summary(linked))
  const isGood = findings.length + uncovered.length === 0 && linked.findings.length === 0 &&
    !(check && stale.length > 0)
  process.exitCode = isGood ? 0 : 1
}

if (import.meta.main) main(process.argv.includes("--check"))
