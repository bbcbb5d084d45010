/**
 * Turns a value into the JSON a replay will read back, so that live and replayed code see the same.
 */
import { depthLimit } from "@coppice/task/Payload"
import type { Json } from "effect/Schema"

/** A value JSON cannot carry. `path` is where, such as `$.items[3]`. */
class NotJson extends Error {
  readonly path: string
  constructor(path: string, what: string) {
    super(`${what} at ${path}`)
    this.path = path
  }
}

/**
 * A copy of the value as JSON: `undefined` becomes `null`, or goes where it is a field; dates and whatever has a
 * `toJSON` become what they say, class instances their own fields. Throws `NotJson` for functions, symbols, bigints,
 * numbers that are not finite, cycles, and what is nested too deep.
 */
export const toJson = (value: unknown, path = "$", seen: ReadonlyArray<object> = []): Json => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      // there is no minus zero in JSON
      if (Number.isFinite(value)) return value === 0 ? 0 : value
      throw new NotJson(path, String(value))
    case "undefined":
      return null
    case "object":
      return value === null ? null : objectToJson(value, path, seen)
    default:
      throw new NotJson(path, `a ${typeof value}`)
  }
}

const objectToJson = (value: object, path: string, seen: ReadonlyArray<object>): Json => {
  if (seen.includes(value)) throw new NotJson(path, "a cycle")
  if (seen.length > depthLimit) {
    throw new NotJson(path.slice(0, 80), `something nested deeper than ${depthLimit} levels`)
  }
  const inner = [...seen, value]
  if ("toJSON" in value && typeof value.toJSON === "function" && !(value instanceof Error)) {
    return toJson(value.toJSON(), path, inner)
  }
  return Array.isArray(value)
    ? Array.from(value, (item, index) => toJson(item, `${path}[${index}]`, inner))
    : fieldsToJson(value, path, inner)
}

const fieldsToJson = (value: object, path: string, inner: ReadonlyArray<object>): Json => {
  const fields: Record<string, Json> = {}
  const add = (key: string, field: unknown): void => {
    if (field === undefined) return
    const json = toJson(field, `${path}.${key}`, inner)
    if (key !== "__proto__") fields[key] = json
    else Object.defineProperty(fields, key, { value: json, enumerable: true, writable: true, configurable: true })
  }
  if (value instanceof Error) add("message", value.message)
  for (const key of Object.keys(value)) add(key, (value as Record<string, unknown>)[key])
  if ("_tag" in value && typeof value._tag === "string") add("_tag", value._tag)
  return fields
}
