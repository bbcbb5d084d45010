/**
 * Does the migrated package do what the original did?
 *
 *   every module     loaded alone if it is in a cycle, else with the others; its exports compared member by member
 *   every name       equal to the default export's member; `require` of a migrated file gives that same value
 *   generated calls  thousands, the same on both sides, compared by result or by error message
 *   commands         run with safe arguments if some are known, otherwise checked to parse
 *
 * Each side runs in a process of its own, which may neither write files nor start programs.
 */
import { existsSync } from "node:fs"
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { loadCases } from "./Cases.ts"
import { type ChildEnd, runNode } from "./internal/Child.ts"
import { surfaceDifferences } from "./internal/Surface.ts"
import type { Answer, Order } from "./internal/VerifyChild.ts"
import type { FileKind, Inventory } from "./Inventory.ts"
import { scan } from "./Scan.ts"

export interface VerifyOptions {
  readonly original: string
  readonly migrated: string
  /** How many generated calls; 5,000 unless told. */
  readonly cases?: number
  readonly seed?: number
  /** `semver`, a `verify.json`, or a module with a `CaseSource`. Found by itself for semver and a `verify.json` inside. */
  readonly source?: string | null
  /** For each process. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export interface Difference {
  readonly what: string
  readonly original: string
  readonly migrated: string
}

export interface Verification {
  readonly ok: boolean
  readonly seed: number
  /** Generated calls. */
  readonly compared: number
  readonly equal: number
  /** Exported functions that some call was about. */
  readonly covered: ReadonlyArray<string>
  /** The first twenty. */
  readonly different: ReadonlyArray<Difference>
  readonly modules: {
    readonly loaded: number
    /** Loads neither before nor after, for the same reason as far as one can tell. */
    readonly brokenBefore: ReadonlyArray<string>
    readonly failed: ReadonlyArray<{ readonly path: string; readonly message: string }>
  }
  /** Members of all modules whose kind was compared, and names checked against them. */
  readonly exportsCompared: number
  readonly namesCompared: number
  readonly exportDifferences: ReadonlyArray<string>
  readonly commands: {
    readonly compared: number
    readonly checked: number
    readonly different: ReadonlyArray<Difference>
  }
}

/** `alone`: how many members of cycles get a process of their own; the others are loaded together. */
export const limits = { shown: 20, timeoutMs: 60_000, alone: 100 }

export const verify = async (options: VerifyOptions): Promise<Verification> => {
  const inventory = await scan(options.original)
  const migrated = await realpath(options.migrated)
  const source = options.source === undefined ? knownSource(inventory) : options.source
  const run: Run = {
    options: { ...options, migrated },
    inventory,
    source,
    seed: options.seed ?? 1,
    timeoutMs: options.timeoutMs ?? limits.timeoutMs
  }
  const modules = await compareModules(run)
  const calls = source === null ? noCalls : await compareCalls(run)
  const commands = await compareCommands(run)
  const ok = modules.modules.failed.length === 0 && modules.exportDifferences.length === 0 &&
    calls.equal === calls.compared && calls.different.length === 0 && commands.different.length === 0
  return { ok, seed: run.seed, ...calls, ...modules, commands }
}

interface Run {
  readonly options: VerifyOptions
  readonly inventory: Inventory
  readonly source: string | null
  readonly seed: number
  readonly timeoutMs: number
}

const noCalls = { compared: 0, equal: 0, covered: [], different: [] }

const knownSource = ({ package: facts, root }: Inventory): string | null => {
  if (facts?.name === "semver") return "semver"
  const file = join(root, "verify.json")
  return existsSync(file) ? file : null
}

const pathsOf = ({ files }: Inventory, kind: FileKind): ReadonlyArray<string> =>
  Object.values(files).filter((file) => file.kind === kind).map(({ path }) => path)

const childScript = fileURLToPath(import.meta.resolve("./internal/VerifyChild.ts"))

type Side = Pick<Order, "root" | "how">

const sidesOf = ({ inventory, options }: Run): { original: Side; migrated: Side } => ({
  original: { root: inventory.root, how: "require" },
  migrated: { root: options.migrated, how: "import" }
})

const start = (run: Run, side: Side, order: Partial<Order>): Promise<ChildEnd> => {
  const modules = pathsOf(run.inventory, "esm")
  const full: Order = { fallback: run.inventory.root, files: [], modules, main: null, cases: null, ...side, ...order }
  const args = ["--permission", "--allow-fs-read=*", "--disable-warning=ExperimentalWarning", childScript]
  return runNode({
    args,
    env: { VERIFY_ORDER: JSON.stringify(full) },
    cwd: tmpdir(),
    timeoutMs: run.timeoutMs,
    signal: run.options.signal
  })
}

const answersOf = (end: ChildEnd): ReadonlyArray<Answer> =>
  end.answers.split("\n").flatMap((line) => line.endsWith("}") ? [JSON.parse(line) as Answer] : [])

type Loaded = Extract<Answer, { type: "loaded" | "broken" }>

const compareModules = async (run: Run) => {
  const { original, migrated } = sidesOf(run)
  const files = [...pathsOf(run.inventory, "module"), ...pathsOf(run.inventory, "esm")]
  const before = await loadModules(run, original, files)
  const after = await loadModules(run, migrated, files)
  const failed: Array<{ path: string; message: string }> = []
  const brokenBefore: Array<string> = []
  const exportDifferences: Array<string> = []
  let [loaded, exportsCompared, namesCompared] = [0, 0, 0]
  for (const path of files) {
    const [then, now] = [before.get(path), after.get(path)]
    if (now?.type !== "loaded") {
      if (then?.type === "loaded") failed.push({ path, message: now?.message ?? "was not loaded" })
      else brokenBefore.push(path)
      continue
    }
    loaded++
    namesCompared += now.names
    if (then?.type !== "loaded") continue
    exportsCompared += then.surface.length
    exportDifferences.push(...surfaceDifferences(then.surface, now.surface).map((text) => `${path} ${text}`))
  }
  return {
    modules: { loaded, brokenBefore, failed },
    exportsCompared,
    namesCompared,
    exportDifferences: exportDifferences.slice(0, limits.shown)
  }
}

/** Members of cycles each in a new process, as the first one to be imported; the others together. */
const loadModules = async (run: Run, side: Side, files: ReadonlyArray<string>): Promise<Map<string, Loaded>> => {
  const inCycle = new Set(run.inventory.cycles.flat())
  const alone = files.filter((path) => inCycle.has(path)).slice(0, limits.alone)
  const groups = [files.filter((path) => !alone.includes(path)), ...alone.map((path) => [path])]
  const loaded = new Map<string, Loaded>()
  for (const group of groups) {
    for (let rest: ReadonlyArray<string> = group; rest.length > 0;) {
      const end = await start(run, side, { files: rest })
      const answers = answersOf(end)
      for (const answer of answers) {
        if (answer.type === "loaded" || answer.type === "broken") loaded.set(answer.path, answer)
      }
      rest = afterCrash(rest, end, loaded)
    }
  }
  return loaded
}

/** The file that ended the process is broken; the ones after it get another process. */
const afterCrash = (
  files: ReadonlyArray<string>,
  end: ChildEnd,
  loaded: Map<string, Loaded>
): ReadonlyArray<string> => {
  const index = files.findIndex((path) => !loaded.has(path))
  const path = files[index]
  if (path === undefined) return []
  const why = end.timedOut
    ? "did not load in time"
    : `ended the process with code ${end.code}: ${end.stderr.slice(-500)}`
  loaded.set(path, { type: "broken", path, message: why })
  return files.slice(index + 1)
}

const compareCalls = async (run: Run) => {
  const { original, migrated } = sidesOf(run)
  const cases = { source: run.source!, count: run.options.cases ?? 5_000, seed: run.seed }
  const main = run.inventory.package?.main ?? "index.js"
  const before = await runCases(run, original, { main, cases })
  const after = await runCases(run, migrated, { main, cases })
  const different: Array<Difference> = []
  let equal = 0
  for (const [index, expected] of before.answers.entries()) {
    const actual = after.answers[index]
    if (actual?.label === expected.label && actual.result === expected.result) equal++
    else if (different.length < limits.shown) {
      different.push({ what: expected.label, original: expected.result, migrated: actual?.result ?? after.end })
    }
  }
  if (before.answers.length < cases.count) {
    different.push({ what: "all calls", original: before.end, migrated: after.end })
  }
  const covered = [...new Set(before.answers.map(({ about }) => about))].sort()
  return { compared: cases.count, equal, covered, different }
}

const runCases = async (run: Run, side: Side, order: Partial<Order>) => {
  const end = await start(run, side, order)
  const answers = answersOf(end).filter((answer) => answer.type === "case")
  const reason = end.timedOut ? "timed out" : end.code === 0 ? "done" : `exit ${end.code}: ${end.stderr.slice(-500)}`
  return { answers, end: reason }
}

const compareCommands = async (run: Run) => {
  const scripts = pathsOf(run.inventory, "script")
  const argumentLists = (await loadCases(run.source))?.commands ?? []
  const cwd = await mkdtemp(join(tmpdir(), "verify-"))
  const different: Array<Difference> = []
  let [compared, checked] = [0, 0]
  try {
    for (const path of scripts) {
      const after = migratedScript(run.options.migrated, path)
      const check = await runNode({ args: ["--check", join(run.options.migrated, after)], cwd, ...bounds(run) })
      checked++
      if (check.code !== 0) different.push({ what: after, original: "parses", migrated: check.stderr.slice(-500) })
      for (const args of Object.values(run.inventory.package?.bin ?? {}).includes(path) ? argumentLists : []) {
        const then = await outputOf(run, { root: run.inventory.root, path, args, cwd })
        const now = await outputOf(run, { root: run.options.migrated, path: after, args, cwd })
        compared++
        if (then !== now) different.push({ what: `${path} ${args.join(" ")}`, original: then, migrated: now })
      }
    }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
  return { compared, checked, different: different.slice(0, limits.shown) }
}

const bounds = ({ options, timeoutMs }: Run) => ({ timeoutMs, signal: options.signal })

/** A script that stayed CommonJS has moved. */
const migratedScript = (root: string, path: string): string => {
  const moved = path.replace(/\.js$/, "") + ".cjs"
  return existsSync(join(root, path)) ? path : moved
}

interface Command {
  readonly root: string
  readonly path: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
}

/** Exit code and output, without the place where the package lies. */
const outputOf = async (run: Run, { args, cwd, path, root }: Command): Promise<string> => {
  const end = await runNode({ args: [join(root, path), ...args], cwd, ...bounds(run) })
  const text = `exit ${end.timedOut ? "timeout" : end.code}\n${end.stdout}\n${end.stderr}`
  return text.replaceAll(root, "<root>").replaceAll(path, "<script>")
}
