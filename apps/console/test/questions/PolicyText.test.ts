import { assert, describe, it } from "@effect/vitest"
import { doors, hoursIn, silenceOf } from "../../src/questions/PolicyText.ts"

const hours = { zone: "Europe/Berlin", from: "09:00", to: "17:00", holidays: [] as ReadonlyArray<string> }

describe("PolicyText", () => {
  it("says what silence means", () => {
    assert.strictEqual(silenceOf(undefined), "then it counts as not answered")
    assert.strictEqual(silenceOf({ silence: { action: "decline" } }), "then it counts as declined")
    assert.match(silenceOf({ silence: { action: "accept", content: { ok: false } } }), /\{"ok":false\}/)
  })

  it("says business hours as people do", () => {
    assert.strictEqual(
      hoursIn({ ...hours, days: ["fri", "mon", "tue", "wed", "thu"] }),
      "Mon–Fri 09:00–17:00 Europe/Berlin"
    )
    assert.strictEqual(
      hoursIn({ ...hours, days: ["mon", "sat"], holidays: ["2026-12-25"] }),
      "Mon, Sat 09:00–17:00 Europe/Berlin, without 1 holiday"
    )
  })

  it("keeps what each door said last", () =>
    assert.deepStrictEqual(
      doors([
        { door: "mcp:claude", how: "delivered", at: 1 },
        { door: "mcp:claude", how: "undelivered", detail: "declined within 3 ms", at: 5 },
        { door: "webhook:chat", to: "ann", how: "delivered", at: 9 }
      ]).map(({ door, isDelivered }) => [door, isDelivered]),
      [["webhook:chat for ann", true], ["mcp:claude", false]]
    ))
})
