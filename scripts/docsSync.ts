/**
 * `npm run docs:sync [-- --check]`: keeps every TypeScript fence of the Markdown pages equal to code that is compiled
 * and run. A fence names its source, from the root: a file of docs/examples or a `*.examples.ts`, and perhaps a region.
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
import * as Links from "./links.ts"
import { type Finding, readFiles, type SourceFile } from "./Workspace.ts"

export interface Synced {
  readonly fences: number
  /** Pages that must change, with their new text. */
  readonly stale: ReadonlyArray<SourceFile>
  /** Fences that name no source, or one that is not there. */
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

const syncPage = (page: SourceFile, sources: ReadonlyMap<string, string>) => {
  const findings: Array<Finding> = []
  const lines = page.text.split("\n")
  const out: Array<string> = []
  let fences = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    out.push(line)
    const fence = opening.exec(line)
    if (fence === null) continue
    fences++
    const indent = fence[1]!
    const end = lines.findIndex((other, index) => index > at && other === `${indent}\`\`\``)
    const body = end < 0 ? "never ends" : lookUp(fence[2]!, sources)
    if (typeof body === "string") findings.push(`${page.path}:${at + 1}: the fence ${body}`)
    else {
      out.push(...body.map((code) => code === "" ? "" : indent + code))
      at = end - 1
    }
  }
  return { fences, findings, text: out.join("\n") }
}

/** What every page should say, given the code as it is. */
export const sync = (pages: ReadonlyArray<SourceFile>, code: ReadonlyArray<SourceFile>): Synced => {
  const sources = new Map(code.filter(({ path }) => isSource(path)).map(({ path, text }) => [path, text]))
  const results = pages.map((page) => ({ page, ...syncPage(page, sources) }))
  return {
    fences: results.reduce((sum, { fences }) => sum + fences, 0),
    stale: results.filter(({ page, text }) => text !== page.text).map(({ page, text }) => ({ path: page.path, text })),
    findings: results.flatMap(({ findings }) => findings)
  }
}

const main = (check: boolean) => {
  const pages = readFiles("**/*.md")
  const { fences, findings, stale } = sync(pages, readFiles("**/*.{ts,tsx}"))
  if (!check) stale.forEach(({ path, text }) => writeFileSync(join(root, path), text))
  const changed = stale.map(({ path }) =>
    check ? `${path}: out of date, run \`npm run docs:sync\`` : `${path}: written`
  )
  const linked = Links.check(pages, (path) => existsSync(join(root, path)))
  for (const line of [...findings, ...changed, ...linked.findings]) console.log(line)
  console.log(`${fences} fences on ${pages.length} pages`)
  console.log(Links.summary(linked))
  const isGood = findings.length === 0 && linked.findings.length === 0 && !(check && stale.length > 0)
  process.exitCode = isGood ? 0 : 1
}

if (import.meta.main) main(process.argv.includes("--check"))
