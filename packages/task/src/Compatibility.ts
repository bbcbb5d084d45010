/**
 * Whether callers of one build's agents can go on with another's, told from their contracts alone.
 *
 * A caller's input, made by the old schema, has to fit the new one; an output or error, made by the new schema, has to fit
 * what old callers read. Properties a reader does not know are no break: they are passed over.
 */
import type { Json, JsonObject } from "effect/Schema"
import type { Contract } from "./Contract.ts"
import { canonical } from "./Payload.ts"

/** One difference. `breaks`: a caller that worked with the old build may fail with the new one. */
export interface Change {
  readonly agent: string
  readonly part: "agent" | "input" | "output" | "error"
  /** Where in the value, such as `items[].name`; empty for all of it. */
  readonly path: string
  readonly breaks: boolean
  readonly message: string
}

interface Problem {
  readonly path: string
  readonly message: string
}

type Node = { readonly [key: string]: any }

/** A schema within its document. */
interface Place {
  readonly schema: Node
  readonly root: Node
}

const deepest = 64

const resolved = ({ root, schema }: Place): Node => {
  let node = schema
  for (let i = 0; i < deepest && typeof node["$ref"] === "string"; i++) {
    const name = decodeURIComponent(node["$ref"].split("/").at(-1) ?? "").replaceAll("~1", "/").replaceAll("~0", "~")
    node = root["$defs"]?.[name] ?? {}
  }
  const { allOf, ...rest } = node
  return Array.isArray(allOf)
    ? Object.assign({}, rest, ...allOf.map((part: Node) => resolved({ root, schema: part })))
    : rest
}

const alternatives = (node: Node): ReadonlyArray<Node> | undefined => node["anyOf"] ?? node["oneOf"]

const typesOf = ({ type }: Node): ReadonlyArray<string> | undefined =>
  type === undefined ? undefined : Array.isArray(type) ? type : [type]

const valuesOf = (node: Node): ReadonlyArray<Json> | undefined => "const" in node ? [node["const"]] : node["enum"]

const isAny = (node: Node): boolean =>
  Object.keys(node).every((key) => ["title", "description", "default", "examples", "$defs", "$schema"].includes(key))

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "nothing"
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

/** Bounds: the larger the key's value, the less fits; or the more. */
const floors = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"]
const ceilings = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"]

const bounds = (a: Node, b: Node): ReadonlyArray<string> => [
  ...floors.filter((key) => b[key] !== undefined && !(a[key] >= b[key])).map((key) => `${key} ${b[key]}`),
  ...ceilings.filter((key) => b[key] !== undefined && !(a[key] <= b[key])).map((key) => `${key} ${b[key]}`),
  ...b["pattern"] !== undefined && a["pattern"] !== b["pattern"] ? [`pattern ${b["pattern"]}`] : []
]

const fitsType = (type: string, types: ReadonlyArray<string>): boolean =>
  types.includes(type) || type === "integer" && types.includes("number")

const at = (path: string, name: string): string => path === "" ? name : `${path}.${name}`

/** Why a value that fits `a` may not fit `b`. */
const misfits = (a: Place, b: Place, path: string, depth: number): ReadonlyArray<Problem> => {
  if (depth > deepest) return []
  const [from, to] = [resolved(a), resolved(b)]
  if (isAny(to) || canonical(from) === canonical(to) && canonical(a.root) === canonical(b.root)) {
    return []
  }
  const of = (place: Place, schema: Node): Place => ({ schema, root: place.root })
  const some = alternatives(from)
  if (some !== undefined) return some.flatMap((one) => misfits(of(a, one), { ...b, schema: to }, path, depth + 1))
  const others = alternatives(to)
  if (others !== undefined) {
    return fewest(others.map((one) => misfits({ ...a, schema: from }, of(b, one), path, depth + 1)))
  }
  if (isAny(from)) return [{ path, message: `was anything, is now ${brief(to)}` }]
  return plain({ ...a, schema: from }, { ...b, schema: to }, path, depth)
}

const fewest = (attempts: ReadonlyArray<ReadonlyArray<Problem>>): ReadonlyArray<Problem> =>
  attempts.reduce((best, one) => one.length < best.length ? one : best, attempts[0] ?? [])

const plain = (a: Place, b: Place, path: string, depth: number): ReadonlyArray<Problem> => {
  const { schema: from } = a
  const { schema: to } = b
  const [values, allowed] = [valuesOf(from), valuesOf(to)]
  if (allowed !== undefined) {
    const known = new Set(allowed.map(canonical))
    const unknown = values?.filter((value) => !known.has(canonical(value)))
    if (unknown === undefined) return [{ path, message: `may only be ${allowed.map(brief).join(", ")}` }]
    return unknown.map((value) => ({ path, message: `may no longer be ${brief(value)}` }))
  }
  const [types, accepted] = [typesOf(from), typesOf(to)]
  const wrong = accepted === undefined ? undefined : types?.find((type) => !fitsType(type, accepted))
  if (wrong !== undefined) return [{ path, message: `was ${wrong}, is now ${accepted!.join(" or ")}` }]
  const limits = values === undefined
    ? bounds(from, to).map((what) => ({ path, message: `is now limited: ${what}` }))
    : []
  return [...limits, ...properties(a, b, path, depth), ...items(a, b, path, depth)]
}

const properties = (a: Place, b: Place, path: string, depth: number): ReadonlyArray<Problem> => {
  const [from, to]: ReadonlyArray<Node> = [a.schema["properties"] ?? {}, b.schema["properties"] ?? {}]
  const given = new Set<string>(a.schema["required"] ?? [])
  const required: ReadonlyArray<string> = b.schema["required"] ?? []
  const missing = required.filter((name) => !given.has(name)).map((name) => ({
    path: at(path, name),
    message: name in from! ? "is now required" : "is required and was not there"
  }))
  const shared = Object.keys(from!).filter((name) => name in to!)
  return [
    ...missing,
    ...shared.flatMap((name) =>
      misfits({ ...a, schema: from![name] }, { ...b, schema: to![name] }, at(path, name), depth + 1)
    )
  ]
}

const items = (a: Place, b: Place, path: string, depth: number): ReadonlyArray<Problem> => {
  const [from, to] = [a.schema["items"], b.schema["items"]]
  const firsts: ReadonlyArray<Node> = b.schema["prefixItems"] ?? []
  const places: ReadonlyArray<Node> = a.schema["prefixItems"] ?? []
  const both = firsts.flatMap((schema, i) => {
    const own = places[i] ?? (typeof from === "object" ? from : undefined)
    return own === undefined ? [] : misfits({ ...a, schema: own }, { ...b, schema }, `${path}[${i}]`, depth + 1)
  })
  if (typeof to !== "object" || typeof from !== "object") return both
  return [...both, ...misfits({ ...a, schema: from }, { ...b, schema: to }, `${path}[]`, depth + 1)]
}

/** Why a value made by the schema `from` may not fit the schema `to`. */
export const mismatches = (from: JsonObject, to: JsonObject): ReadonlyArray<Problem> =>
  misfits({ schema: from, root: from }, { schema: to, root: to }, "", 0)

const names = (schema: JsonObject, path = ""): ReadonlyArray<string> =>
  Object.entries((schema["properties"] ?? {}) as Node).flatMap(([name, inner]) => [
    at(path, name),
    ...names(inner, at(path, name))
  ])

/** Input properties callers may send and nobody reads any more. */
const unread = (from: JsonObject, to: JsonObject): ReadonlyArray<Problem> => {
  const kept = new Set(names(to))
  return names(from).filter((path) => !kept.has(path)).map((path) => ({
    path,
    message: "was removed: what callers send is passed over"
  }))
}

const schemas = (old: Contract, next: Contract): ReadonlyArray<Change> => {
  const changes = (part: Change["part"], problems: ReadonlyArray<Problem>, breaks = true) =>
    problems.map((problem) => ({ agent: old.name, part, breaks, ...problem }))
  const none = { not: {} }
  const isSame = canonical(old.input) === canonical(next.input)
  return [
    ...changes("input", [...mismatches(old.input, next.input), ...isSame ? [] : unread(old.input, next.input)]),
    ...changes("output", mismatches(next.output, old.output)),
    ...changes(
      "error",
      old.error === null && next.error !== null
        ? [{ path: "", message: "callers did not expect any declared error" }]
        : next.error === null
        ? []
        : mismatches(next.error, old.error ?? none)
    )
  ]
}

const words = (old: Contract, next: Contract): ReadonlyArray<Change> => {
  const change = (breaks: boolean, message: string): Change => ({
    agent: old.name,
    part: "agent",
    path: "",
    breaks,
    message
  })
  return [
    ...old.kind === next.kind ? [] : [change(false, `was ${old.kind}, is now ${next.kind}`)],
    ...old.policy === next.policy
      ? []
      : [change(next.policy === "required", `task policy was ${old.policy}, is now ${next.policy}`)],
    ...old.listed === next.listed
      ? []
      : [change(!next.listed, next.listed ? "is now offered to MCP hosts" : "is no longer offered to MCP hosts")]
  ]
}

/** What differs between two builds, agent by agent. */
export const compare = (old: ReadonlyArray<Contract>, next: ReadonlyArray<Contract>): ReadonlyArray<Change> => {
  const newer = new Map(next.map((contract) => [contract.name, contract]))
  const older = new Set(old.map(({ name }) => name))
  const changed = old.flatMap((contract): ReadonlyArray<Change> => {
    const now = newer.get(contract.name)
    if (now !== undefined) return [...words(contract, now), ...schemas(contract, now)]
    return [{ agent: contract.name, part: "agent", path: "", breaks: true, message: "is gone" }]
  })
  const added = next.filter(({ name }) => !older.has(name)).map(({ name }): Change => ({
    agent: name,
    part: "agent",
    path: "",
    breaks: false,
    message: "is new"
  }))
  return [...changed, ...added]
}
