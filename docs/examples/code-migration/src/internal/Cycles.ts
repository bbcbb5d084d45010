/**
 * Which cycles survive the move.
 *
 * In CommonJS a file in a cycle sees a half-filled object of the other; in ES modules it sees a variable that does not
 * exist yet, and fails. That matters only if the other's value is used while loading. So the order in which modules
 * would run is played through from every member, as anyone may be imported first. If some read comes too early the
 * whole cycle stays CommonJS: an honest answer, where a clever one would load and then behave differently.
 */
import type { FileFacts, Refusal, RequireFacts } from "../Inventory.ts"
import { cyclesOf, evaluationOrder } from "./Graph.ts"
import { type Files, linkageOf, targets } from "./Linkage.ts"

/** The files with the refusals that follow from their cycles. */
export const refuseCycles = (files: Files): Files => {
  const refused: Record<string, FileFacts> = { ...files }
  for (const cycle of loadCycles(files)) {
    const refusals = refusalsOf(files, cycle)
    for (const path of cycle) {
      const file = files[path]
      const refusal = refusals.get(path)
      if (file && refusal && file.refusal === null) refused[path] = { ...file, refusal }
    }
  }
  return refused
}

/** Groups of files that load one another; the unit which is migrated, or is not, as one. */
export const loadCycles = (files: Files): ReadonlyArray<ReadonlyArray<string>> =>
  cyclesOf(Object.keys(files), (path) => [
    ...importedBy(files, path),
    ...targets(files, path, (facts) => facts.when === "load")
  ])

const importedBy = (files: Files, path: string): ReadonlyArray<string> =>
  targets(files, path, (facts) => linkageOf(files, path, facts).how === "import")

const refusalsOf = (files: Files, cycle: ReadonlyArray<string>): ReadonlyMap<string, Refusal> => {
  const members = new Set(cycle)
  const cause = cycle.map((path) => causeIn(files, members, path)).find((found) => found !== null)
  if (!cause) return new Map()
  return new Map(cycle.map((path) => [
    path,
    path === cause.path ? cause.refusal : {
      code: "cycle-partner",
      message: `is in a cycle with ${cause.path}, which stays CommonJS (${cause.refusal.code})`,
      line: 1,
      column: 1
    }
  ]))
}

interface Cause {
  readonly path: string
  readonly refusal: Refusal
}

const causeIn = (files: Files, members: ReadonlySet<string>, path: string): Cause | null => {
  const file = files[path]
  if (file === undefined) return null
  if (file.refusal !== null) return { path, refusal: file.refusal }
  if (file.kind === "unparsable" || file.kind === "commonjs") {
    return { path, refusal: { code: file.kind, message: `is ${file.kind}`, line: 1, column: 1 } }
  }
  const inside = file.requires.filter(({ target }) => target.kind === "file" && members.has(target.path))
  const required = inside.find((facts) => facts.when === "load" && linkageOf(files, path, facts).how === "require")
  if (required) {
    return { path, refusal: refusalAt(required, "cycle-require", "is required on a condition inside a cycle") }
  }
  const early = inside.find((facts) => isReadEarly(files, members, path, facts))
  return early ? { path, refusal: refusalAt(early, "cycle-read", "may be read before it has run, in a cycle") } : null
}

const refusalAt = ({ column, line, target }: RequireFacts, code: string, message: string): Refusal => ({
  code,
  message: `${target.kind === "file" ? target.path : target.kind} ${message}`,
  line,
  column
})

const isReadEarly = (files: Files, members: ReadonlySet<string>, path: string, facts: RequireFacts): boolean => {
  if (facts.target.kind !== "file" || !readsValue(files, facts, facts.target.path)) return false
  const target = facts.target.path
  const edges = (node: string) => importedBy(files, node).filter((next) => members.has(next))
  return [...members].some((entry) => {
    const order = evaluationOrder(entry, edges)
    return path === target || order.indexOf(target) > order.indexOf(path)
  })
}

/** A whole function declaration exists before its file runs; a name that is not exported is fetched while loading. */
const readsValue = (files: Files, facts: RequireFacts, target: string): boolean => {
  if (facts.when === "call" || facts.effectOnly) return false
  const exports = files[target]?.exports
  if (facts.names === null) return facts.atLoad === "used" || (facts.atLoad === "held" && exports?.hoisted !== true)
  return facts.atLoad !== "untouched" || !facts.names.every((name) => exports?.names.includes(name))
}
