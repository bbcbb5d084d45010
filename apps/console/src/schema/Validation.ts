/**
 * What of a value does not fit its schema, field by field. The service checks everything again; this is for whoever types.
 *
 * Patterns are the service's business: one from elsewhere could keep a browser busy for ever.
 */
import type { ErrorBody } from "@coppice/api/ApiError"
import { type Field, fieldOf, isObject, type JsonObject, resolve } from "./JsonSchema.ts"
import { type Value, variantOf } from "./Values.ts"

/** Messages by the path of the field: `files.2.path`; the whole value is "". */
export type Errors = ReadonlyMap<string, string>

export const noErrors: Errors = new Map()

export const joined = (path: string, part: string | number): string => path === "" ? String(part) : `${path}.${part}`

const bound = (schema: JsonObject, name: string): number | undefined => {
  const value = schema[name]
  return typeof value === "number" ? value : undefined
}

const textProblem = (value: string, schema: JsonObject): string | undefined => {
  const least = bound(schema, "minLength") ?? 0
  const most = bound(schema, "maxLength") ?? Infinity
  if (value.length < least) return least === 1 ? "Must not be empty" : `At least ${least} characters`
  return value.length > most ? `At most ${most} characters` : undefined
}

const numberProblem = (
  value: unknown,
  field: Field & { readonly kind: "number" },
  schema: JsonObject
): string | undefined => {
  if (typeof value !== "number") return "Give a number"
  if (field.integer && !Number.isInteger(value)) return "Give a whole number"
  const above = bound(schema, "exclusiveMinimum")
  const below = bound(schema, "exclusiveMaximum")
  if (field.minimum !== undefined && value < field.minimum) return `At least ${field.minimum}`
  if (field.maximum !== undefined && value > field.maximum) return `At most ${field.maximum}`
  if (above !== undefined && value <= above) return `More than ${above}`
  return below !== undefined && value >= below ? `Less than ${below}` : undefined
}

const listProblem = (length: number, schema: JsonObject): string | undefined => {
  const least = bound(schema, "minItems") ?? 0
  const most = bound(schema, "maxItems") ?? Infinity
  if (length < least) return `At least ${least}`
  return length > most ? `At most ${most}` : undefined
}

/** The problem of the value itself, not of what is in it. */
const problem = (value: Value, field: Field, schema: JsonObject): string | undefined => {
  switch (field.kind) {
    case "text":
      return typeof value === "string" ? textProblem(value, schema) : "Give a text"
    case "number":
      return numberProblem(value, field, schema)
    case "boolean":
      return typeof value === "boolean" ? undefined : "Choose one"
    case "choice":
      return field.choices.some((choice) => JSON.stringify(choice.value) === JSON.stringify(value))
        ? undefined
        : "Choose one"
    case "several":
    case "list":
      return Array.isArray(value) ? listProblem(value.length, schema) : "Give a list"
    case "object":
      return isObject(value) ? undefined : "Give an object"
    default:
      return undefined
  }
}

/** Everything that does not fit. */
export const validate = (schema: JsonObject, value: Value, root: JsonObject): Errors =>
  check({ path: "", depth: 0, root }, schema, value)

interface Place {
  readonly path: string
  readonly depth: number
  readonly root: JsonObject
}

const check = (place: Place, unresolved: JsonObject, value: Value): Errors => {
  const { depth, path, root } = place
  const schema = resolve(unresolved, root)
  const field = fieldOf(schema, root, depth)
  if (field.nullable && value === null) return noErrors
  const found = value === undefined ? "Required" : problem(value, field, schema)
  if (found !== undefined) return new Map([[path, found]])
  const below = (schema: JsonObject, value: Value, part: string | number) => [
    ...check({ path: joined(path, part), depth: depth + 1, root }, schema, value)
  ]
  switch (field.kind) {
    case "variants":
      return check({ ...place, depth: depth + 1 }, field.variants[variantOf(value, field.variants, root)]!, value)
    case "list":
      return new Map((value as ReadonlyArray<Value>).flatMap((item, at) => below(field.items, item, at)))
    case "object": {
      const object = value as Readonly<Record<string, Value>>
      return new Map(field.properties.flatMap(({ name, required, schema }) => {
        const one = Object.hasOwn(object, name) ? object[name] : undefined
        return one === undefined && !required ? [] : below(schema, one, name)
      }))
    }
    default:
      return noErrors
  }
}

/** The service's refusal, by field where it names one: `input.files[2]`, or `name: Expected …; age: …` of an answer. */
export const fromService = ({ field, message }: ErrorBody): Errors => {
  const path = /^input\.?(.*)$/.exec(field ?? "")?.[1]
  if (path !== undefined) {
    return new Map([[
      path.replaceAll(/\[(\d+)\]/g, ".$1").replace(/^\./, ""),
      message.replace(/^The input does not fit [^:]*: /, "")
    ]])
  }
  if (field !== "content") return new Map([["", message]])
  const parts = message.replace(/^The answer does not fit the question's form: /, "").split("; ")
  return new Map(parts.map((part) => {
    const [, name, what] = /^([\w$.-]+): (.*)$/s.exec(part) ?? [undefined, "", part]
    return [name, what]
  }))
}
