/**
 * Witnesses outside the service: the effects its steps left in a file, and the folders they wrote.
 */
import { createHash } from "node:crypto"
import { existsSync, globSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import type { EffectLine } from "./History.ts"

const parse = (line: string): ReadonlyArray<EffectLine> => {
  try {
    return [JSON.parse(line) as EffectLine]
  } catch {
    return []
  }
}

/** The lines of an effects file. A line that a kill cut off is no witness: what it tells of had not ended. */
export const readEffects = (file: string): ReadonlyArray<EffectLine> =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => line !== "").flatMap(parse) : []

/** Every file below a folder with the digest of its bytes, by relative path. */
export const digests = (folder: string): ReadonlyMap<string, string> => {
  if (!existsSync(folder)) return new Map()
  const paths = globSync("**", { cwd: folder }).filter((path) => statSync(join(folder, path)).isFile()).sort()
  return new Map(
    paths.map((path) => [path, createHash("sha256").update(readFileSync(join(folder, path))).digest("hex")])
  )
}

/** What is not the same in two folders. */
export const differing = (
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>
): ReadonlyArray<string> => {
  const paths = [...new Set([...expected.keys(), ...actual.keys()])]
  return paths.flatMap((path) => {
    if (!actual.has(path)) return [`${path} is missing`]
    if (!expected.has(path)) return [`${path} should not be there`]
    return actual.get(path) === expected.get(path) ? [] : [`${path} has other bytes`]
  })
}
