/**
 * The repository as data for the checks: its text files and its packages. The checks are pure functions of it, so a
 * test can show that each of them sees what it is there to see.
 */
import { globSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { root } from "./childProcess.ts"

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string
  readonly text: string
}

export interface Package {
  /** From the root: "packages/task". */
  readonly folder: string
  /** The folder's own name, which the arrow table uses: "task". */
  readonly short: string
  /** What others import: "@coppice/task". */
  readonly name: string
  readonly dependencies: ReadonlyArray<string>
  readonly devDependencies: ReadonlyArray<string>
}

const generated = new Set(["node_modules", "dist", ".git", ".turbo", ".coppice", "results", "test-results"])

const textFiles = "**/*.{ts,tsx,mts,mjs,js,json,jsonc,md,yaml,yml,css,html,sql,sh,txt}"
const otherFiles = "{LICENSE,.gitignore,.gitattributes,.npmrc,.ci/*,.oxlintrc.json}"

/** Every text file somebody wrote; the lockfile is pnpm's. */
export const readFiles = (pattern: string | Array<string> = [textFiles, otherFiles]): ReadonlyArray<SourceFile> =>
  globSync(pattern, { cwd: root, exclude: ({ name }) => generated.has(name), withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "pnpm-lock.yaml")
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))

/** Every TypeScript file of the workspace: what the compilers and the linters must have looked at. */
export const readTypeScript = () => readFiles("**/*.{ts,tsx}").filter(({ path }) => !path.endsWith(".d.ts"))

export const packagesOf = (files: ReadonlyArray<SourceFile>): ReadonlyArray<Package> =>
  files.filter(({ path }) => /^((packages|apps)\/[^/]+|docs)\/package\.json$/.test(path)).map(({ path, text }) => {
    const manifest = JSON.parse(text)
    const folder = path.slice(0, -"/package.json".length)
    return {
      folder,
      short: folder.split("/").at(-1)!,
      name: manifest.name,
      dependencies: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
      devDependencies: Object.keys(manifest.devDependencies ?? {})
    }
  })

/** One way to say it in a report: where, then what. */
export type Finding = string
