import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Replay from "../support/Replay.ts"

const seeds = Number(process.env["COPPICE_REPLAY_SEEDS"] ?? 400)
const first = Number(process.env["COPPICE_REPLAY_SEED"] ?? 1)
const mostCuts = Number(process.env["COPPICE_REPLAY_CUTS"] ?? 12)

describe("a replay", () => {
  it.effect(`decides as the live run did (${seeds} programs)`, () =>
    Effect.gen(function*() {
      for (let seed = first; seed < first + seeds; seed++) {
        const [program, world] = Replay.story(seed)
        const cause = yield* Replay.fails(program, world, mostCuts)
        if (cause !== undefined) assert.fail(yield* Replay.report(seed, mostCuts, cause))
      }
    }), 600_000)
})
