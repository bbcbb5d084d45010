/**
 * Values that travel in the log: JSON of bounded size, told apart by a digest of their canonical form.
 */
import * as Data from "effect/Data"
import type { Json } from "effect/Schema"

/** The largest input, output, step result or answer the log takes, in characters of JSON. */
export const payloadLimit: number = 1024 * 1024

/** How deep objects and arrays may stand within each other. */
export const depthLimit: number = 200

/** A value too large for the log. Keep it as an artifact and pass its reference instead. */
export class PayloadTooLarge extends Data.TaggedError("PayloadTooLarge")<{
  readonly what: string
  readonly limit: number
}> {
  override get message(): string {
    return `${this.what} is larger than ${this.limit} characters of JSON or deeper than ${depthLimit} levels; ` +
      "store it with Artifact.write and pass the reference"
  }
}

/** Characters the value takes as JSON, counted no further than just past `limit`; `Infinity` when it is too deep. */
export const sizeOf = (value: Json, limit: number = payloadLimit, depth: number = depthLimit): number => {
  if (typeof value === "string") return value.length + 2
  if (typeof value !== "object" || value === null) return 5
  if (depth === 0) return Infinity
  let size = 2
  if (Array.isArray(value)) {
    for (const item of value as ReadonlyArray<Json>) {
      size += sizeOf(item, limit, depth - 1) + 1
      if (size > limit) return size
    }
    return size
  }
  const object = value as { readonly [key: string]: Json }
  for (const key in object) {
    size += key.length + 4 + sizeOf(object[key]!, limit, depth - 1)
    if (size > limit) return size
  }
  return size
}

/** `undefined` when the value fits. */
export const check = (what: string, value: Json): PayloadTooLarge | undefined =>
  sizeOf(value) > payloadLimit ? new PayloadTooLarge({ what, limit: payloadLimit }) : undefined

/** JSON with the keys of every object in one order (that of UTF-16): equal values have equal text. */
export const canonical = (value: Json): string => {
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) {
    let text = "["
    for (let i = 0; i < value.length; i++) text += i === 0 ? canonical(value[i]) : "," + canonical(value[i])
    return text + "]"
  }
  const object = value as { readonly [key: string]: Json }
  const keys = Object.keys(object)
  if (keys.length > 1) keys.sort()
  let text = "{"
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    if (object[key] === undefined) continue
    text += (text.length > 1 ? "," : "") + JSON.stringify(key) + ":" + canonical(object[key])
  }
  return text + "}"
}
