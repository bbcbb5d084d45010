import type { Envelope } from "@coppice/task/TaskEvent"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type { CallCodec } from "../src/CallCodec.ts"
import { fromTheStart } from "./support/Lives.ts"
import { type Generation, loopback } from "./support/Loopback.ts"
import { eventsIn } from "./support/Recording.ts"
import * as Replay from "./support/Replay.ts"

const seeds = Number(process.env["COPPICE_CODEC_SEEDS"] ?? 60)

/** Messages carry objects; the programs' results are whatever JSON. */
const carrying = (generation: Generation): CallCodec => {
  const codec = loopback(generation, [])
  const open = (json: Schema.Json) => (json as { readonly value: Schema.Json }).value
  return {
    request: (tool, value) => open(codec.request(tool, { value })),
    response: (tool, isError, value) => open(codec.response(tool, isError, { value }))
  }
}

/** The log with its ids and times told as the order in which they came up. */
const normalised = (events: ReadonlyArray<Envelope>): unknown => {
  const names = new Map<unknown, string>()
  const isId = /^(?:[0-9a-hjkmnp-tv-z]{20}|[\da-f]{16}|[\da-f]{32})$/
  const nameOf = (value: unknown): unknown => {
    const varies = typeof value === "number" ? value > 1e12 : isId.test(String(value))
    if (!varies) return value
    if (!names.has(value)) names.set(value, `${typeof value} ${names.size}`)
    return names.get(value)
  }
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain)
    if (typeof value !== "object" || value === null) return nameOf(value)
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, plain(field)]))
  }
  return plain(events)
}

describe("any program whose calls are messages", () => {
  it.effect.each(["2025-11-25", "2026-07-28"] as const)(
    `of %s leaves the log it leaves without (${seeds} programs)`,
    (generation) =>
      Effect.gen(function*() {
        for (let seed = 1; seed <= seeds; seed++) {
          const [program, world] = Replay.story(seed)
          const direct = yield* fromTheStart(program, world)
          const wire = yield* fromTheStart(program, { ...world, codec: carrying(generation) })
          assert.deepStrictEqual(
            normalised(eventsIn(wire.batches)),
            normalised(eventsIn(direct.batches)),
            `seed ${seed}`
          )
        }
      }),
    60_000
  )
})
