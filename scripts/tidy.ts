/**
 * Style that no linter knows, as checks over the repository's own text: lengths, words, places, names.
 *
 * The two tables of exceptions are ratchets: an entry may shrink or go, and a new one is a decision to discuss.
 */
import { basename, dirname } from "node:path/posix"
import type { Finding, SourceFile } from "./Workspace.ts"

const longestFile = 500
const longestReadme = 120

/** Files longer than 500 lines, and how long each may be. */
const longFiles: Readonly<Record<string, number>> = {}

const isCode = (path: string) => /\.(ts|tsx|mts|mjs)$/.test(path)
const isTest = (path: string) => /\.test\.tsx?$/.test(path)
const lineCount = (text: string) => text.split("\n").length - (text.endsWith("\n") ? 1 : 0)

const linesMatching = (files: ReadonlyArray<SourceFile>, pattern: RegExp, why: string): ReadonlyArray<Finding> =>
  files.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}: ${why}: ${line.trim()}`] : []
    )
  )

/** Code files above the limit, or above their own exception; an exception nobody needs is one too. */
export const tooLong = (files: ReadonlyArray<SourceFile>, exceptions = longFiles): ReadonlyArray<Finding> => {
  const lengths = new Map(files.filter(({ path }) => isCode(path)).map(({ path, text }) => [path, lineCount(text)]))
  return [
    ...[...lengths].filter(([path, lines]) => lines > (exceptions[path] ?? longestFile))
      .map(([path, lines]) => `${path}: ${lines} lines, at most ${exceptions[path] ?? longestFile}`),
    ...Object.keys(exceptions).filter((path) => (lengths.get(path) ?? 0) <= longestFile)
      .map((path) => `${path}: no longer needs its exception in scripts/tidy.ts`)
  ]
}

/** The two minutes a newcomer gives us. */
export const longReadmes = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  files.filter(({ path }) => basename(path) === "README.md")
    .filter(({ text }) => lineCount(text) > longestReadme)
    .map(({ path, text }) => `${path}: ${lineCount(text)} lines, at most ${longestReadme}`)

/** Folders of one machine, which mean nothing on another. */
export const machinePaths = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  linesMatching(files, /(?:^|[\s"'`(=:])\/(?:work|root|home|Users)\/[\w.]/, "path of one machine")

/** Whoever builds this brings a registry; we name none. */
export const registryHosts = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> => {
  const hosts = [
    "registry[.]npmjs",
    "registry[.]yarnpkg",
    "npmmirror[.]",
    "pypi[.]org",
    "proxy[.]golang",
    "index[.]crates"
  ]
  return linesMatching(files, new RegExp(hosts.join("|"), "i"), "registry host")
}

/** Words that mean "not finished", or that switch a check off. */
export const bannedWords = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> => {
  // written so that this file does not contain them
  const words = ["FIX", "TO", "HA"].map((word, index) => word + ["ME", "DO", "CK"][index])
  const code = files.filter(({ path }) => isCode(path))
  return [
    ...linesMatching(files, new RegExp(`\\b(?:${words.join("|")})\\b|@ts-(?:ignore|nocheck)\\b`), "banned word"),
    ...linesMatching(code, /\b(?:it|test|describe)(?:\.\w+)*\.only\b/, "narrows the test run")
  ]
}

/**
 * `task/test/Budget.limits.test.ts` tests `task/src/Budget.ts`, and `orchestrator/test/chaos/Check.test.ts` tests
 * `orchestrator/chaos/Check.ts`; stories across many files live in two named folders.
 */
export const strayTests = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> => {
  const modules = new Set(
    files.filter(({ path }) => isCode(path) && !isTest(path)).map(({ path }) => path.replace(/\.\w+$/, ""))
  )
  const sourceOf = (path: string, sources: string) => {
    const folder = dirname(path).replace(/^test\b/, "scripts").replace(
      /^((?:packages|apps|docs\/examples)\/[^/]+|docs)\/test\b/,
      `$1${sources}`
    )
    return `${folder}/${basename(path).split(".")[0]}`
  }
  return files.filter(({ path }) => isTest(path) && !/\/test\/(?:scenarios|regression)\//.test(path))
    .filter(({ path }) => !["/src", ""].some((sources) => modules.has(sourceOf(path, sources))))
    .map(({ path }) => `${path}: there is no ${sourceOf(path, "/src")}.ts`)
}

/** Real time and a sleep in one test file: it is slow, or it is flaky. Wait for the event instead. */
export const sleepingTests = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  files.filter(({ path, text }) => isTest(path) && /\bit\.live\b/.test(text) && /\bEffect\.sleep\(/.test(text))
    .map(({ path }) => `${path}: sleeps on real time`)

/** A public module of a library is a noun: its file is named as it is imported. */
export const oddNames = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  files.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path) && isCode(path) && !path.includes("/internal/"))
    .filter(({ path }) => !/^(?:[A-Z][A-Za-z0-9]*|index)\.tsx?$/.test(basename(path)))
    .map(({ path }) => `${path}: a public module is named in PascalCase`)

/** A version range is a different program tomorrow. */
export const loosePins = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  files.filter(({ path }) => basename(path) === "package.json").flatMap(({ path, text }) => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(text)
    return Object.entries<string>({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^(?:\d+\.\d+\.\d+(?:-[\w.]+)?|workspace:\*|catalog:)$/.test(version))
      .map(([name, version]) => `${path}: ${name} is not pinned exactly: ${version}`)
  })

/** Packages that break, or lie, when a process holds two versions of them. */
export const secondCopies = (lockfile: string, names: ReadonlyArray<string>): ReadonlyArray<Finding> => {
  const packages = lockfile.slice(lockfile.indexOf("\npackages:"), lockfile.indexOf("\nsnapshots:"))
  return names.flatMap((name) => {
    const versions = [...packages.matchAll(/^  '?(@?[^@'\n]+)@([^':\n]+)'?:$/gm)]
      .filter((match) => match[1] === name).map((match) => match[2])
    return versions.length === 1
      ? []
      : [`${name}: the lockfile has ${versions.length} versions (${versions.join(", ")})`]
  })
}
