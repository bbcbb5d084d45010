/**
 * A value as text, so that results of two processes can be compared.
 *
 * Two values have the same text when a program could hardly tell them apart: kinds, classes, own members in their
 * order, errors with their messages. Cycles are named, and size is bounded, as a result may be anything.
 */
export const limits = { depth: 8, members: 500, text: 20_000 }

export const describe = (value: unknown): string => describeAt(value, []).slice(0, limits.text)

export const describeThrown = (error: unknown): string =>
  error instanceof Error ? `throws ${error.name}: ${error.message}` : `throws ${describe(error)}`

const describeAt = (value: unknown, parents: ReadonlyArray<object>): string => {
  if (typeof value === "function") return describeFunction(value)
  if (typeof value !== "object" || value === null) return describePrimitive(value)
  const back = parents.lastIndexOf(value)
  if (back !== -1) return `<parent ${parents.length - back}>`
  if (parents.length >= limits.depth) return "<deep>"
  return describeObject(value, [...parents, value])
}

const describePrimitive = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value)
  if (typeof value === "symbol") return value.toString()
  if (typeof value === "bigint") return `${value}n`
  return Object.is(value, -0) ? "-0" : String(value)
}

const describeFunction = (fn: object): string => {
  const isClass = Function.prototype.toString.call(fn).startsWith("class")
  return `<${isClass ? "class" : "function"}/${String(Reflect.get(fn, "length"))}>`
}

export const isAmbient = (value: unknown): boolean => value === process || value === globalThis

const describeObject = (value: object, parents: ReadonlyArray<object>): string => {
  if (isAmbient(value)) return "<process or global>"
  if (value instanceof RegExp || value instanceof Date) return String(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (Array.isArray(value)) {
    return `[${value.slice(0, limits.members).map((item) => describeAt(item, parents)).join(", ")}]`
  }
  if (value instanceof Map || value instanceof Set) return `${classOf(value)}${describeAt([...value], parents)}`
  const members = Object.entries(Object.getOwnPropertyDescriptors(value)).slice(0, limits.members)
  const text = members.map(([key, descriptor]) => {
    const member = "value" in descriptor ? describeAt(descriptor.value, parents) : "<accessor>"
    return `${descriptor.enumerable ? "" : "~"}${JSON.stringify(key)}: ${member}`
  })
  return `${classOf(value)}{${text.join(", ")}}`
}

const classOf = (value: object): string => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return "null "
  const constructor: unknown = Reflect.get(value, "constructor")
  return prototype === Object.prototype ? "" : `${typeof constructor === "function" ? constructor.name : "?"} `
}
