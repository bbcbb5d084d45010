import * as Effect from "effect/Effect"
import { scan } from "../src/Scan.ts"
import { Scan } from "./Contracts.ts"
import { attempt, keep, stepKeeping } from "./Effects.ts"

export const ScanLive = Scan.toLayer(({ source }) =>
  stepKeeping(
    "scan folder",
    { source },
    Effect.gen(function*() {
      const inventory = yield* attempt(() => scan(source))
      return {
        root: inventory.root,
        name: inventory.package?.name ?? inventory.root,
        files: Object.keys(inventory.files),
        cycles: inventory.cycles.length,
        inventory: yield* keep(inventory)
      }
    })
  )
)
