import { assert, describe, it } from "@effect/vitest"
import * as ServerClock from "../../src/api/ServerClock.ts"

const now = Date.parse("2026-01-31T09:00:00Z")

describe("skewOf", () => {
  it.each([
    ["Sat, 31 Jan 2026 09:05:00 GMT", 300_000],
    ["Sat, 31 Jan 2026 08:59:00 GMT", -60_000],
    ["Sat, 31 Jan 2026 09:00:01 GMT", 0],
    ["no date", 0],
    [null, 0]
  ])("takes %s for %d ms", (date, skew) => assert.strictEqual(ServerClock.skewOf(date, now), skew))
})

describe("now", () => {
  it("goes ahead with a service whose time was moved", () => {
    const before = ServerClock.now()
    ServerClock.setAhead(3_600_000)
    assert.isAtLeast(ServerClock.now() - before, 3_600_000)
    ServerClock.setAhead(0)
    assert.isBelow(ServerClock.now() - before, 3_600_000)
  })
})
