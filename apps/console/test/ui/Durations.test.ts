import { assert, describe, it } from "@effect/vitest"
import { distance, duration } from "../../src/ui/Durations.ts"

describe("duration", () => {
  it.each([
    [-5, "0 ms"],
    [850, "850 ms"],
    [3_240, "3.2 s"],
    [42_000, "42 s"],
    [250_000, "4 m 10 s"],
    [3_600_000, "1 h"],
    [183_600_000, "2 d 3 h"]
  ])("says %d as %s", (millis, text) => assert.strictEqual(duration(millis), text))
})

describe("distance", () => {
  it.each([
    [1_000_000, "just now"],
    [1_004_000, "just now"],
    [940_000, "1 m ago"],
    [1_000_000 + 7_200_000, "in 2 h"]
  ])("says %d as %s", (at, text) => assert.strictEqual(distance(at, 1_000_000), text))
})
