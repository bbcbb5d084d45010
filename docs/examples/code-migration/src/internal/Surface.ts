/** The public face of a module: a flat table from member path to what is found there. */
import { describe, isAmbient } from "./Describe.ts"

/** Pairs, as a member may be called `constructor`. */
export type Surface = ReadonlyArray<readonly [path: string, kind: string]>

const limits = { depth: 4, members: 5_000 }

export const surfaceOf = (value: unknown): Surface => {
  const surface = new Map<string, string>()
  const seen = new Set<unknown>()
  const visit = (path: string, member: unknown, depth: number): void => {
    if (surface.size >= limits.members) return
    surface.set(path, kindOf(member))
    const isObject = (typeof member === "object" && member !== null) || typeof member === "function"
    if (!isObject || seen.has(member) || depth >= limits.depth || isOpaque(member)) return
    seen.add(member)
    for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(member))) {
      if (typeof member === "function" && hidden.has(key)) continue
      const next = path === "" ? key : `${path}.${key}`
      if ("value" in descriptor) visit(next, descriptor.value, depth + 1)
      else surface.set(next, `accessor ${descriptor.get ? "get" : ""} ${descriptor.set ? "set" : ""}`)
    }
  }
  visit("", value, 0)
  return [...surface]
}

/** Member paths whose kinds differ, with both kinds. */
export const surfaceDifferences = (original: Surface, migrated: Surface): ReadonlyArray<string> => {
  const [before, after] = [new Map(original), new Map(migrated)]
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path) && !isOnlyNamed(before.get(path), after.get(path)))
    .map((path) => `${path || "(itself)"}: ${before.get(path) ?? "absent"} became ${after.get(path) ?? "absent"}`)
}

/** A function that had no name may get one. */
const isOnlyNamed = (before = "", after = ""): boolean =>
  /^<(class|function)\/\d+>$/.test(before) && after.startsWith(`${before} `)

const hidden = new Set(["length", "name", "arguments", "caller"])

const kindOf = (value: unknown): string => {
  if (typeof value === "function") return `${describe(value)} ${value.name}`.trim()
  if (typeof value === "object" && value !== null && !isOpaque(value)) return Array.isArray(value) ? "array" : "object"
  return describe(value)
}

/** Compared by value, not by members; the process and the global object differ from run to run. */
const isOpaque = (value: unknown): boolean =>
  value instanceof RegExp || value instanceof Date || value instanceof Error || isAmbient(value)
