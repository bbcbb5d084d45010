import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { after, between, type Hours, problem } from "../src/Hours.ts"
import { runs } from "./support/runs.ts"

const office: Hours = {
  zone: "Europe/Berlin",
  days: ["mon", "tue", "wed", "thu", "fri"],
  from: "09:00",
  to: "17:00",
  holidays: ["2026-12-25"]
}

const hour = 3_600_000
const at = (text: string) => Date.parse(text)
const text = (millis: number) => new Date(millis).toISOString()

describe("business hours", () => {
  it("pass while the office is open", () => {
    assert.strictEqual(text(after(office, at("2026-11-27T10:00:00Z"), 2 * hour)), "2026-11-27T12:00:00.000Z")
    assert.strictEqual(text(after(office, at("2026-11-27T15:00:00Z"), 2 * hour)), "2026-11-30T09:00:00.000Z")
  })

  it("do not pass at night, at week-ends and on holidays", () => {
    // Friday evening: nothing passes before Monday
    assert.strictEqual(text(after(office, at("2026-11-27T20:00:00Z"), 0)), "2026-11-30T08:00:00.000Z")
    // the 25th of December 2026 is a Friday
    assert.strictEqual(text(after(office, at("2026-12-24T15:00:00Z"), 2 * hour)), "2026-12-28T09:00:00.000Z")
  })

  it("open when the clock on the wall says so, on both sides of a change", () => {
    const daily = { ...office, days: ["sat", "sun", "mon"] as const }
    // 2026-10-25, 03:00 becomes 02:00: nine o'clock is 07:00 UTC on Saturday, 08:00 UTC on Sunday
    assert.strictEqual(text(after(daily, at("2026-10-24T15:00:00Z"), hour)), "2026-10-25T09:00:00.000Z")
    // 2026-03-29, 02:00 becomes 03:00
    assert.strictEqual(text(after(daily, at("2026-03-28T16:00:00Z"), hour)), "2026-03-29T08:00:00.000Z")
  })

  it("count the hour that comes twice twice, and the one that does not come not at all", () => {
    const night = { ...office, days: ["sun"] as const, from: "01:00", to: "04:00", holidays: [] }
    const [autumn, spring] = ["2026-10-25", "2026-03-29"].map((day) => at(`${day}T12:00:00Z`))
    assert.strictEqual(between(night, autumn! - 24 * hour, autumn!), 4 * hour)
    assert.strictEqual(between(night, spring! - 24 * hour, spring!), 2 * hour)
    // 02:30 comes twice: it opens at the first
    const twice = { ...night, from: "02:30" }
    assert.strictEqual(text(after(twice, autumn! - 24 * hour, 0)), "2026-10-25T00:30:00.000Z")
    // 02:30 does not come: it opens when the clock is set
    assert.strictEqual(text(after(twice, spring! - 24 * hour, 0)), "2026-03-29T01:00:00.000Z")
  })

  it("say what is wrong with them", () => {
    const wrong = (part: Partial<Hours>) => problem({ ...office, ...part })?.split(":")[0]
    assert.isUndefined(problem(office))
    assert.isUndefined(problem({ ...office, from: "00:00", to: "24:00" }))
    assert.strictEqual(wrong({ zone: "Europe/Nowhere" }), "zone")
    assert.strictEqual(wrong({ days: [] }), "days")
    assert.strictEqual(wrong({ from: "9" }), "from")
    assert.strictEqual(wrong({ to: "24:30" }), "to")
    assert.strictEqual(wrong({ to: "08:00" }), "to")
    assert.strictEqual(wrong({ holidays: ["2026-02-30"] }), "holidays")
    assert.throws(() => after({ ...office, zone: "x" }, 0, 1), /hours\.zone/)
  })

  it("end, also when they would be over in no lifetime", () => {
    const holidays = Array.from({ length: 20_000 }, (_, n) => text(n * 24 * hour).slice(0, 10))
    assert.throws(() => after({ ...office, holidays }, 0, 1), /ten years/)
    assert.throws(() => after(office, 0, Infinity), /ten years/)
  })
})

const Minutes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 24 * 60 }))
const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`

const anyHours: Arbitrary.Arbitrary<Hours> = Arbitrary.map(
  Arbitrary.schema(Schema.Struct({
    zone: Schema.Literals(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    days: Schema.NonEmptyArray(Schema.Literals(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
    from: Minutes,
    length: Minutes
  })),
  ({ days, from, length, zone }) => {
    const start = Math.min(from, 23 * 60)
    return { zone, days, from: clock(start), to: clock(Math.min(start + Math.max(length, 30), 24 * 60)), holidays: [] }
  }
)

/** Instants of two years, so that every change of the clock is among them. */
const instant = Arbitrary.schema(
  Schema.Int.check(Schema.isBetween({ minimum: at("2026-01-01"), maximum: at("2028-01-01") }))
)
const length = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 60 * hour })))

describe("any hours", () => {
  it.prop("have passed when they are over, and not a millisecond sooner", [anyHours, instant, length], (
    [hours, from, millis]
  ) => {
    const end = after(hours, from, millis)
    assert.isAtLeast(end - from, millis)
    assert.strictEqual(between(hours, from, end), millis)
    if (millis > 0) assert.strictEqual(between(hours, from, end - 1), millis - 1)
  }, { arbitrary: { runs: runs(150) } })

  it.prop("may be counted in parts", [anyHours, instant, length, length], ([hours, from, a, b]) => {
    assert.strictEqual(after(hours, after(hours, from, a), b), after(hours, from, a + b))
  }, { arbitrary: { runs: runs(100) } })
})
