import { assert, describe, it } from "@effect/vitest"
import * as Simulation from "coppice/Simulation"
import { kept } from "../../simulation/Kept.ts"

describe("what the simulator once found", () => {
  for (const { only, scenario, seed, what } of kept) {
    it(`is gone: ${what}`, async () => {
      const { failures } = await Simulation.run({ scenario, seeds: 5, seed, only })
      assert.deepStrictEqual(failures.flatMap((failure) => Simulation.describe(failure)), [])
    }, 60_000)
  }
})
