/**
 * Generated calls which the original and the migrated package must answer alike.
 *
 * A case is made from the random source alone, so both sides, each in its own process, run the same ones. Calling the
 * functions of an unknown package is not safe (some delete files), so it needs a word from its owner: a module that
 * exports a `CaseSource`, or a `verify.json` that names the functions and the values to call them with.
 */
import { readFile } from "node:fs/promises"
import { pathToFileURL } from "node:url"
import { callOf, type CaseSource } from "./Case.ts"
import { semverCases } from "./internal/SemverCases.ts"

/** `verify.json`: functions that are safe to call ("" is the package itself), and values for each position. */
export interface SafeCalls {
  readonly safe: ReadonlyArray<string>
  readonly arguments: ReadonlyArray<ReadonlyArray<unknown>>
  readonly commands?: ReadonlyArray<ReadonlyArray<string>>
}

/** A path ending in `.json` holds `SafeCalls`; another one is a module with a `CaseSource` as its default export. */
export const loadCases = async (source: string | null): Promise<CaseSource | null> => {
  if (source === null) return null
  if (source === "semver") return semverCases
  if (source.endsWith(".json")) return casesFrom(JSON.parse(await readFile(source, "utf8")) as SafeCalls)
  return ((await import(pathToFileURL(source).href)) as { default: CaseSource }).default
}

export const casesFrom = (calls: SafeCalls): CaseSource => ({
  caseAt: (random, index) => {
    const about = calls.safe[index % calls.safe.length] ?? ""
    const args = calls.arguments.slice(0, random.below(calls.arguments.length + 1)).map((values) => random.pick(values))
    return callOf(about, args)
  },
  ...calls.commands ? { commands: calls.commands } : {}
})
