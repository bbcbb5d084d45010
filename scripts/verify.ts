/**
 * `npm run verify [-- checker …]`: the gate. Every checker says how much it looked at and fails below its floor, because
 * some tools check nothing at all and say that all is well.
 *
 * Where a tool names or counts its files, they are compared with the TypeScript files on disk; the fixed floors guard
 * that comparison itself, and rise as the repository grows.
 */
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { type Ended, root, run } from "./childProcess.ts"
import type { Counts } from "./CountReporter.ts"
import { readFiles, readTypeScript } from "./Workspace.ts"

interface Looked {
  readonly count: number
  readonly what: string
  /** Why the checker is not content; empty strings say nothing. */
  readonly troubles: ReadonlyArray<string>
}

interface Checker {
  readonly name: string
  readonly floor: number
  readonly check: () => Promise<Looked>
}

const sources = readTypeScript().map(({ path }) => path)

const troubleOf = ({ output, trouble }: Ended) => trouble === undefined ? "" : `${output.trimEnd()}\n(${trouble})`
const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0)
const fromRoot = (path: string) => relative(root, path).replaceAll("\\", "/")

const unseen = (seen: ReadonlySet<string>) => {
  const paths = sources.filter((path) => !seen.has(path))
  return paths.length === 0 ? "" : `not looked at:\n${paths.map((path) => `  ${path}`).join("\n")}`
}

const format = async (): Promise<Looked> => {
  const list = await run("dprint", ["output-file-paths"])
  const check = await run("dprint", ["check", "--list-different"])
  const seen = new Set(list.stdout.split("\n").filter((line) => line !== "").map(fromRoot))
  const hint = check.trouble === undefined ? "" : "`npm run fix` formats"
  return { count: seen.size, what: "files", troubles: [troubleOf(list), unseen(seen), troubleOf(check), hint] }
}

/** The part of oxlint's JSON that is read here. */
interface LintReport {
  readonly diagnostics: ReadonlyArray<{
    readonly code?: string
    readonly filename: string
    readonly labels: ReadonlyArray<{ readonly span: { readonly line: number } }>
    readonly message: string
  }>
  readonly number_of_files: number
  readonly number_of_rules: number
}

const lint = async (): Promise<Looked> => {
  const ended = await run("oxlint", ["--format=json"])
  if (!ended.stdout.startsWith("{")) return { count: 0, what: "files", troubles: [troubleOf(ended) || "no report"] }
  const { diagnostics, number_of_files: count, number_of_rules: rules }: LintReport = JSON.parse(ended.stdout)
  const lines = diagnostics.map(({ code, filename, labels, message }) =>
    `${filename}:${labels[0]?.span.line ?? 1}: ${message} ${code ?? ""}`
  )
  const few = count < sources.length ? `looked at ${count} files of ${sources.length}` : ""
  const output = lines.toSorted().join("\n")
  return { count, what: `files, ${rules} rules`, troubles: [troubleOf({ ...ended, output }), few] }
}

/** The sources that the compiler's own notes name. */
const compiled = () => {
  const notes = globSync("{packages/*,apps/*,docs,scripts}/dist/{,agents/}tsconfig.tsbuildinfo", { cwd: root })
  return new Set(notes.flatMap((note) => {
    const names: ReadonlyArray<string> = JSON.parse(readFileSync(join(root, note), "utf8")).fileNames
    return names.map((name) => fromRoot(resolve(root, dirname(note), name)))
  }))
}

const types = async (): Promise<Looked> => {
  const ended = await run("tsc", ["-b", "--pretty", "false"])
  const seen = compiled()
  const count = sources.filter((path) => seen.has(path)).length
  return { count, what: "files", troubles: [troubleOf(ended), unseen(seen)] }
}

const effect = async (): Promise<Looked> => {
  const project = ["--project", join(root, "tsconfig.json"), "--strict", "--severity", "error,warning"]
  const ended = await run("effect-tsgo", ["diagnostics", ...project, "--format", "text", "--list-files"])
  const lines = ended.output.split("\n")
  const isListed = (line: string) => /^ {2}(.+): detected=/.exec(line)?.[1]
  const seen = new Set(lines.flatMap((line) => isListed(line) ?? []).map(fromRoot))
  const output = lines.filter((line) => isListed(line) === undefined).join("\n")
  return { count: seen.size, what: "files", troubles: [troubleOf({ ...ended, output }), unseen(seen)] }
}

const architecture = async (): Promise<Looked> => {
  const folder = mkdtempSync(join(tmpdir(), "coppice-verify-"))
  const file = join(folder, "counts.json")
  const args = ["run", "test/architecture.test.ts", "test/tidy.test.ts", "--reporter=dot"]
  const ended = await run("vitest", [...args, "--reporter=./scripts/CountReporter.ts"], {
    env: { COPPICE_TEST_COUNTS: file }
  })
  const counts: Counts = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { passed: 0 }
  rmSync(folder, { recursive: true, force: true })
  return { count: counts.passed, what: `checks of ${readFiles().length} files`, troubles: [troubleOf(ended)] }
}

const unused = async (): Promise<Looked> => {
  const reporters = ["--reporter", "symbols", "--reporter", "./scripts/knipReporter.mjs"]
  const ended = await run("knip", ["--no-progress", "--no-config-hints", ...reporters])
  return { count: numberIn(ended.output, /^knip looked at (\d+) files/m), what: "files", troubles: [troubleOf(ended)] }
}

const docs = async (): Promise<Looked> => {
  const ended = await run(process.execPath, ["scripts/docsSync.ts", "--check"])
  const pages = numberIn(ended.output, /fences on (\d+) pages$/m)
  const links = numberIn(ended.output, /^(\d+) links/m)
  const few = links < 80 ? `only ${links} links, the floor is 80` : ""
  return {
    count: numberIn(ended.output, /^(\d+) fences/m),
    what: `fences and ${links} links on ${pages} pages`,
    troubles: [troubleOf(ended), few]
  }
}

const examples = async (): Promise<Looked> => {
  const ended = await run(process.execPath, ["scripts/examples.ts"])
  return {
    count: numberIn(ended.output, /^(\d+) of \d+ examples/m),
    what: "examples ran",
    troubles: [troubleOf(ended)]
  }
}

const checkers: ReadonlyArray<Checker> = [
  { name: "format", floor: 90, check: format },
  { name: "lint", floor: 80, check: lint },
  { name: "types", floor: 80, check: types },
  { name: "effect", floor: 80, check: effect },
  { name: "architecture", floor: 30, check: architecture },
  { name: "unused", floor: 80, check: unused },
  { name: "docs", floor: 1, check: docs },
  { name: "examples", floor: 1, check: examples }
]

const report = async ({ check, floor, name }: Checker) => {
  const started = performance.now()
  const { count, troubles, what } = await check()
  const low = count < floor ? `only ${count}, the floor is ${floor}` : ""
  const said = [...troubles, low].filter((trouble) => trouble !== "")
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5)
  console.log(`${said.length === 0 ? "ok    " : "FAILED"} ${name.padEnd(13)} ${seconds} s  ${count} ${what}`)
  for (const trouble of said) console.log(trouble.replace(/^/gm, "    "))
  return said.length === 0
}

const wanted = process.argv.slice(2)
const chosen = checkers.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const good: Array<boolean> = []
for (const checker of chosen) good.push(await report(checker))
console.log(`verify: ${good.filter(Boolean).length} of ${chosen.length} checkers content`)
process.exitCode = chosen.length > 0 && good.every(Boolean) ? 0 : 1
