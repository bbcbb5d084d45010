/**
 * Who may depend on whom, and the checks that hold the workspace to it.
 *
 * ```text
 *  level 0   task   sqlite   anthropic
 *  level 1   mcp    agent    api          (mcp and agent never meet: only in the task log)
 *  level 2   coppice, the facade
 *  level 3   orchestrator  cli  console  bench  docs     (nobody imports these)
 * ```
 *
 * pnpm's isolation and the `exports` maps already make most violations a compile error; these checks see the rest: an
 * arrow somebody added to a manifest, a relative path that leaves its package, a technology where it does not belong.
 */
import { dirname, join, relative } from "node:path/posix"
import type { Finding, Package, SourceFile } from "./Workspace.ts"

interface Rule {
  /** Workspace packages it may import. */
  readonly arrows: ReadonlyArray<string>
  /** Workspace packages its tests may import as well. */
  readonly testArrows?: ReadonlyArray<string>
  /** Of workspace packages only types: nothing of them runs here. */
  readonly typesOnly?: true
  /** Everything else its sources may import; apps are free. `node:` stands for Node's own modules. */
  readonly technologies?: ReadonlyArray<string>
}

export const rules: Readonly<Record<string, Rule>> = {
  task: { arrows: [], testArrows: ["sqlite"], technologies: ["effect", "node:"] },
  sqlite: { arrows: [], technologies: ["effect", "node:"] },
  anthropic: { arrows: [], technologies: ["effect", "@anthropic-ai/sdk"] },
  mcp: {
    arrows: ["task"],
    testArrows: ["sqlite"],
    technologies: ["effect", "@modelcontextprotocol", "undici", "node:"]
  },
  agent: { arrows: ["task"], testArrows: ["sqlite"], technologies: ["effect", "node:"] },
  api: { arrows: ["task"], technologies: ["effect"] },
  coppice: {
    arrows: ["task", "sqlite", "mcp", "agent", "api", "anthropic"],
    technologies: ["effect", "@effect/platform-node", "node:"]
  },
  orchestrator: { arrows: ["coppice", "task", "sqlite", "mcp", "agent", "api", "anthropic"] },
  cli: { arrows: ["api", "coppice"] },
  console: { arrows: ["api"], testArrows: ["task", "coppice"], typesOnly: true },
  bench: { arrows: ["coppice", "task", "sqlite", "mcp", "agent"] },
  docs: { arrows: ["coppice"] }
}

/** Named by the table, not built yet. */
export const planned: ReadonlyArray<string> = ["anthropic"]

const isSource = (path: string) => /\.(ts|tsx|mts|mjs)$/.test(path)
const within = (folder: string) => ({ path }: SourceFile) => path.startsWith(`${folder}/`) && isSource(path)
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "")

/** What a module imports, as written. Comments do not count: an example there imports nothing. */
export const importsOf = ({ text }: SourceFile): ReadonlyArray<string> =>
  [...withoutComments(text).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!)

const withoutTypes = (text: string) => text.replace(/\b(?:import|export) type [^"]*"[^"]*"/g, "")

const packageName = (specifier: string) => specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/")
const isTest = (path: string) => /^(?:(?:packages|apps)\/[^/]+|docs)\/test\//.test(path)

const allowed = (short: string, inTest: boolean) => {
  const rule = rules[short]
  return [...rule?.arrows ?? [], ...inTest ? rule?.testArrows ?? [] : []]
}

/** Arrows a manifest declares beside the table. */
export const forbiddenArrows = (packages: ReadonlyArray<Package>): ReadonlyArray<Finding> => {
  const shortOf = new Map(packages.map(({ name, short }) => [name, short]))
  const check = ({ folder, short }: Package, names: ReadonlyArray<string>, inTest: boolean) =>
    names.flatMap((name) => shortOf.get(name) ?? [])
      .filter((target) => !allowed(short, inTest).includes(target))
      .map((target) => `${folder}: may not depend on ${target}`)
  return packages.flatMap((pkg) => [
    ...check(pkg, pkg.dependencies, false),
    ...check(pkg, pkg.devDependencies, true)
  ])
}

/** Imports of a workspace package, or of a technology, that the table does not give to this one. */
export const forbiddenImports = (
  packages: ReadonlyArray<Package>,
  files: ReadonlyArray<SourceFile>
): ReadonlyArray<Finding> => {
  const shortOf = new Map(packages.map(({ name, short }) => [name, short]))
  const isAllowed = (owner: Package, path: string, specifier: string) => {
    const target = shortOf.get(packageName(specifier))
    if (target !== undefined) return target === owner.short || allowed(owner.short, isTest(path)).includes(target)
    const technologies = rules[owner.short]?.technologies
    if (technologies === undefined || isTest(path) || specifier.startsWith(".")) return true
    return technologies.some((name) => specifier.startsWith(name))
  }
  return packages.flatMap((owner) =>
    files.filter(within(owner.folder)).flatMap((file) =>
      importsOf(file).filter((specifier) => !isAllowed(owner, file.path, specifier))
        .map((specifier) => `${file.path}: may not import ${specifier}`)
    )
  )
}

/** Code of a workspace package where only its types are wanted: it would come into the browser, and Effect with it. */
export const valueImports = (
  packages: ReadonlyArray<Package>,
  files: ReadonlyArray<SourceFile>
): ReadonlyArray<Finding> => {
  const names = new Set(packages.map(({ name }) => name))
  const check = ({ path, text }: SourceFile) =>
    importsOf({ path, text: withoutTypes(text) })
      .filter((specifier) => names.has(packageName(specifier)))
      .map((specifier) => `${path}: may import only types of ${specifier}`)
  return packages.filter(({ short }) => rules[short]?.typesOnly === true).flatMap(({ folder }) =>
    files.filter(within(`${folder}/src`)).flatMap(check)
  )
}

/** Relative imports that leave the package's own folder. */
export const escapes = (packages: ReadonlyArray<Package>, files: ReadonlyArray<SourceFile>): ReadonlyArray<Finding> =>
  packages.flatMap(({ folder }) =>
    files.filter(within(folder)).flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith("."))
        .filter((specifier) => relative(folder, join(dirname(file.path), specifier)).startsWith(".."))
        .map((specifier) => `${file.path}: leaves its package by ${specifier}`)
    )
  )

/** Imports of another package's `internal/`. */
export const reachThroughs = (
  packages: ReadonlyArray<Package>,
  files: ReadonlyArray<SourceFile>
): ReadonlyArray<Finding> => {
  const names = new Set(packages.map(({ name }) => name))
  return files.filter(({ path }) => isSource(path) && !path.startsWith("test/")).flatMap((file) =>
    importsOf(file)
      .filter((specifier) => names.has(packageName(specifier)) && specifier.split("/").includes("internal"))
      .map((specifier) => `${file.path}: reaches through to ${specifier}`)
  )
}

/** Groups that depend on each other in a ring, each named once. */
export const cycles = (graph: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<Finding> => {
  const found = new Set<string>()
  const done = new Set<string>()
  const visit = (node: string, path: ReadonlyArray<string>) => {
    const start = path.indexOf(node)
    if (start >= 0) found.add([...path.slice(start), node].join(" -> "))
    if (start >= 0 || done.has(node)) return
    for (const next of graph.get(node) ?? []) visit(next, [...path, node])
    done.add(node)
  }
  for (const node of graph.keys()) visit(node, [])
  return [...found]
}

/** The workspace's own dependencies, those of tests included. */
export const packageGraph = (packages: ReadonlyArray<Package>) =>
  new Map(packages.map(({ dependencies, devDependencies, name }) => [
    name,
    [...dependencies, ...devDependencies].filter((dependency) => packages.some((other) => other.name === dependency))
  ]))

/** Which module loads which, by relative paths. Types are free: they are gone before anything runs. */
export const moduleGraph = (files: ReadonlyArray<SourceFile>) => {
  const targets = ({ path, text }: SourceFile) =>
    importsOf({ path, text: withoutTypes(text) })
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => join(dirname(path), specifier))
  return new Map(files.filter(({ path }) => isSource(path)).map((file) => [file.path, targets(file)]))
}
