/**
 * A JSON Schema as a form reads it: what kind of field each part of it is.
 *
 * Schemas come from agents and from servers elsewhere, so nothing about them is taken for granted: references stay inside
 * the schema, depth and width are bounded, and what a form cannot show is edited as JSON.
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json | undefined }

export type JsonObject = Readonly<Record<string, unknown>>

interface Choice {
  readonly value: Json
  readonly title: string
}

interface Common {
  readonly title: string | undefined
  readonly description: string | undefined
  /** `null` is one of its values. */
  readonly nullable: boolean
}

interface Property {
  readonly name: string
  readonly schema: JsonObject
  readonly required: boolean
}

export type Field =
  & Common
  & (
    | { readonly kind: "text"; readonly format: string | undefined; readonly long: boolean }
    | { readonly kind: "number"; readonly integer: boolean; readonly minimum?: number; readonly maximum?: number }
    | { readonly kind: "boolean" }
    | { readonly kind: "choice"; readonly choices: ReadonlyArray<Choice> }
    | { readonly kind: "several"; readonly choices: ReadonlyArray<Choice> }
    | { readonly kind: "object"; readonly properties: ReadonlyArray<Property> }
    | { readonly kind: "list"; readonly items: JsonObject; readonly minItems: number; readonly maxItems: number }
    | { readonly kind: "variants"; readonly variants: ReadonlyArray<JsonObject> }
    | { readonly kind: "json" }
  )

/** Deeper or wider than this is edited as JSON. */
const deepest = 8
const widest = 100

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const own = (object: JsonObject, key: string): unknown => Object.hasOwn(object, key) ? object[key] : undefined

const objects = (value: unknown): ReadonlyArray<JsonObject> => Array.isArray(value) ? value.filter(isObject) : []

const text = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const number = (value: unknown): number | undefined => typeof value === "number" ? value : undefined

/** What a reference inside the schema points to; nothing is fetched from anywhere. */
const target = (root: JsonObject, reference: string): JsonObject | undefined => {
  if (reference === "#") return root
  if (!reference.startsWith("#/")) return undefined
  let found: unknown = root
  for (const part of reference.slice(2).split("/")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
    found = isObject(found) ? own(found, key) : undefined
  }
  return isObject(found) ? found : undefined
}

/** The schema with its reference followed and its `allOf` merged. */
export const resolve = (schema: JsonObject, root: JsonObject, hops = 0): JsonObject => {
  if (hops > deepest) return {}
  const { $ref, allOf, ...rest } = schema
  const parts = [
    ...typeof $ref === "string" ? [target(root, $ref) ?? {}] : [],
    ...objects(allOf)
  ]
  if (parts.length === 0) return schema
  return Object.assign({}, ...parts.map((part) => resolve(part, root, hops + 1)), rest)
}

const constants = (schemas: ReadonlyArray<JsonObject>): ReadonlyArray<Choice> | undefined => {
  const choices = schemas.flatMap((schema) => {
    const only = "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : undefined
    return only === undefined ? [undefined] : only.map((value) => ({
      value: value as Json,
      title: text(schema["title"]) ?? label(value)
    }))
  })
  return choices.length > 0 && choices.every((choice) => choice !== undefined) ? choices : undefined
}

/** A value in one word. */
export const label = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value) ?? "undefined"

const choicesOf = (schema: JsonObject): ReadonlyArray<Choice> | undefined => {
  const { const: only, enum: values, enumNames } = schema
  if (only !== undefined) return [{ value: only as Json, title: text(schema["title"]) ?? label(only) }]
  if (Array.isArray(values)) {
    const names = Array.isArray(enumNames) ? enumNames : []
    return values.map((value, index) => ({ value: value as Json, title: text(names[index]) ?? label(value) }))
  }
  return constants(objects(schema["oneOf"])) ?? constants(objects(schema["anyOf"]))
}

const isNull = (schema: JsonObject): boolean => schema["type"] === "null" || schema["const"] === null

/** The alternatives without `null`, and whether it was one of them. */
const alternatives = (
  schema: JsonObject,
  root: JsonObject
): { readonly all: ReadonlyArray<JsonObject>; readonly nullable: boolean } => {
  const all = objects(schema["oneOf"] ?? schema["anyOf"]).map((one) => resolve(one, root))
  const others = all.filter((one) => !isNull(one))
  return { all: others, nullable: others.length < all.length }
}

const typeOf = (schema: JsonObject): { readonly type: string | undefined; readonly nullable: boolean } => {
  const { type } = schema
  if (!Array.isArray(type)) return { type: text(type), nullable: false }
  const others = type.filter((one) => one !== "null")
  return { type: others.length === 1 ? text(others[0]) : undefined, nullable: others.length < type.length }
}

const propertiesOf = (schema: JsonObject): ReadonlyArray<Property> => {
  const { properties, required } = schema
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(isObject(properties) ? properties : {}).map(([name, one]) => ({
    name,
    schema: isObject(one) ? one : {},
    required: needed.has(name)
  }))
}

const listOf = (schema: JsonObject, root: JsonObject, common: Common): Field => {
  const { items } = schema
  if (!isObject(items)) return { ...common, kind: "json" }
  const choices = choicesOf(resolve(items, root))
  if (choices !== undefined) return { ...common, kind: "several", choices }
  return {
    ...common,
    kind: "list",
    items,
    minItems: number(schema["minItems"]) ?? 0,
    maxItems: number(schema["maxItems"]) ?? Infinity
  }
}

const numberOf = (schema: JsonObject, integer: boolean, common: Common): Field => {
  const minimum = number(schema["minimum"])
  const maximum = number(schema["maximum"])
  return {
    ...common,
    kind: "number",
    integer,
    ...minimum === undefined ? {} : { minimum },
    ...maximum === undefined ? {} : { maximum }
  }
}

const typed = (schema: JsonObject, root: JsonObject, common: Common, depth: number): Field => {
  const { nullable, type } = typeOf(schema)
  const all = { ...common, nullable: common.nullable || nullable }
  switch (type) {
    case "string":
      return { ...all, kind: "text", format: text(schema["format"]), long: (number(schema["maxLength"]) ?? 0) > 200 }
    case "integer":
    case "number":
      return numberOf(schema, type === "integer", all)
    case "boolean":
      return { ...all, kind: "boolean" }
    case "array":
      return depth < deepest ? listOf(schema, root, all) : { ...all, kind: "json" }
    case "object": {
      const properties = propertiesOf(schema)
      const isShown = depth < deepest && properties.length > 0 && properties.length <= widest
      return isShown ? { ...all, kind: "object", properties } : { ...all, kind: "json" }
    }
    default:
      return { ...all, kind: "json" }
  }
}

/** What kind of field a schema is. */
export const fieldOf = (unresolved: JsonObject, root: JsonObject, depth = 0): Field => {
  const schema = resolve(unresolved, root)
  const common = { title: text(schema["title"]), description: text(schema["description"]), nullable: false }
  const choices = choicesOf(schema)
  if (choices !== undefined && choices.length <= widest * 10) return { ...common, kind: "choice", choices }
  const { all, nullable } = alternatives(schema, root)
  if (all.length === 0) return typed(schema, root, common, depth)
  if (all.length === 1) {
    const only = fieldOf(all[0]!, root, depth + 1)
    return {
      ...only,
      title: common.title ?? only.title,
      description: common.description ?? only.description,
      nullable: true
    }
  }
  const isShown = depth < deepest && all.length <= widest
  return isShown ? { ...common, nullable, kind: "variants", variants: all } : { ...common, nullable, kind: "json" }
}
