/**
 * How a foreign server is asked whether a call of one of its tools happened: by another of its tools, which only looks.
 *
 * It is data. Places are JSON Pointers (RFC 6901): `""` is the whole, `"/order/id"` a part.
 */
import { unescapeToken } from "effect/JsonPointer"
import * as Predicate from "effect/Predicate"
import type { Json, JsonObject } from "effect/Schema"

export interface RemoteVerify {
  /** The tool that looks, by its name there. It must not change anything. */
  readonly tool: string
  /** Its arguments by name, each from a place in the call's input; what is not there is left out. [the whole input] */
  readonly arguments?: Readonly<Record<string, string>> | undefined
  /** Where in what it returns the call's result stands. Nothing or null there: it did not happen. [""] */
  readonly result?: string | undefined
}

const isPointer = (text: string): boolean => text === "" || text.startsWith("/")

/** What is wrong with it, if anything. */
export const problemOf = ({ arguments: places = {}, result = "", tool }: RemoteVerify): string | undefined => {
  if (tool === "") return "verify.tool must name a tool of the server"
  const wrong = [["result", result], ...Object.entries(places).map(([name, place]) => [`arguments.${name}`, place])]
    .find(([, place]) => !isPointer(place!))
  return wrong && `verify.${wrong[0]} must be a JSON Pointer such as "/order/id", not "${wrong[1]}"`
}

const at = (value: Json, pointer: string): Json | undefined => {
  let found: unknown = value
  for (const token of pointer.split("/").slice(1)) {
    const name = unescapeToken(token)
    if (!Predicate.isObjectOrArray(found) || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<string, unknown>)[name]
  }
  return found as Json
}

/** What the tool that looks is called with. */
export const argumentsOf = ({ arguments: places }: RemoteVerify, input: JsonObject): JsonObject => {
  if (places === undefined) return input
  return Object.fromEntries(
    Object.entries(places).flatMap(([name, place]) => {
      const value = at(input, place)
      return value === undefined ? [] : [[name, value]]
    })
  )
}

/** The call's result in what the tool that looked returned; `undefined` when the call did not happen. */
export const resultIn = ({ result = "" }: RemoteVerify, returned: Json): Json | undefined =>
  at(returned, result) ?? undefined
