import { assert, describe, it } from "@effect/vitest"
import { age, clock, duration, parseDuration } from "../src/Times.ts"
import { noon } from "./support/fixtures.ts"

const minute = 60_000
const hour = 60 * minute

describe("Times", () => {
  it("says how long", () =>
    assert.deepStrictEqual(
      [0.4, 820, 12_420, 59_940, 59_960, 184_000, 2 * hour + 5 * minute, 76 * hour].map(duration),
      [
        "0ms",
        "820ms",
        "12.4s",
        "59.9s",
        "1m 00s",
        "3m 04s",
        "2h 05m",
        "3d 04h"
      ]
    ))

  it("says how long ago in one unit", () =>
    assert.deepStrictEqual([-5, 999, 12_000, 3 * minute, 30 * hour, 72 * hour].map(age), [
      "now",
      "now",
      "12s",
      "3m",
      "30h",
      "3d"
    ]))

  it("says the time of day, and the day when it is another one", () => {
    assert.strictEqual(clock(noon + 42, noon), "12:00:00.042")
    assert.strictEqual(clock(noon - 24 * hour, noon), "2026-11-20 12:00:00.000")
  })

  it("reads what people type", () =>
    assert.deepStrictEqual(["10m", "1h30m", "500ms", "1.5 h", "2d", "90s"].map(parseDuration), [
      10 * minute,
      90 * minute,
      500,
      90 * minute,
      48 * hour,
      90_000
    ]))

  it("reads nothing else", () =>
    assert.deepStrictEqual(
      ["", "10", "m", "10 minutes", "-5m", "0s", "1h 30"].map(parseDuration),
      Array(7).fill(undefined)
    ))
})
