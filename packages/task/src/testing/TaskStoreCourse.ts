/**
 * Any course of events of a store: whatever it went through, what it says is what the facts say.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import { replay } from "../TaskMachine.ts"
import type { StoreError, TaskRow, TaskStore } from "../TaskStore.ts"
import type { Ledger } from "./Ledger.ts"
import { opened, type Place } from "./StorePlace.ts"
import type { Act } from "./TaskArbitrary.ts"

type Store = TaskStore["Service"]

const byId = (a: TaskRow, b: TaskRow): number => a.state.id < b.state.id ? -1 : 1

/** Whatever is asked, the answer is what the facts say. */
const agrees = (store: Store, ledger: Ledger) =>
  Effect.gen(function*() {
    const all = [...ledger.rows.values()].sort(byId)
    assert.deepEqual(yield* store.events({ since: 0, limit: 100_000 }), ledger.events)
    assert.deepEqual(yield* store.list({ limit: 100_000 }), all.toReversed())
    const active = (row: TaskRow) => row.state.endedAt === null
    assert.deepEqual(yield* store.runnable(undefined, 100_000), all.filter((row) => active(row) && !row.parked))
    assert.deepEqual(yield* store.unsettled(100_000), all.filter((row) => !active(row) && row.settledSeq === null))
    const asking = all.flatMap(({ state: { id, inputs } }) => inputs.map(({ key }) => `${id} ${key}`)).sort()
    assert.deepEqual(
      (yield* store.openInputs({ limit: 100_000 })).map(({ request, task }) => `${task} ${request.key}`),
      asking
    )
    for (const row of all) {
      const { id } = row.state
      const journal = (yield* store.journal(id))!
      assert.deepEqual(replay(id, journal.events), row.state)
      assert.deepEqual(
        journal.children.map(({ id }) => id),
        all.filter(({ state }) => state.parent === id).map(({ state }) => state.id)
      )
    }
  })

/** Lets a store go through any course of events; what it says in between and afterwards has to be what the facts say. */
export const course = (place: Place, acts: ReadonlyArray<Act>): Effect.Effect<void, StoreError, Scope.Scope> =>
  Effect.gen(function*() {
    let { reopen, store, ...first } = yield* opened(place)
    const { ledger } = first
    // some of the tasks own a budget, which the commands soon use up
    const spec = { budget: { wallClock: null, calls: 9, tokens: 9, money: null, soft: 0.5 } }
    const tasks = [ledger.create({ spec })]
    const task = (n: number) => tasks[n % tasks.length]!
    const commit = Effect.suspend(() => store.commit(ledger.take()))
    for (const act of acts) {
      if (act._tag === "Root") tasks.push(ledger.create({ spec }))
      else if (act._tag === "Child") tasks.push(ledger.create({ parent: task(act.of) }))
      else if (act._tag === "Command") ledger.apply(task(act.to), act.command)
      else if (act._tag === "Park" && ledger.row(task(act.task)).endedSeq === null) {
        ledger.park(task(act.task), act.parked)
      } else if (act._tag === "Commit") yield* commit
      else if (act._tag === "Reopen") {
        yield* commit
        const again = yield* reopen
        ledger.follow(yield* again.store.open)
        ;({ reopen, store } = again)
        yield* agrees(store, ledger)
      }
    }
    yield* commit
    yield* agrees(store, ledger)
  })
