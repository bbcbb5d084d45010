/**
 * Reads a folder of JavaScript and writes down what a migration must know: see `Inventory`.
 *
 * Two passes. The first looks at each file alone. The second connects them: which names a file passes on, which names
 * others overwrite, and which cycles cannot become ES modules. Nothing is executed and nothing is written.
 */
import { createHash } from "node:crypto"
import { readFile, realpath } from "node:fs/promises"
import { join, posix } from "node:path"
import { analyse, type Analysis, isEsModule, isQuietFile, requireFacts } from "./internal/Analysis.ts"
import { refuseCycles } from "./internal/Cycles.ts"
import { cyclesOf, reachable } from "./internal/Graph.ts"
import { type Files, targets } from "./internal/Linkage.ts"
import { absentNames, type Manifest, readManifest } from "./internal/Packages.ts"
import { type Folder, resolve, resolvePath } from "./internal/Resolver.ts"
import { filesBelow, isTest } from "./internal/Walk.ts"
import type { ExportFacts, FileFacts, FileKind, Inventory, PackageFacts, Refusal, Target } from "./Inventory.ts"

export interface ScanOptions {
  /** Also take test folders and test files; they are left out otherwise. */
  readonly tests?: boolean
}

/** More files than this, or a longer one, is a mistake in the path rather than a package. */
export const limits = { files: 20_000, bytes: 5_000_000 }

export const scan = async (path: string, options: ScanOptions = {}): Promise<Inventory> => {
  const root = await realpath(path)
  const { links, paths } = await filesBelow(root, limits.files)
  const folder = folderOf(root, paths)
  const bins = binsOf(folder)
  const all = await lookAt(folder, new Set(Object.values(bins)))
  const wanted = options.tests === true ? new Set(paths) : withoutTests(all, paths)
  const files = Object.fromEntries(Object.entries(all).filter(([path]) => wanted.has(path)))
  const cycles = cyclesOf(Object.keys(files), (path) => targets(files, path, () => true))
  const connected = refuseCycles(connectNames(files, new Set(cycles.flat())))
  return {
    root,
    package: packageFacts(folder, bins),
    files: connected,
    assets: paths.filter((path) => wanted.has(path) && connected[path] === undefined),
    skipped: [...paths.filter((path) => !wanted.has(path)), ...links].sort(),
    cycles
  }
}

const lookAt = async (folder: Folder, scripts: ReadonlySet<string>): Promise<Files> => {
  const files: Record<string, FileFacts> = {}
  for (const path of folder.paths) {
    if (scripts.has(path) || /\.(js|cjs|mjs|json)$/.test(path)) files[path] = await factsOf(folder, scripts, path)
  }
  const required = new Set(Object.keys(files).flatMap((path) => targets(files, path, () => true)))
  // JSON with comments is common, and nobody's concern as long as no code loads it.
  const isConfig = ({ kind, path }: FileFacts) => kind === "unparsable" && path.endsWith(".json") && !required.has(path)
  return Object.fromEntries(Object.entries(files).filter(([, file]) => !isConfig(file)))
}

/** Everything but tests, and of those the ones that other files load. */
const withoutTests = (files: Files, paths: ReadonlyArray<string>): ReadonlySet<string> => {
  const wanted = new Set<string>()
  for (const path of paths.filter((path) => !isTest(path))) {
    for (const found of reachable(path, (from) => targets(files, from, () => true))) wanted.add(found)
  }
  return wanted
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const folderOf = (root: string, paths: ReadonlyArray<string>): Folder => {
  const manifests = paths
    .filter((path) => posix.basename(path) === "package.json")
    .flatMap((path) => {
      const manifest = readManifest(join(root, path))
      const name = posix.dirname(path)
      return manifest === null ? [] : [[name === "." ? "" : name, manifest] as const]
    })
  return { root, paths: new Set(paths), manifests: new Map(manifests) }
}

const factsOf = async (folder: Folder, scripts: ReadonlySet<string>, path: string): Promise<FileFacts> => {
  const text = await readFile(join(folder.root, path), "utf8")
  const facts = { path, sha256: sha256(text), lines: text.split("\n").length }
  if (text.length > limits.bytes) return { ...facts, ...unparsable(`is larger than ${limits.bytes} bytes`) }
  if (path.endsWith(".json")) return { ...facts, ...jsonFacts(text) }
  if (path.endsWith(".mjs") || isModuleScope(folder, path)) return { ...facts, ...plain("esm", null) }
  const analysed = analyse(text)
  if (!analysed.ok) {
    return isEsModule(text)
      ? { ...facts, ...plain("esm", null) }
      : { ...facts, ...unparsable(analysed.message, analysed.location) }
  }
  const kind = path.endsWith(".cjs") ? "commonjs" : scripts.has(path) || text.startsWith("#!") ? "script" : "module"
  return { ...facts, ...moduleFacts(folder, path, kind, analysed.analysis) }
}

type Findings = Omit<FileFacts, "path" | "sha256" | "lines">

const noExports: ExportFacts = { form: "none", names: [], late: [], hoisted: false, from: [] }

const plain = (kind: FileKind, refusal: Refusal | null): Findings => ({
  kind,
  requires: [],
  exports: noExports,
  quiet: kind === "json",
  refusal
})

const unparsable = (message: string, location = { line: 1, column: 1 }): Findings =>
  plain("unparsable", { code: "unparsable", message, ...location })

const jsonFacts = (text: string): Findings => {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ""))
    return plain("json", null)
  } catch (error) {
    return unparsable(`is not JSON: ${(error as Error).message}`)
  }
}

/** Does the nearest manifest say that `.js` is already an ES module? */
const isModuleScope = (folder: Folder, path: string): boolean => {
  if (!path.endsWith(".js")) return false
  for (let name = posix.dirname(path);; name = posix.dirname(name)) {
    const manifest = folder.manifests.get(name === "." ? "" : name)
    if (manifest !== undefined || name === ".") return manifest?.["type"] === "module"
  }
}

const moduleFacts = (folder: Folder, path: string, kind: FileKind, analysis: Analysis): Findings => {
  const requires = analysis.requires.map((site) => {
    const facts = requireFacts(analysis, site)
    return { ...facts, target: targetOf(folder, path, facts.specifier, facts.names ?? []) }
  })
  const { exports } = analysis
  const from = exports.from.flatMap((call) => {
    const site = analysis.requires.findIndex((candidate) => candidate.call === call)
    const target = requires[site]?.target
    return target?.kind === "file" ? [target.path] : []
  })
  return {
    kind,
    requires,
    exports: {
      form: exports.form,
      names: exports.names.map(({ name }) => name),
      late: exports.names.filter(({ late }) => late).map(({ name }) => name),
      hoisted: exports.hoisted,
      from
    },
    quiet: isQuietFile(analysis),
    refusal: kind === "commonjs" ? null : analysis.refusals[0] ?? null
  }
}

const targetOf = (folder: Folder, path: string, specifier: string | null, names: ReadonlyArray<string>): Target => {
  if (specifier === null) return { kind: "computed" }
  const target = resolve(folder, path, specifier)
  return target.kind === "builtin" ? { ...target, unnamed: absentNames(target.name, names) } : target
}

/**
 * Adds the names which pass through a file, and takes away those which another file overwrites, and in a cycle those
 * which a getter would fetch from a file that may not have run.
 */
const connectNames = (files: Files, inCycle: ReadonlySet<string>): Files => {
  const passers = (path: string) => Object.values(files).filter(({ exports }) => exports.from.includes(path))
  const requirers = Map.groupBy(
    Object.values(files).flatMap(({ requires }) => requires),
    ({ target }) => target.kind === "file" ? target.path : ""
  )
  const changedIn = (path: string): ReadonlyArray<string> =>
    [path, ...passers(path).map((passer) => passer.path)].flatMap((target) =>
      (requirers.get(target) ?? []).flatMap(({ mutates }) => mutates)
    )
  const namesOf = (path: string, seen: ReadonlyArray<string>): ReadonlyArray<string> => {
    const exports = files[path]?.exports
    if (exports === undefined || seen.includes(path)) return []
    const passed = exports.from.flatMap((target) => namesOf(target, [...seen, path]))
    const lost = new Set([...changedIn(path), ...inCycle.has(path) ? exports.late : []])
    return lost.has("*") ? [] : [...new Set([...exports.names, ...passed])].filter((name) => !lost.has(name))
  }
  return Object.fromEntries(
    Object.entries(files).map((
      [path, file]
    ) => [path, { ...file, exports: { ...file.exports, names: namesOf(path, []) } }])
  )
}

const packageFacts = (folder: Folder, bin: Readonly<Record<string, string>>): PackageFacts | null => {
  const manifest = folder.manifests.get("")
  if (manifest === undefined) return null
  const text = (key: string) => typeof manifest[key] === "string" ? manifest[key] : null
  return {
    name: text("name"),
    version: text("version"),
    main: resolvePath(folder, "", true),
    exports: manifest["exports"] ?? null,
    bin
  }
}

const binsOf = (folder: Folder): Readonly<Record<string, string>> => {
  const manifest: Manifest = folder.manifests.get("") ?? {}
  const { bin } = manifest
  const name = typeof manifest["name"] === "string" ? posix.basename(manifest["name"]) : "bin"
  const entries = typeof bin === "string" ? { [name]: bin } : typeof bin === "object" ? bin ?? {} : {}
  return Object.fromEntries(
    Object.entries(entries).flatMap(([command, file]) => {
      const path = typeof file === "string" ? resolvePath(folder, file) : null
      return path === null ? [] : [[command, path]]
    })
  )
}
