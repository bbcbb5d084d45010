/**
 * The value of a form: what it begins with, and which variant a value is.
 */
import { fieldOf, isObject, type Json, type JsonObject, resolve } from "./JsonSchema.ts"

/** `undefined` stands for a field nobody has filled in. */
export type Value = Json | undefined

/**
 * What a form begins with: defaults, the only possible value, and everything inside of required objects. A required
 * checkbox begins unticked, since unticked is an answer.
 */
export const initial = (unresolved: JsonObject, root: JsonObject, depth = 0): Value => {
  const schema = resolve(unresolved, root)
  if ("default" in schema) return schema["default"] as Json
  const field = fieldOf(schema, root, depth)
  switch (field.kind) {
    case "boolean":
      return field.nullable ? null : false
    case "choice":
      return field.choices.length === 1 ? field.choices[0]!.value : undefined
    case "several":
      return []
    case "list":
      return Array.from({ length: Math.min(field.minItems, 20) }, () => initial(field.items, root, depth + 1) ?? null)
    case "variants":
      return field.nullable ? null : initial(field.variants[0]!, root, depth + 1)
    case "object":
      return field.nullable ? null : Object.fromEntries(field.properties.flatMap(({ name, required, schema }) => {
        const hasDefault = "default" in resolve(schema, root)
        const value = required || hasDefault ? initial(schema, root, depth + 1) : undefined
        return value === undefined ? [] : [[name, value]]
      }))
    default:
      return field.nullable ? null : undefined
  }
}

/** Sets or, with `undefined`, removes a property. A name such as `__proto__` is a name like any other. */
export const withProperty = (object: Value, name: string, value: Value): Json => {
  const entries = isObject(object) ? Object.entries(object).filter(([key]) => key !== name) : []
  return Object.fromEntries(value === undefined ? entries : [...entries, [name, value]]) as Json
}

/** How well a value fits a variant: by the constants that tell variants apart, then by the names of its properties. */
const fitness = (value: Value, variant: JsonObject, root: JsonObject): number => {
  const field = fieldOf(variant, root, 1)
  if (field.kind !== "object") return kindOf(value) === field.kind ? 1 : 0
  if (!isObject(value)) return 0
  let score = 0.5
  for (const { name, schema } of field.properties) {
    if (!Object.hasOwn(value, name)) continue
    const only = fieldOf(schema, root, 1)
    const isTag = only.kind === "choice" && only.choices.length === 1
    if (isTag && only.choices[0]!.value !== value[name]) return 0
    score += isTag ? 100 : 1
  }
  return score
}

const kindOf = (value: Value): string =>
  Array.isArray(value) ? "list" : isObject(value) ? "object" : typeof value === "string" ? "text" : typeof value

/** Which of the variants a value is; the first when it is none. */
export const variantOf = (value: Value, variants: ReadonlyArray<JsonObject>, root: JsonObject): number => {
  const scores = variants.map((variant) => fitness(value, variant, root))
  return Math.max(0, scores.indexOf(Math.max(...scores)))
}
