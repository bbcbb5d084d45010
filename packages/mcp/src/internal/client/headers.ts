/**
 * HTTP headers that repeat what is in the body (2026-07-28), so that proxies can route without reading it.
 *
 * `Mcp-Method` and `Mcp-Name` name the request; `Mcp-Param-*` repeat arguments a tool marked with `x-mcp-header`. A tool
 * whose marks break the rules must not be used, and is left out of the list.
 */
import type { Json } from "effect/Schema"
import { at, isObject, type JsonObject } from "./rpc.ts"

const sentinel = /^=\?base64\?.*\?=$/
const plain = /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/

/** A value that survives as a header field, in the sentinel form where it would not. */
const headerValue = (value: string): string =>
  value !== "" && plain.test(value) && !sentinel.test(value)
    ? value
    : `=?base64?${Buffer.from(value, "utf8").toString("base64")}?=`

const nameOf = (method: string, params: JsonObject): Json | undefined => {
  if (method === "tools/call" || method === "prompts/get") return params["name"]
  if (method === "resources/read") return params["uri"]
  return method === "tasks/get" || method === "tasks/update" || method === "tasks/cancel" ? params["taskId"] : undefined
}

export const routingHeaders = (method: string, params: JsonObject): Record<string, string> => {
  const name = nameOf(method, params)
  return typeof name === "string"
    ? { "mcp-method": method, "mcp-name": headerValue(name) }
    : { "mcp-method": method }
}

/** An argument that is repeated as a header: where it stands, and the header's name. */
export interface HeaderMark {
  readonly path: ReadonlyArray<string>
  readonly header: string
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const mark = "x-mcp-header"
const deepest = 64
const markable = new Set<unknown>(["string", "integer", "boolean"])

interface Search {
  readonly marks: Array<HeaderMark>
  readonly seen: Set<string>
}

/** False when this node's mark breaks a rule. */
const take = (search: Search, node: JsonObject, path: ReadonlyArray<string>): boolean => {
  const name = node[mark]
  if (typeof name !== "string" || !token.test(name) || !markable.has(node["type"]) || path.length === 0) return false
  if (search.seen.has(name.toLowerCase())) return false
  search.seen.add(name.toLowerCase())
  search.marks.push({ path, header: `mcp-param-${name.toLowerCase()}` })
  return true
}

const hasMark = (value: Json | undefined, depth: number): boolean => {
  if (depth > deepest || typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return value.some((item: Json) => hasMark(item, depth + 1))
  const object = value as JsonObject
  // strict where marks are forbidden: an argument that only has this name is taken for one
  return Object.entries(object).some(([key, child]) => key === mark || hasMark(child, depth + 1))
}

const walk = (search: Search, node: JsonObject, path: ReadonlyArray<string>): boolean => {
  if (path.length > deepest) return false
  if (mark in node && !take(search, node, path)) return false
  for (const [key, child] of Object.entries(node)) {
    if (key === mark) continue
    if (key === "properties" && isObject(child)) {
      for (const [name, property] of Object.entries(child)) {
        if (isObject(property) && !walk(search, property, [...path, name])) return false
      }
    } else if (isSubschema(key) && hasMark(child, 0)) return false
  }
  return true
}

const subschemas = new Set(
  ("items prefixItems contains additionalProperties unevaluatedProperties unevaluatedItems propertyNames " +
    "patternProperties dependentSchemas oneOf anyOf allOf not if then else $defs definitions").split(" ")
)
const isSubschema = (key: string): boolean => subschemas.has(key)

/** The marks of a tool's input schema, or `undefined` when they break the rules. */
export const headerMarks = (schema: JsonObject): ReadonlyArray<HeaderMark> | undefined => {
  const search: Search = { marks: [], seen: new Set() }
  return walk(search, schema, []) ? search.marks : undefined
}

/** The headers that repeat marked arguments; absent and null ones have none. */
export const paramHeaders = (marks: ReadonlyArray<HeaderMark>, args: JsonObject): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const { header, path } of marks) {
    const value = at(args, ...path)
    if (typeof value === "string") headers[header] = headerValue(value)
    else if (typeof value === "boolean" || Number.isSafeInteger(value)) headers[header] = String(value)
  }
  return headers
}
