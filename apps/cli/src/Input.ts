/**
 * What a person gives a command: JSON on the command line, in a file or on the standard input, and spans of time.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Json } from "effect/Schema"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { badInput, type Failure } from "./Failure.ts"
import { Host } from "./Host.ts"
import { parseDuration } from "./Times.ts"

/** The value, or where it stops being JSON. `from` is what the person knows it by. */
export const parseJson = (text: string, from: string): Result.Result<Json, Failure> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const fix = /^\s*['"]?[\w.-]*$/.test(text)
      ? `a text is JSON with quotes around it: '"${text.trim()}"'`
      : "give JSON such as '{\"path\":\"a.ts\"}', @file, or - for the standard input"
    return Result.fail(badInput(`${from} is not JSON: ${detail}`, fix))
  }
}

const read = (path: string) =>
  Effect.tryPromise({
    try: () => readFile(path, "utf8"),
    catch: (error) => {
      const code = (error as { readonly code?: string }).code ?? "unknown error"
      return badInput(`Cannot read ${path} (${code})`, "check the path after the @")
    }
  })

/** `{"a":1}`, `@file` or `-`. */
export const readJson = Effect.fnUntraced(
  function*(given: string, flag: string): Effect.fn.Return<Json, Failure, Host> {
    const { cwd, stdin } = yield* Host
    if (given === "-") return yield* Effect.fromResult(parseJson(yield* stdin, "The standard input"))
    if (!given.startsWith("@")) return yield* Effect.fromResult(parseJson(given, flag))
    const path = given.slice(1)
    return yield* Effect.fromResult(parseJson(yield* read(resolve(cwd, path)), path))
  }
)

/** Milliseconds of `10m`, `1h30m`, `90s`. */
export const readDuration = (given: string, flag: string): Effect.Effect<number, Failure> => {
  const parsed = parseDuration(given)
  return parsed === undefined
    ? Effect.fail(badInput(`${flag} is not a span of time: ${given}`, "such as 90s, 10m or 1h30m"))
    : Effect.succeed(parsed)
}
