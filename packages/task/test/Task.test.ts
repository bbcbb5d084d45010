import { assert, describe, it } from "@effect/vitest"
import { expiresAt, isSettled, isTerminal, type Task } from "../src/Task.ts"
import { Ledger } from "../src/testing/Ledger.ts"

const ended = (spec: { readonly ttl?: number; readonly retention: number }): Task => {
  const ledger = new Ledger({ seq: 0, epoch: 1 })
  ledger.time = 1_000
  const id = ledger.create({ spec })
  ledger.time = 5_000
  ledger.complete(id)
  return ledger.row(id).state
}

describe("expiresAt", () => {
  it("is the end plus the retention", () => assert.strictEqual(expiresAt(ended({ retention: 100 })), 5_100))

  it("is earlier when a shorter time to live was asked for, and never before the end", () => {
    assert.strictEqual(expiresAt(ended({ retention: 1e6, ttl: 10_000 })), 11_000)
    assert.strictEqual(expiresAt(ended({ retention: 100, ttl: 10_000 })), 5_100)
    assert.strictEqual(expiresAt(ended({ retention: 1e6, ttl: 0 })), 5_000)
  })

  it("is a date a store can hold", () => {
    assert.strictEqual(expiresAt(ended({ retention: Infinity })), 8.64e15)
    assert.strictEqual(expiresAt(ended({ retention: 0.5 })), 5_001)
  })

  it("is never for live work", () => assert.isNull(expiresAt({ ...ended({ retention: 1 }), endedAt: null })))
})

describe("a status", () => {
  it("is terminal or not", () => {
    const statuses = ["working", "input_required", "completed", "failed", "cancelled"] as const
    assert.deepStrictEqual(statuses.filter(isTerminal), ["completed", "failed", "cancelled"])
  })

  it("is one fact, settlement another", () => {
    assert.isTrue(isSettled({ settlement: "refused" }))
    assert.isFalse(isSettled({ settlement: null }))
  })
})
