/**
 * A question's form, read from its JSON Schema: which fields there are, and whether what a person typed fits one.
 *
 * It knows what MCP elicitation allows (text, numbers, yes or no, one or several of a list, with titles and defaults)
 * and what schema libraries make of the same; anything else is asked as JSON. The service has the last word: it checks
 * every answer against the whole schema.
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Json, JsonObject } from "effect/Schema"
import { widthOf } from "./Text.ts"

/** One of a list. */
export interface Option {
  readonly value: Json
  readonly title: string
}

/** What may be typed into a field. */
export type Kind =
  | {
    readonly _tag: "Text"
    readonly min: number
    readonly max: number
    readonly format: string | undefined
    readonly pattern: string | undefined
  }
  | { readonly _tag: "Number"; readonly isInteger: boolean; readonly limits: Limits }
  | { readonly _tag: "Choice"; readonly options: ReadonlyArray<Option> }
  | { readonly _tag: "Choices"; readonly options: ReadonlyArray<Option>; readonly min: number; readonly max: number }
  | { readonly _tag: "Json" }

interface Limits {
  readonly least: number
  readonly most: number
  /** Whether `least` and `most` are themselves too much. */
  readonly above: boolean
  readonly below: boolean
}

export interface Field {
  /** Name of the property; `null` when the answer is this field alone. */
  readonly key: string | null
  readonly title: string
  readonly description: string | undefined
  readonly isRequired: boolean
  /** `undefined` when there is none. */
  readonly initial: Json | undefined
  readonly kind: Kind
}

type Node = Readonly<Record<string, unknown>>

const isNode = (value: unknown): value is Node => Predicate.isObject(value) && !Array.isArray(value)
const listOf = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : []
const textOf = (value: unknown): string | undefined => typeof value === "string" ? value : undefined
const numberOf = (value: unknown, otherwise: number): number => typeof value === "number" ? value : otherwise

/** The schema with its `$ref` followed and its `allOf` laid over it. */
const flat = (schema: unknown, root: Node, depth = 0): Node => {
  if (!isNode(schema) || depth > 16) return {}
  const { $ref, allOf, ...own } = schema
  const name = textOf($ref)?.match(/^#\/(?:\$defs|definitions)\/([^/]+)$/)?.[1]
  const definitions = isNode(root["$defs"]) ? root["$defs"] : isNode(root["definitions"]) ? root["definitions"] : {}
  const target = name === undefined ? {} : flat(definitions[decodeURIComponent(name)], root, depth + 1)
  const parts = listOf(allOf).map((part) => flat(part, root, depth + 1))
  return Object.assign({}, target, ...parts, own) as Node
}

const isNull = (schema: Node): boolean => schema["type"] === "null" || schema["const"] === null

/** The schema without its `null`, and whether it had one. */
const withoutNull = (schema: Node, root: Node): { readonly schema: Node; readonly isNullable: boolean } => {
  const type = schema["type"]
  if (Array.isArray(type) && type.includes("null")) {
    const rest = type.filter((name) => name !== "null")
    return { schema: { ...schema, type: rest.length === 1 ? rest[0] : rest }, isNullable: true }
  }
  const members = listOf(schema["anyOf"] ?? schema["oneOf"]).map((member) => flat(member, root))
  const rest = members.filter((member) => !isNull(member))
  if (rest.length === members.length) return { schema, isNullable: false }
  const { anyOf: _anyOf, oneOf: _oneOf, ...own } = schema
  return { schema: rest.length === 1 ? { ...rest[0], ...own } : { ...own, anyOf: rest }, isNullable: true }
}

const show = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** The list a value must come from, when there is one. */
const optionsOf = (schema: Node, root: Node): ReadonlyArray<Option> | undefined => {
  if (schema["type"] === "boolean") return [{ value: true, title: "yes" }, { value: false, title: "no" }]
  if ("const" in schema) return [{ value: schema["const"] as Json, title: show(schema["const"]) }]
  if (Array.isArray(schema["enum"])) {
    const names = listOf(schema["enumNames"])
    return schema["enum"].map((value, index) => ({ value, title: textOf(names[index]) ?? show(value) }))
  }
  const members = listOf(schema["oneOf"] ?? schema["anyOf"]).map((member) => flat(member, root))
  if (members.length === 0) return undefined
  const options = members.map((member) => {
    const own = optionsOf(member, root)
    const title = textOf(member["title"])
    return own?.length === 1 && title !== undefined ? [{ value: own[0]!.value, title }] : own
  })
  return options.every((option) => option !== undefined) ? options.flat() : undefined
}

const limitsOf = (schema: Node): Limits => {
  const above = typeof schema["exclusiveMinimum"] === "number"
  const below = typeof schema["exclusiveMaximum"] === "number"
  return {
    above,
    below,
    least: numberOf(above ? schema["exclusiveMinimum"] : schema["minimum"], Number.NEGATIVE_INFINITY),
    most: numberOf(below ? schema["exclusiveMaximum"] : schema["maximum"], Number.POSITIVE_INFINITY)
  }
}

const kindOf = (schema: Node, root: Node): Kind => {
  const options = optionsOf(schema, root)
  if (options !== undefined) return { _tag: "Choice", options }
  switch (schema["type"]) {
    case "string":
      return {
        _tag: "Text",
        min: numberOf(schema["minLength"], 0),
        max: numberOf(schema["maxLength"], Number.POSITIVE_INFINITY),
        format: textOf(schema["format"]),
        pattern: textOf(schema["pattern"])
      }
    case "integer":
    case "number":
      return { _tag: "Number", isInteger: schema["type"] === "integer", limits: limitsOf(schema) }
    case "array": {
      const several = optionsOf(flat(schema["items"], root), root)
      const min = numberOf(schema["minItems"], 0)
      const max = numberOf(schema["maxItems"], Number.POSITIVE_INFINITY)
      return several === undefined ? { _tag: "Json" } : { _tag: "Choices", options: several, min, max }
    }
    default:
      return { _tag: "Json" }
  }
}

const fieldOf = (key: string | null, schema: unknown, root: Node, isRequired: boolean): Field => {
  const whole = flat(schema, root)
  const { isNullable, schema: own } = withoutNull(whole, root)
  return {
    key,
    title: textOf(whole["title"]) ?? key ?? "answer",
    description: textOf(whole["description"]) ?? textOf(own["description"]),
    isRequired: isRequired && !isNullable,
    initial: whole["default"] as Json | undefined,
    kind: kindOf(own, root)
  }
}

/** The fields of a form, in its own order. A form without fields only wants a yes or a no. */
export const fieldsOf = (form: JsonObject | null): ReadonlyArray<Field> => {
  if (form === null) return []
  const root = form as Node
  const schema = flat(root, root)
  const properties = schema["properties"]
  if (!isNode(properties)) return schema["type"] === "object" ? [] : [fieldOf(null, schema, root, true)]
  const required = listOf(schema["required"])
  return Object.entries(properties).map(([key, property]) => fieldOf(key, property, root, required.includes(key)))
}

const formats: Readonly<Record<string, readonly [RegExp, string]>> = {
  email: [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, "an e-mail address"],
  uri: [/^[a-z][a-z0-9+.-]*:\S+$/i, "a URI, such as https://example.org"],
  date: [/^\d{4}-\d{2}-\d{2}$/, "a date, such as 2026-11-21"],
  "date-time": [/^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}/, "a date and time, such as 2026-11-21T09:00:00Z"]
}

const matches = (pattern: string, text: string): boolean => {
  try {
    return new RegExp(pattern, "u").test(text)
  } catch {
    return true // a pattern that is none: the service decides
  }
}

const checkText = (kind: Kind & { readonly _tag: "Text" }, text: string): string | undefined => {
  const { length } = Array.from(text) // as JSON Schema counts
  if (length < kind.min) return kind.min === 1 ? "must not be empty" : `at least ${kind.min} characters`
  if (length > kind.max) return `at most ${kind.max} characters`
  const format = kind.format === undefined ? undefined : formats[kind.format]
  if (format !== undefined && !format[0].test(text)) return `must be ${format[1]}`
  if (kind.pattern !== undefined && !matches(kind.pattern, text)) return `must match ${kind.pattern}`
  return undefined
}

const checkNumber = ({ isInteger, limits }: Kind & { readonly _tag: "Number" }, value: number): string | undefined => {
  if (!Number.isFinite(value)) return isInteger ? "must be a whole number" : "must be a number"
  if (isInteger && !Number.isInteger(value)) return "must be a whole number"
  if (limits.above ? value <= limits.least : value < limits.least) {
    return limits.above ? `must be more than ${limits.least}` : `must be at least ${limits.least}`
  }
  if (limits.below ? value >= limits.most : value > limits.most) {
    return limits.below ? `must be less than ${limits.most}` : `must be at most ${limits.most}`
  }
  return undefined
}

const checked = (value: Json, trouble: string | undefined): Result.Result<Json, string> =>
  trouble === undefined ? Result.succeed(value) : Result.fail(trouble)

const parseJson = (text: string): Result.Result<Json, string> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch {
    return Result.fail("must be JSON")
  }
}

/** The value of what was typed; `undefined` when nothing was and nothing has to be. */
export const readText = (field: Field, typed: string): Result.Result<Json | undefined, string> => {
  const { isRequired, kind } = field
  const isEmpty = typed.trim() === ""
  if (isEmpty && !isRequired) return Result.succeed(undefined)
  if (kind._tag === "Text") return checked(typed, isEmpty ? "must not be empty" : checkText(kind, typed))
  if (isEmpty) return Result.fail("must not be empty")
  if (kind._tag !== "Number") return parseJson(typed)
  const value = Number(typed.trim())
  return checked(value, checkNumber(kind, value))
}

/** The value of what was ticked. */
export const readTicks = (
  kind: Kind & { readonly _tag: "Choices" },
  ticked: ReadonlySet<number>
): Result.Result<Json, string> => {
  if (ticked.size < kind.min) return Result.fail(`choose at least ${kind.min}`)
  if (ticked.size > kind.max) return Result.fail(`choose at most ${kind.max}`)
  return Result.succeed(kind.options.filter((_, index) => ticked.has(index)).map(({ value }) => value))
}

/** The answer made of the fields' values. */
export const contentOf = (fields: ReadonlyArray<Field>, values: ReadonlyArray<Json | undefined>): Json => {
  if (fields.length === 1 && fields[0]!.key === null) return values[0] ?? null
  return Object.fromEntries(fields.flatMap(({ key }, index) => {
    const value = values[index]
    return value === undefined ? [] : [[key ?? "", value]]
  }))
}

/** What a field wants, in a few words. */
export const hintOf = ({ isRequired, kind }: Field): string => {
  const optional = isRequired ? "" : ", optional"
  switch (kind._tag) {
    case "Text":
      return `${formats[kind.format ?? ""]?.[1] ?? "text"}${optional}`
    case "Number":
      return `${kind.isInteger ? "a whole number" : "a number"}${rangeOf(kind.limits)}${optional}`
    case "Choice":
      return `one of ${kind.options.map(({ title }) => title).join(", ")}${optional}`
    case "Choices":
      return `some of ${kind.options.map(({ title }) => title).join(", ")}${optional}`
    case "Json":
      return `JSON${optional}`
  }
}

const rangeOf = ({ least, most }: Limits): string => {
  if (least === Number.NEGATIVE_INFINITY) return most === Number.POSITIVE_INFINITY ? "" : ` up to ${most}`
  return most === Number.POSITIVE_INFINITY ? ` from ${least}` : ` from ${least} to ${most}`
}

/** The widest title, so that fields line up. */
export const titleWidth = (fields: ReadonlyArray<Field>): number =>
  fields.reduce((most, { title }) => Math.max(most, widthOf(title)), 0)

/** A value as a person reads it. */
export const showValue = (field: Field, value: Json | undefined): string => {
  if (value === undefined) return "–"
  const { kind } = field
  if (kind._tag === "Choice") return kind.options.find((option) => same(option.value, value))?.title ?? show(value)
  if (kind._tag === "Choices" && Array.isArray(value)) {
    return value.map((one) => kind.options.find((option) => same(option.value, one))?.title ?? show(one)).join(", ")
  }
  return show(value)
}

/** Equal as JSON, for values of a list. */
export const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b)
