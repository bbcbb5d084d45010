/**
 * What a store keeps beside tasks, as tests of the contract: positions of consumers, and notes of doors.
 */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import type { Opened } from "./StorePlace.ts"

export const notes = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    assert.equal(yield* store.note("session", "a"), undefined)
    const at = 1_800_000_000_000
    const note = (key: string, value: string | null, expires: number | null = null) => ({
      kind: "session",
      key,
      value,
      at,
      expires
    })
    ledger.add({ notes: [note("a", "one"), note("b", "two"), note("c", "three", at + 10)] })
    yield* commit
    ledger.add({ notes: [note("a", "four"), note("b", null)] })
    yield* commit
    const { commit: commitAgain, ledger: next, store: later } = yield* reopen
    const read = Effect.all(["a", "b", "c"].map((key) => later.note("session", key)))
    assert.deepEqual(yield* read, ["four", undefined, "three"])
    assert.equal(yield* later.note("other", "a"), undefined)
    // whoever writes the next one forgets those whose time is over
    next.add({ notes: [{ ...note("d", "five"), at: at + 10 }] })
    yield* commitAgain
    assert.deepEqual(yield* read, ["four", undefined, undefined])
  })

export const cursors = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    assert.equal(yield* store.cursor("mail"), 0)
    ledger.add({ cursors: new Map([["mail", 4], ["audit", 9]]) })
    yield* commit
    ledger.add({ cursors: new Map([["mail", 5]]) })
    yield* commit
    const { store: later } = yield* reopen
    assert.deepEqual([yield* later.cursor("mail"), yield* later.cursor("audit")], [5, 9])
  })
