import { Durable } from "coppice"
import * as Effect from "effect/Effect"
import { verify } from "../src/Verify.ts"
import { Verify } from "./Contracts.ts"
import { step } from "./Effects.ts"

const chunk = 2_500

/** Sizes of the parts a number of checks is compared in, so that a crash loses one part at the most. */
const partsOf = (checks: number): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil(checks / chunk) }, (_, i) => Math.min(chunk, checks - i * chunk))

export const VerifyLive = Verify.toLayer(
  Effect.fn("verify")(function*({ checks, migrated, original, seed }) {
    const parts = partsOf(checks)
    const totals = { compared: 0, equal: 0, exportsCompared: 0, modulesLoaded: 0, differences: new Array<string>() }
    for (const [i, cases] of parts.entries()) {
      const part = yield* step(
        "compare",
        { cases, seed: seed + i },
        (signal) => verify({ original, migrated, cases, seed: seed + i, signal })
      )
      totals.compared += part.compared
      totals.equal += part.equal
      totals.exportsCompared = part.exportsCompared
      totals.modulesLoaded = part.modules.loaded
      totals.differences.push(
        ...part.different.map(({ migrated, original, what }) => `${what}: ${original} became ${migrated}`),
        ...part.exportDifferences,
        ...part.modules.failed.map(({ message, path }) => `${path}: ${message}`),
        ...part.commands.different.map(({ what }) => what)
      )
      yield* Durable.progress({ progress: i + 1, total: parts.length, message: `${totals.compared} results compared` })
    }
    return { ...totals, differences: [...new Set(totals.differences)].slice(0, 20) }
  })
)
