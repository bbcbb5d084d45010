/**
 * What the Markdown pages point at: links to files and headings, and files they name in code spans. A page that points
 * at nothing is out of date, and a page nobody points at is not read.
 *
 * Addresses of the world are counted, not visited: a check must not depend on the network.
 */
import { dirname, join } from "node:path/posix"
import type { Finding, SourceFile } from "./Workspace.ts"

export interface Linked {
  readonly pages: number
  /** Links within the repository. */
  readonly links: number
  /** Those of them that name a heading. */
  readonly anchors: number
  /** Files named in code spans. */
  readonly files: number
  readonly outside: number
  readonly findings: ReadonlyArray<Finding>
}

interface Reference {
  readonly line: number
  readonly target: string
}

/** The lines of a page, those of fences emptied: nothing in them is a link or a heading. */
const proseOf = ({ text }: SourceFile): ReadonlyArray<string> => {
  let fence: string | undefined
  return text.split("\n").map((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence === undefined) {
      fence = mark
      return fence === undefined ? line : ""
    }
    if (mark?.startsWith(fence) === true && line.trim() === mark) fence = undefined
    return ""
  })
}

const find = (lines: ReadonlyArray<string>, pattern: RegExp): ReadonlyArray<Reference> =>
  lines.flatMap((text, index) => [...text.matchAll(pattern)].map((match) => ({ line: index + 1, target: match[1]! })))

const isOutside = (target: string) => /^[a-z][a-z+.-]*:/i.test(target)

/** A heading's name in an address, as GitHub makes it. */
const slugOf = (heading: string) =>
  heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim()
    .replaceAll(/\s/g, "-")

const headingsOf = (lines: ReadonlyArray<string>): ReadonlySet<string> => {
  const slugs = new Set<string>()
  for (const { target } of find(lines, /^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const slug = slugOf(target)
    let name = slug
    for (let n = 1; slugs.has(name); n++) name = `${slug}-${n}`
    slugs.add(name)
  }
  return slugs
}

const namesFile = /`((?:packages|apps|docs|scripts|test|\.ci)\/[\w./@-]+\.\w+)`/g

/** Looks at every page; `exists` knows the files and folders of the repository. */
export const check = (pages: ReadonlyArray<SourceFile>, exists: (path: string) => boolean): Linked => {
  const prose = new Map(pages.map((page) => [page.path, proseOf(page)]))
  const headings = new Map([...prose].map(([path, lines]) => [path, headingsOf(lines)]))
  const linked = new Set<string>()
  const findings: Array<Finding> = []
  const counts = { links: 0, anchors: 0, files: 0, outside: 0 }

  const problemOf = (path: string, target: string) => {
    const [file = "", anchor] = target.split("#")
    const found = file === "" ? path : join(dirname(path), file)
    linked.add(found)
    if (anchor !== undefined) counts.anchors++
    if (target.startsWith("/") || found.startsWith("..") || !exists(found)) return "which is not there"
    return anchor === undefined || headings.get(found)?.has(anchor) === true
      ? undefined
      : "but there is no such heading"
  }

  for (const [path, lines] of prose) {
    const targets = find(lines, /\]\(([^)\s]+)\)/g)
    const inside = targets.filter(({ target }) => !isOutside(target))
    counts.links += inside.length
    counts.outside += targets.length - inside.length
    for (const { line, target } of inside) {
      const problem = problemOf(path, target)
      if (problem !== undefined) findings.push(`${path}:${line}: links to ${target}, ${problem}`)
    }
    for (const { line, target } of find(lines, namesFile)) {
      counts.files++
      if (!exists(target)) findings.push(`${path}:${line}: names ${target}, which is not there`)
    }
  }
  const lost = pages.filter(({ path }) => path.startsWith("docs/") && !linked.has(path))
  findings.push(...lost.map(({ path }) => `${path}: no other page links here`))
  return { pages: pages.length, ...counts, findings }
}

/** One line for a report. */
export const summary = ({ anchors, files, links, outside, pages }: Linked): string =>
  `${links} links, ${anchors} to headings, and ${files} file names on ${pages} pages; ${outside} addresses not visited`
