import { assert, describe, it } from "@effect/vitest"
import { requestOf } from "../../../src/pages/dev/FaultForm.ts"

describe("requestOf", () => {
  it("counts in the units of the service", () => {
    assert.deepStrictEqual(requestOf("delay", "crm", 2.5), { kind: "delay", target: "crm", millis: 2_500 })
    assert.deepStrictEqual(requestOf("drop-network", "crm", 30), {
      kind: "drop-network",
      target: "crm",
      millis: 30_000
    })
    assert.deepStrictEqual(requestOf("duplicate", "crm", 2), { kind: "duplicate", target: "crm", times: 2 })
  })

  it("stays within what the service takes", () => {
    assert.deepStrictEqual(requestOf("delay", "crm", 0), { kind: "delay", target: "crm", millis: 1 })
    assert.deepStrictEqual(requestOf("delay", "crm", 9_999_999), { kind: "delay", target: "crm", millis: 3_600_000 })
    assert.deepStrictEqual(requestOf("too-many-requests", "crm", 5_000), {
      kind: "too-many-requests",
      target: "crm",
      times: 1_000
    })
  })
})
