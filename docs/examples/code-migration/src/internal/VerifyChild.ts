/**
 * One side of a comparison, in a process of its own: started by `Verify`, never imported.
 *
 * Answers go to file descriptor 3, a JSON value on each line, as the package under test may print what it likes. A
 * line is written before something dangerous begins, so that the parent knows what killed this process.
 */
import { writeSync } from "node:fs"
import { createRequire, registerHooks } from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Api } from "../Case.ts"
import { loadCases } from "../Cases.ts"
import { describe, describeThrown } from "./Describe.ts"
import { randomFrom } from "./Random.ts"
import { type Surface, surfaceOf } from "./Surface.ts"

export interface Order {
  readonly root: string
  readonly how: "require" | "import"
  /** Packages that are not found from the root are looked up from here. */
  readonly fallback: string
  readonly files: ReadonlyArray<string>
  /** Those of them which were ES modules before: both sides import them. */
  readonly modules: ReadonlyArray<string>
  /** The file whose exports the cases call. */
  readonly main: string | null
  readonly cases: { readonly source: string; readonly count: number; readonly seed: number } | null
}

export type Answer =
  | { readonly type: "loading"; readonly path: string }
  | { readonly type: "loaded"; readonly path: string; readonly surface: Surface; readonly names: number }
  | { readonly type: "broken"; readonly path: string; readonly message: string }
  | { readonly type: "case"; readonly label: string; readonly about: string; readonly result: string }
  | { readonly type: "done" }

// Not an argument: packages look at those.
const order = JSON.parse(process.env["VERIFY_ORDER"] ?? "{}") as Order
delete process.env["VERIFY_ORDER"]
/** The two sides lie in different folders, which is no difference. */
const answer = (value: Answer): void => {
  const bytes = Buffer.from(`${JSON.stringify(value).replaceAll(order.root, "<root>")}\n`)
  for (let offset = 0; offset < bytes.length;) offset += writeSync(3, bytes, offset)
}

/** Both sides see the same time and the same chances. */
const standStill = (seed: number): void => {
  const { below } = randomFrom(seed)
  const now = Date.UTC(2020, 1, 2, 3, 4, 5)
  Math.random = () => below(2 ** 32) / 2 ** 32
  globalThis.Date = new Proxy(Date, {
    apply: () => new Date(now).toString(),
    construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now] : args, self) as object,
    get: (target, key) => key === "now" ? () => now : Reflect.get(target, key) as unknown
  })
}

standStill(order.cases?.seed ?? 1)

const require = createRequire(join(order.root, "package.json"))

/** The migrated package lies elsewhere: what it depends on is found beside the original. */
const parentURL = pathToFileURL(join(order.fallback, "package.json")).href
const fallback = createRequire(parentURL)

registerHooks({
  resolve: (specifier, context, next) => {
    const ways = [
      () => next(specifier, context),
      () => next(specifier, { ...context, parentURL }),
      () => ({ url: pathToFileURL(fallback.resolve(specifier)).href, shortCircuit: true })
    ]
    return /^[./#]|^(file|node):/.test(specifier) ? ways[0]!() : firstOf(ways)
  }
})

/** What the first way that works gives; if none does, the error of the first. */
const firstOf = <A>(ways: ReadonlyArray<() => A>): A => {
  const errors: Array<unknown> = []
  for (const way of ways) {
    try {
      return way()
    } catch (error) {
      errors.push(error)
    }
  }
  throw errors[0]
}

const load = async (path: string): Promise<{ readonly value: Api; readonly names: number }> => {
  const file = join(order.root, path)
  if (order.modules.includes(path)) {
    // Whether it loads is all: the names it sees of a CommonJS file were Node's guess.
    await import(pathToFileURL(file).href)
    return { value: {}, names: 0 }
  }
  if (order.how === "require") return { value: require(file), names: 0 }
  const namespace = await import(pathToFileURL(file).href) as Record<string, unknown>
  const value = "default" in namespace ? namespace["default"] : {}
  const names = Object.keys(namespace).filter((name) => name !== "default" && name !== "module.exports")
  const stale = names.find((name) => !Object.is(namespace[name], (value as Api)[name]))
  if (stale !== undefined) throw new Error(`the export ${stale} differs from the default export's ${stale}`)
  if ("default" in namespace && require(file) !== value) throw new Error("require and import give different values")
  return { value, names: names.length }
}

const loadAll = async (): Promise<void> => {
  for (const path of order.files) {
    answer({ type: "loading", path })
    try {
      const { names, value } = await load(path)
      answer({ type: "loaded", path, surface: surfaceOf(value), names })
    } catch (error) {
      answer({ type: "broken", path, message: describeThrown(error) })
    }
  }
}

const runCases = async (): Promise<void> => {
  if (order.cases === null || order.main === null) return
  const cases = await loadCases(order.cases.source)
  const api = (await load(order.main)).value
  const random = randomFrom(order.cases.seed)
  for (let index = 0; index < order.cases.count; index++) {
    const { about, label, run } = cases!.caseAt(random, index)
    answer({ type: "case", label, about, result: await resultOf(() => run(api)) })
  }
}

const resultOf = async (run: () => unknown): Promise<string> => {
  try {
    return describe(await run())
  } catch (error) {
    return describeThrown(error)
  }
}

await loadAll()
await runCases()
answer({ type: "done" })
process.exit(0)
