/**
 * `coppice steer <id>`: tells a running task something, or changes its limits.
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { Connection, now } from "../Connection.ts"
import { badInput } from "../Failure.ts"
import { Host, writeJson, writeLines } from "../Host.ts"
import { readDuration, readJson } from "../Input.ts"
import { line, span } from "../Line.ts"

export interface Options {
  readonly id: string
  readonly message: string | undefined
  readonly priority: number | undefined
  readonly deadline: string | undefined
  readonly budget: string | undefined
  readonly subtree: boolean
  readonly json: boolean
}

const limits = ["wallClock", "calls", "tokens", "money"] as const

/** A budget as it is typed: an object with some of its limits; those left out are none. */
const readBudget = Effect.fnUntraced(function*(text: string) {
  const given: Json = yield* readJson(text, "--budget")
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given)
  const unknown = isObject ? Object.keys(given).find((key) => !limits.includes(key as never)) : "that"
  if (!isObject || unknown !== undefined) {
    return yield* badInput(`--budget: there is no ${unknown}`, `give an object with some of ${limits.join(", ")}`)
  }
  return Object.fromEntries(limits.map((limit) => [limit, (given as { readonly [key: string]: Json })[limit] ?? null]))
})

const payloadOf = Effect.fnUntraced(function*({ budget, deadline, message, priority, subtree }: Options) {
  const within = deadline === undefined ? undefined : yield* readDuration(deadline, "--deadline")
  const pool = budget === undefined ? undefined : yield* readBudget(budget)
  return {
    ...message === undefined ? {} : { message },
    ...priority === undefined ? {} : { priority },
    ...within === undefined ? {} : { deadline: Math.ceil((yield* now) + within) },
    ...pool === undefined ? {} : { budget: pool as never },
    ...subtree ? { subtree } : {}
  }
})

export const steer = Effect.fn("steer")(function*(options: Options) {
  const { call, client } = yield* Connection
  const { out } = yield* Host
  const payload = yield* payloadOf(options)
  const task = yield* call(client.tasks.steer({ params: { id: options.id }, payload }))
  if (options.json) return writeJson(out, task)
  writeLines(out, [line(span("→ ", "busy"), `Steered ${task.id}`)])
})
