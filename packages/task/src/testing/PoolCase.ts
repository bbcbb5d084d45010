import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import { softKey } from "../Budget.ts"
import type { Opened } from "./StorePlace.ts"

/** What a budget has left is kept while its task runs, after it has ended, and until it has come to rest. */
export const pools = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const budget = { wallClock: null, calls: null, tokens: 100, money: 50, soft: 0.5 }
    const root = ledger.create({ spec: { budget } })
    const child = ledger.create({ parent: root, spec: { budget, pool: root } })
    ledger.apply(root, { _tag: "Reserve", id: child, amounts: { tokens: 30, money: 5 } })
    ledger.apply(root, { _tag: "Reserve", id: root, amounts: { tokens: 10 }, kept: true })
    yield* commit
    assert.deepEqual(yield* store.load(root), ledger.row(root))
    ledger.apply(root, { _tag: "AskForMore", measure: "tokens" })
    ledger.apply(root, { _tag: "PutPartial", attempt: 1, value: { done: 1 } })
    yield* commit
    assert.deepEqual(yield* store.load(root), ledger.row(root))
    const response = { action: "accept", content: {}, by: "ann" } as const
    ledger.apply(root, { _tag: "Respond", key: softKey, response })
    ledger.apply(root, { _tag: "Fail", attempt: null, reason: "deadline", message: "late", error: null })
    yield* commit
    assert.deepEqual(yield* store.load(root), ledger.row(root))
    assert.deepEqual(ledger.row(root).state.pool?.open, { [child]: { tokens: 30, money: 5 } })
    assert.deepEqual(yield* store.ending(root), ledger.history(root).at(-1)!.event)
    ledger.complete(child)
    ledger.apply(root, { _tag: "Refund", id: child, unused: { tokens: 20 } })
    yield* commit
    assert.deepEqual(yield* store.load(root), ledger.row(root))
    ledger.apply(root, { _tag: "Settle", how: "stopped", took: 1 })
    yield* commit
    const { store: later } = yield* reopen
    assert.deepEqual(yield* later.load(root), ledger.row(root))
    assert.deepEqual(ledger.row(root).state.pool, { spent: { tokens: 20, money: 5 }, open: {}, soft: "accepted" })
  })
