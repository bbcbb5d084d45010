/**
 * How a store forgets, as tests of the contract: piece by piece, beside other work, cut off and taken up again.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as assert from "node:assert/strict"
import type { TaskId } from "../Task.ts"
import type { Ledger } from "./Ledger.ts"
import type { Opened } from "./StorePlace.ts"

/** A run of a root and so many below it: every third below the root, the others each below the one before. */
const grow = (ledger: Ledger, size: number): ReadonlyArray<TaskId> => {
  const run = [ledger.create()]
  for (let i = 0; i < size; i++) run.push(ledger.create({ parent: i % 3 === 0 ? run[0]! : run.at(-1)! }))
  return run
}

const completeAll = (ledger: Ledger, run: ReadonlyArray<TaskId>): void => {
  for (const id of run.toReversed()) ledger.complete(id)
}

/** Begins to delete them and is interrupted when the first of them have gone, as a crash between two commits would do. */
const cutOff = ({ store }: Opened, runs: ReadonlyArray<TaskId>) =>
  Effect.gen(function*() {
    const { tasks } = yield* store.counts
    const deleting = yield* Effect.forkChild(store.deleteRuns(runs))
    while ((yield* store.counts).tasks === tasks) yield* Effect.yieldNow
    yield* Fiber.interrupt(deleting)
  })

const listed = ({ store }: Opened) =>
  Effect.map(store.list({ limit: 10_000 }), (rows) => rows.map((row) => row.state.id))

export const deletingMuch = (place: Opened) =>
  Effect.gen(function*() {
    const { commit, ledger, reopen } = place
    const run = grow(ledger, 1_200)
    completeAll(ledger, run)
    yield* commit
    yield* cutOff(place, [run[0]!])
    const again = yield* reopen
    const left = yield* again.store.counts
    // what is left is a whole run that can be deleted again, or nothing
    assert.equal((yield* again.store.subtree(run[0]!)).length, left.tasks)
    // what is written meanwhile has its turn
    const other = again.ledger.create()
    const [{ tasks }] = yield* Effect.all([again.store.deleteRuns([run[0]!]), again.commit], { concurrency: 2 })
    assert.equal(tasks, left.tasks)
    assert.deepEqual(yield* again.store.counts, { tasks: 1, active: 1, events: 1 })
    assert.deepEqual(yield* listed(again), [other])
  })

export const deletingMany = (place: Opened) =>
  Effect.gen(function*() {
    const { commit, ledger, store } = place
    const short = Array.from({ length: 700 }, () => grow(ledger, 0))
    // more children than are looked at in one go, and what has not settled is the last of them
    const [ended, running, waiting] = [grow(ledger, 350), grow(ledger, 350), grow(ledger, 350)]
    for (const run of [...short, ended]) completeAll(ledger, run)
    completeAll(ledger, running.slice(0, -1))
    ledger.apply(waiting.at(-1)!, { _tag: "Cancel", by: "ann", reason: null })
    completeAll(ledger, waiting)
    yield* commit
    const absent = "zz" as TaskId
    const runs = [running, ...short, ended, waiting].map(([root]) => root!)
    yield* cutOff(place, runs)
    const before = yield* store.counts
    assert.deepEqual(yield* store.deleteRuns([absent, ...runs]), {
      tasks: before.tasks - running.length - waiting.length,
      kept: [running[0], waiting[0]]
    })
    assert.deepEqual((yield* listed(place)).toSorted(), [...running, ...waiting].toSorted())
    assert.deepEqual(yield* store.deleteRuns([]), { tasks: 0, kept: [] })
  })
