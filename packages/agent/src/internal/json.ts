/**
 * Turns a value into the JSON a replay will read back, so that live and replayed code see the same.
 */
import type { Json } from "effect/Schema"

/** A value JSON cannot carry. `path` is where, such as `$.items[3]`. */
export class NotJson extends Error {
  readonly path: string
  constructor(path: string, what: string) {
    super(`${what} at ${path}`)
    this.path = path
  }
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

/**
 * The value itself when it is plain JSON already, else its JSON form: `undefined` becomes `null`, dates and whatever has
 * a `toJSON` become what they say, class instances their own fields. Throws `NotJson` for functions, symbols, bigints,
 * numbers that are not finite, and cycles.
 */
export const toJson = (value: unknown, path = "$", seen: ReadonlyArray<object> = []): Json => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value
    case "number":
      if (Number.isFinite(value)) return value
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
  if ("toJSON" in value && typeof value.toJSON === "function" && !isErrorLike(value)) {
    return toJson(value.toJSON(), path, [...seen, value])
  }
  const inner = [...seen, value]
  if (Array.isArray(value)) {
    let same = true
    const items = value.map((item, index) => {
      const json = toJson(item, `${path}[${index}]`, inner)
      if (json !== item) same = false
      return json
    })
    return same ? value as Json : items
  }
  return fieldsToJson(value, path, inner)
}

const isErrorLike = (value: object): boolean => value instanceof Error

const fieldsToJson = (value: object, path: string, inner: ReadonlyArray<object>): Json => {
  let same = isPlain(value)
  const fields: Record<string, Json> = {}
  for (const key of Object.keys(value)) {
    const field = (value as Record<string, unknown>)[key]
    if (field === undefined) {
      same = false
      continue
    }
    const json = toJson(field, `${path}.${key}`, inner)
    if (json !== field) same = false
    Object.defineProperty(fields, key, { value: json, enumerable: true, writable: true, configurable: true })
  }
  if (isErrorLike(value)) fields["message"] = (value as Error).message
  if ("_tag" in value && typeof value._tag === "string") fields["_tag"] = value._tag
  return same ? value as Json : fields
}
