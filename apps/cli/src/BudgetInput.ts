/**
 * A budget as it is typed: `calls=100,tokens=20000,wallClock=1h`, or the same as a JSON object.
 */
import type { Budget } from "@coppice/api/TasksApi"
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { badInput, type Failure } from "./Failure.ts"
import type { Host } from "./Host.ts"
import { readDuration, readJson } from "./Input.ts"

const limits = ["wallClock", "calls", "tokens", "money", "depth", "fanOut", "soft"] as const
type Limit = typeof limits[number]

const unknown = (name: string) =>
  badInput(`--budget: there is no ${name}`, `such as calls=100,tokens=20000,wallClock=1h; it has ${limits.join(", ")}`)

const isLimit = (name: string): name is Limit => limits.includes(name as Limit)

/** The time may be a span, such as `1h`. */
const readLimit = (name: Limit, value: Json): Effect.Effect<number, Failure> => {
  if (name === "wallClock" && typeof value === "string" && !/^\d+$/.test(value)) {
    return readDuration(value, "--budget wallClock")
  }
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value
  return typeof number === "number" && Number.isFinite(number)
    ? Effect.succeed(number)
    : Effect.fail(badInput(`--budget: ${name} is not a number: ${JSON.stringify(value)}`, "such as 100"))
}

const pairsOf = Effect.fnUntraced(
  function*(text: string): Effect.fn.Return<ReadonlyArray<[string, Json]>, Failure, Host> {
    if (/^\w+=/.test(text)) {
      return text.split(",").map((pair): [string, Json] => {
        const [name = "", ...rest] = pair.split("=")
        return [name.trim(), rest.join("=").trim()]
      })
    }
    const given: Json = yield* readJson(text, "--budget")
    const isObject = typeof given === "object" && given !== null && !Array.isArray(given)
    return isObject ? Object.entries(given) : yield* unknown("that")
  }
)

/** What is left out has no limit. */
export const readBudget = Effect.fnUntraced(function*(text: string): Effect.fn.Return<Budget, Failure, Host> {
  const budget: { -readonly [L in keyof Budget]: Budget[L] } = {
    wallClock: null,
    calls: null,
    tokens: null,
    money: null
  }
  for (const [name, value] of yield* pairsOf(text)) {
    if (!isLimit(name)) return yield* unknown(name)
    if (value !== null) budget[name] = yield* readLimit(name, value)
  }
  return budget
})
