import { assert, describe, it } from "@effect/vitest"
import { cases } from "../src/Cases.ts"
import { parse } from "../src/Options.ts"

describe("options", () => {
  it("mean everything, five times, when there are none", () =>
    assert.deepStrictEqual(parse([]), {
      cases: Object.keys(cases),
      durabilities: ["memory", "FULL"],
      runs: 5,
      scale: 1,
      tasks: 100_000
    }))

  it("choose cases, a store, repeats, sizes", () =>
    assert.deepStrictEqual(parse(["W1", "--store", "sqlite", "W3", "--runs", "7", "--tasks", "5", "--quick"]), {
      cases: ["W1", "W3"],
      durabilities: ["FULL"],
      runs: 7,
      scale: 0.1,
      tasks: 5
    }))

  it.each([
    { args: ["W9"], why: "\"W9\" is no option and no case" },
    { args: ["--fast"], why: "\"--fast\" is no option and no case" },
    { args: ["--store", "postgres"], why: "--store takes memory or sqlite" },
    { args: ["--store"], why: "--store takes memory or sqlite" },
    { args: ["--runs", "0"], why: "--runs takes a whole number of at least 1" },
    { args: ["--tasks", "many"], why: "--tasks takes a whole number of at least 1" }
  ])("refuse $args", ({ args, why }) => assert.strictEqual(parse(args), why))
})
