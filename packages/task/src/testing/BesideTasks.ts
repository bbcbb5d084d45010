/**
 * What a store keeps beside tasks, as tests of the contract: positions of consumers, notes of doors, the audit,
 * and what is counted over all tasks.
 */
import * as Effect from "effect/Effect"
import * as assert from "node:assert/strict"
import type { Decision } from "../Audit.ts"
import { brokenAt } from "../internal/auditing.ts"
import type { TaskId } from "../Task.ts"
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

export const audit = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const run = "00000000000000000001" as TaskId
    const decision = (at: number, by: string, kind: Decision["kind"], run: TaskId | null = null): Decision => ({
      at,
      kind,
      by,
      task: run,
      run,
      agent: run === null ? null : "a",
      detail: { reason: `"${by}"`, nested: [1, null] }
    })
    assert.deepEqual(yield* store.audit({ limit: 10 }), [])
    ledger.add({ decisions: [decision(1, "ann", "submitted", run), decision(2, "bob", "refused")] })
    yield* commit
    const { commit: commitAgain, ledger: next, store: later } = yield* reopen
    next.add({ decisions: Array.from({ length: 20 }, (_, i) => decision(3 + i, "ann", "answered", run)) })
    yield* commitAgain
    const all = yield* later.audit({ limit: 1_000 })
    assert.deepEqual(all.map(({ n }) => n), Array.from({ length: 22 }, (_, i) => 22 - i))
    assert.equal(brokenAt(all.toReversed()), undefined)
    assert.deepEqual({ ...all.at(-1)!, hash: "" }, { n: 1, ...decision(1, "ann", "submitted", run), hash: "" })
    const numbers = (query: Parameters<typeof later.audit>[0]) =>
      Effect.map(later.audit(query), (entries) => entries.map(({ n }) => n))
    assert.deepEqual(yield* numbers({ by: "bob", limit: 10 }), [2])
    assert.deepEqual(yield* numbers({ kind: "submitted", limit: 10 }), [1])
    assert.deepEqual(yield* numbers({ run, before: 4, limit: 10 }), [3, 1])
    assert.deepEqual(yield* numbers({ limit: 2 }), [22, 21])
    assert.equal(yield* later.forgetAudit(20), 19)
    assert.deepEqual(yield* numbers({ limit: 10 }), [22, 21, 20])
    // the newest stays, so that the next one follows from it
    assert.equal(yield* later.forgetAudit(1_000), 2)
    next.add({ decisions: [decision(2_000, "ann", "deleted", run)] })
    yield* commitAgain
    assert.equal(brokenAt((yield* later.audit({ limit: 10 })).toReversed()), undefined)
    assert.deepEqual(yield* numbers({ limit: 10 }), [23, 22])
  })

export const calls = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const root = ledger.create({ agent: "a" })
    const children = [1, 2, 3].map(() => ledger.create({ agent: "b", parent: root }))
    ledger.complete(children[0]!)
    ledger.create({ agent: "a", parent: children[1]! })
    yield* commit
    const counted = (newest: number) =>
      Effect.map(store.calls(newest), (counts) =>
        counts.map(({ count, from, status, to }) => `${from} ${to} ${status} ${count}`).sort())
    assert.deepEqual(yield* counted(100), ["a b completed 1", "a b working 2", "b a working 1", "null a working 1"])
    // the caller may be older than what is counted
    assert.deepEqual(yield* counted(2), ["a b working 1", "b a working 1"])
  })
