/**
 * What every task store has to do, as cases any test runner can run.
 *
 * A store's author names a place and runs the cases:
 *
 *     for (const { name, test } of TaskStoreContract.cases(place)) it.effect(name, () => test)
 *
 * The place is made anew for every case; building its layer again is what a restart is.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as assert from "node:assert/strict"
import { untouched } from "../Policy.ts"
import type { TaskId } from "../Task.ts"
import { settlementTimer, type StoreError, type TaskQuery, type TaskRow, type TaskStore } from "../TaskStore.ts"
import { audit, calls, cursors, notes } from "./BesideTasks.ts"
import { Ledger } from "./Ledger.ts"
import { pools } from "./PoolCase.ts"
import { deletingMany, deletingMuch } from "./RemovalCases.ts"
import { type Opened, opened, type Place } from "./StorePlace.ts"
import { awkward } from "./TaskArbitrary.ts"

export interface Case {
  readonly name: string
  readonly test: Effect.Effect<void, StoreError, Scope.Scope>
}

type Store = TaskStore["Service"]

/** What a reader may ask about a task, together. */
const seen = (store: Store, id: TaskId) =>
  Effect.gen(function*() {
    return {
      row: yield* store.load(id),
      journal: yield* store.journal(id),
      input: yield* store.input(id),
      ending: yield* store.ending(id),
      events: yield* store.events({ task: id, since: 0, limit: 10_000 })
    }
  })

/** Why it was refused; `undefined` when it was not. */
const refusal = <A>(effect: Effect.Effect<A, StoreError>) =>
  Effect.match(effect, { onFailure: ({ reason }) => reason, onSuccess: () => undefined })

const ids = (rows: ReadonlyArray<TaskRow>): ReadonlyArray<TaskId> => rows.map((row) => row.state.id)

/** All pages of a listing, one after the other. */
const pages = (store: Store, query: TaskQuery) =>
  Effect.gen(function*() {
    const found: Array<TaskId> = []
    while (true) {
      const page = ids(yield* store.list({ ...query, cursor: found.at(-1) }))
      if (page.length === 0) return found
      assert.ok(page.length <= query.limit)
      found.push(...page)
    }
  })

const opening = ({ reopen, store }: Opened) =>
  Effect.gen(function*() {
    assert.deepEqual(yield* store.counts, { tasks: 0, active: 0, events: 0 })
    const first = yield* store.open
    const second = yield* store.open
    assert.equal(first.seq, 0)
    assert.equal(second.epoch, first.epoch + 1)
    const again = yield* reopen
    const root = again.ledger.create()
    yield* again.commit
    const { store: third } = yield* again.reopen
    assert.equal((yield* third.open).seq, again.ledger.row(root).createdSeq)
  })

const rows = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const root = ledger.create({
      input: { path: "a" },
      deadline: 2_000_000_000_000,
      spec: { ttl: 5, meta: { a: [1] } }
    })
    const child = ledger.create({ parent: root, key: "call:1", attempt: 0, agent: "other" })
    yield* commit
    for (const id of [root, child]) assert.deepEqual(yield* store.load(id), ledger.row(id))
    ledger.apply(child, { _tag: "Start", attempt: 1 })
    ledger.apply(child, { _tag: "Progress", attempt: 1, progress: { progress: 1, total: 2, message: "half" } })
    ledger.ask(root, "go")
    ledger.park(root, true)
    yield* commit
    for (const id of [root, child]) assert.deepEqual(yield* store.load(id), ledger.row(id))
    ledger.apply(child, { _tag: "Fail", attempt: 1, reason: "agent_error", message: "no", error: { code: 1 } })
    ledger.apply(root, { _tag: "Cancel", by: "ann", reason: null })
    yield* commit
    const { store: later } = yield* reopen
    for (const id of [root, child]) assert.deepEqual(yield* later.load(id), ledger.row(id))
    assert.equal(yield* later.load("nobody" as TaskId), undefined)
  })

const journals = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const root = ledger.create({ input: [1, { two: 2 }] })
    const [ended, active, queued] = [
      ledger.create({ parent: root }),
      ledger.create({ parent: root }),
      ledger.create({ parent: root, attempt: 0 })
    ]
    ledger.create({ parent: active })
    const retry = ledger.create({ attempt: 0, spec: { retryOf: root } })
    ledger.apply(retry, { _tag: "ReuseStep", key: "step", name: "list", result: { n: 1 }, from: root })
    const exit = { _tag: "Success", value: { n: 1 } } as const
    ledger.apply(root, { _tag: "RecordStep", attempt: 1, key: "step", name: "list", exit, startedAt: 7 })
    ledger.complete(ended)
    yield* commit
    const journal = (yield* store.journal(root))!
    assert.deepEqual(journal.events, ledger.history(root))
    assert.deepEqual((yield* store.journal(retry))!.events, ledger.history(retry))
    assert.deepEqual(journal.children.map(({ id }) => id), [ended, active, queued])
    const { state: { key, settledAt }, settledSeq } = ledger.row(ended)
    const ending = { _tag: "Completed", result: { done: ended } }
    assert.deepEqual(journal.children[0], {
      id: ended,
      key,
      agent: "worker",
      status: "completed",
      settledSeq,
      settledAt,
      ending
    })
    assert.deepEqual(journal.children[1]!.ending, null)
    assert.deepEqual(yield* store.input(root), [1, { two: 2 }])
    assert.deepEqual(yield* store.ending(ended), ending)
    for (const read of [store.ending(root), store.input("x" as TaskId), store.journal("x" as TaskId)]) {
      assert.equal(yield* read, undefined)
    }
    ledger.apply(root, { _tag: "FireTimer", key: "t" })
    yield* commit
    const { store: later } = yield* reopen
    assert.deepEqual((yield* later.journal(root))?.events, ledger.history(root))
    // what was read before does not change any more
    assert.equal(journal.events.length, 2)
  })

const values = ({ commit, ledger, reopen }: Opened) =>
  Effect.gen(function*() {
    const id = ledger.create({ input: awkward, agent: "Ünï", spec: { principal: "o'brien", meta: { awkward } } })
    const exit = { _tag: "Failure", error: awkward } as const
    ledger.apply(id, { _tag: "RecordStep", attempt: 1, key: awkward.text, name: "x", exit, startedAt: 0.5 })
    ledger.apply(id, { _tag: "Progress", attempt: 1, progress: { progress: 0.1, total: null, message: awkward.text } })
    ledger.apply(id, { _tag: "Complete", attempt: 1, result: awkward })
    yield* commit
    const { store } = yield* reopen
    const all = yield* seen(store, id)
    assert.deepEqual(all.row, ledger.row(id))
    assert.deepEqual(all.events, ledger.events)
    assert.deepEqual(all.input, awkward)
    assert.deepEqual(all.ending, { _tag: "Completed", result: awkward })
    assert.equal(({} as { readonly polluted?: boolean }).polluted, undefined)
  })

const subtrees = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const root = ledger.create()
    const [a, b] = [ledger.create({ parent: root }), ledger.create({ parent: root })]
    const [b1, a1, a2] = [ledger.create({ parent: b }), ledger.create({ parent: a }), ledger.create({ parent: a })]
    const other = ledger.create()
    yield* commit
    const tree = yield* store.subtree(root)
    assert.deepEqual(tree, [root, a, b, a1, a2, b1].map((id) => ledger.row(id)))
    assert.deepEqual(ids(yield* store.subtree(a)), [a, a1, a2])
    assert.deepEqual(ids(yield* store.subtree(other)), [other])
    assert.deepEqual(yield* store.subtree("nobody" as TaskId), [])
  })

const listing = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const roots = Array.from({ length: 7 }, (_, i) => ledger.create({ agent: i % 2 === 0 ? "even" : "odd" }))
    const child = ledger.create({ parent: roots[0], agent: "even" })
    const mine = ledger.create({ spec: { principal: "ann" } })
    ledger.complete(roots[1]!)
    ledger.apply(roots[2]!, { _tag: "Cancel", by: "x", reason: null })
    ledger.apply(roots[3]!, { _tag: "Fail", attempt: 1, reason: "defect", message: "m", error: null })
    ledger.ask(roots[4]!, "k")
    ledger.park(roots[5]!, true)
    yield* commit
    const all = [...ledger.rows.values()].reverse()
    const expect = (query: Omit<TaskQuery, "limit">, keep: (state: TaskRow["state"]) => boolean) =>
      Effect.gen(function*() {
        const expected = all.filter((row) => keep(row.state))
        assert.ok(expected.length > 0)
        assert.deepEqual(yield* store.list({ ...query, limit: 100 }), expected)
        assert.deepEqual(yield* pages(store, { ...query, limit: 2 }), ids(expected))
      })
    yield* expect({}, () => true)
    yield* expect({ status: ["working"] }, ({ status }) => status === "working")
    yield* expect({ status: ["working", "input_required"] }, ({ endedAt }) => endedAt === null)
    yield* expect({ status: ["failed", "cancelled"] }, ({ status }) => status === "failed" || status === "cancelled")
    yield* expect({ status: ["completed", "working"] }, ({ status }) => status === "completed" || status === "working")
    yield* expect({ agent: "even" }, ({ agent }) => agent === "even")
    yield* expect({ parent: roots[0] }, ({ id }) => id === child)
    yield* expect({ principal: "ann" }, ({ id }) => id === mine)
    yield* expect({ rootsOnly: true }, ({ parent }) => parent === null)
    yield* expect({ rootsOnly: true, agent: "even", status: ["working"] }, ({ agent, parent, status }) =>
      parent === null && agent === "even" && status === "working")
    const { createdAt } = ledger.row(roots[3]!).state
    yield* expect({ createdAfter: createdAt }, (state) =>
      state.createdAt > createdAt)
    yield* expect({ createdBefore: createdAt }, (state) => state.createdAt < createdAt)
    assert.deepEqual(yield* store.list({ status: [], limit: 10 }), [])
  })

const facts = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const [a, b] = [ledger.create(), ledger.create()]
    const below = ledger.create({ parent: a })
    // the runs' facts lie apart, so that a store that looks near the end of the log and one that walks a tree both show
    for (let i = 0; i < 6_000; i++) {
      const id = i % 1_000 === 0 ? below : i % 1_000 === 1 ? a : b
      ledger.apply(id, { _tag: "SetTimer", attempt: 1, key: `t${i}`, due: i })
    }
    yield* commit
    const of = (run: TaskId) => ledger.events.filter((envelope) => envelope.run === run)
    for (const since of [0, 3, 900, 1_100, 5_500, 7_000]) {
      const later = (events: typeof ledger.events) => events.filter(({ seq }) => seq > since)
      assert.deepEqual(yield* store.events({ run: a, since, limit: 100 }), later(of(a)))
      assert.deepEqual(yield* store.events({ run: a, since, limit: 3 }), later(of(a)).slice(0, 3))
      assert.deepEqual(yield* store.events({ task: below, since, limit: 100 }), later([...ledger.history(below)]))
      assert.deepEqual(yield* store.events({ since, limit: 50 }), later(ledger.events).slice(0, 50))
    }
    assert.deepEqual(yield* store.events({ run: b, task: below, since: 0, limit: 10 }), [])
    assert.deepEqual(yield* store.events({ run: "nobody" as TaskId, since: 0, limit: 10 }), [])
  })

const waking = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const tasks = Array.from({ length: 5 }, () => ledger.create())
    for (const id of tasks.slice(1, 4)) ledger.park(id, true)
    ledger.complete(tasks[0]!)
    ledger.apply(tasks[1]!, { _tag: "Cancel", by: "x", reason: null })
    yield* commit
    assert.deepEqual(ids(yield* store.runnable(undefined, 10)), [tasks[4]])
    assert.deepEqual(ids(yield* store.unsettled(10)), [tasks[1]])
    ledger.add({ woken: [tasks[1]!, tasks[3]!, "nobody" as TaskId] })
    yield* commit
    assert.deepEqual((yield* store.load(tasks[3]!))!.parked, false)
    const again = yield* reopen
    assert.deepEqual(ids(yield* again.store.runnable(undefined, 10)), [tasks[3], tasks[4]])
    assert.deepEqual(ids(yield* again.store.runnable(undefined, 1)), [tasks[3]])
    assert.deepEqual(ids(yield* again.store.runnable(tasks[3], 10)), [tasks[4]])
    assert.deepEqual(ids(yield* again.store.unsettled(10)), [tasks[1]])
  })

const settling = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const tasks = Array.from({ length: 4 }, () => ledger.create())
    for (const id of tasks) ledger.apply(id, { _tag: "Cancel", by: "x", reason: "because" })
    yield* commit
    assert.deepEqual(yield* store.unsettled(10), tasks.map((id) => ledger.row(id)))
    assert.deepEqual(ids(yield* store.unsettled(2)), tasks.slice(0, 2))
    for (const id of tasks.slice(1)) ledger.apply(id, { _tag: "Settle", how: "refused", took: 12 })
    yield* commit
    assert.deepEqual(ids(yield* store.unsettled(10)), tasks.slice(0, 1))
    assert.equal((yield* store.load(tasks[1]!))!.state.settlement, "refused")
  })

const timers = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const [a, b] = [ledger.create(), ledger.create()]
    assert.equal(yield* store.nextTimer, undefined)
    const timer = (task: TaskId, key: string, due: number) => ({ task, key, due })
    ledger.add({ timersSet: [timer(a, "x", 300), timer(a, "y", 100), timer(b, "x", 200), timer(b, "deadline", 400)] })
    yield* commit
    assert.deepEqual(yield* store.timersDue(300, 10), [timer(a, "y", 100), timer(b, "x", 200), timer(a, "x", 300)])
    assert.deepEqual(yield* store.timersDue(300, 1), [timer(a, "y", 100)])
    assert.deepEqual(yield* store.timersDue(99, 10), [])
    // set first, cleared afterwards
    ledger.add({
      timersSet: [timer(a, "x", 50), timer(a, "z", 10), timer(b, settlementTimer, 70)],
      timersCleared: [{ task: a, key: "z" }, { task: b, key: null }]
    })
    yield* commit
    const { store: later } = yield* reopen
    assert.equal(yield* later.nextTimer, 50)
    const left = [timer(a, "x", 50), timer(b, settlementTimer, 70), timer(a, "y", 100)]
    assert.deepEqual(yield* later.timersDue(1_000, 10), left)
  })

const questions = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const [a, b] = [ledger.create({ agent: "asker" }), ledger.create()]
    const below = ledger.create({ parent: a })
    yield* commit
    for (const [id, key] of [[b, "q"], [a, "two"], [a, "one"], [below, "q"]] as const) ledger.ask(id, key)
    const fleeting = ledger.create()
    ledger.ask(fleeting, "q")
    ledger.apply(fleeting, { _tag: "Cancel", by: "x", reason: null })
    yield* commit
    const asked = (id: TaskId, key: string) => {
      const fact = ledger.history(id).find(({ event }) => event._tag === "InputRequested" && event.request.key === key)!
      const { state: { agent, inputs, run, standings } } = ledger.row(id)
      const standing = standings?.find((one) => one.key === key) ?? untouched(key)
      return { task: id, run, agent, since: fact.at, request: inputs.find((input) => input.key === key)!, standing }
    }
    ledger.apply(b, { _tag: "OfferInput", key: "q", offer: { door: "cli", how: "delivered" } })
    ledger.apply(b, { _tag: "Delegate", key: "q", by: "ann", to: "bob" })
    ledger.apply(a, { _tag: "Progress", attempt: 1, progress: { progress: 1, total: null, message: null } })
    yield* commit
    const all = [asked(a, "one"), asked(a, "two"), asked(b, "q"), asked(below, "q")]
    assert.deepEqual(yield* store.openInputs({ limit: 10 }), all)
    assert.deepEqual(yield* store.openInputs({ limit: 2 }), all.slice(0, 2))
    const { store: later, ...again } = yield* reopen
    assert.deepEqual(yield* later.openInputs({ run: a, limit: 10 }), [all[0], all[1], all[3]])
    const response = { action: "accept", content: {}, by: "ann" } as const
    const next = new Ledger(yield* later.open)
    for (const [id, row] of ledger.rows) next.rows.set(id, row)
    next.apply(a, { _tag: "Respond", key: "two", response })
    next.apply(below, { _tag: "WithdrawInput", attempt: 1, key: "q" })
    next.complete(b)
    yield* later.commit(next.take())
    assert.deepEqual((yield* later.openInputs({ limit: 10 })).map(({ request }) => request.key), ["one"])
    assert.equal(again.ledger.events.length, 0)
  })

const receipts = ({ commit, ledger, reopen }: Opened) =>
  Effect.gen(function*() {
    const receipt = (principal: string, agent: string, key: string, digest: string) => ({
      principal,
      agent,
      key,
      digest,
      task: ledger.create({ agent, spec: { principal, idempotencyKey: key } })
    })
    const all = [
      receipt("ann", "a", "k", "1"),
      receipt("bob", "a", "k", "2"),
      receipt("ann", "b", "k", "3"),
      receipt("ann", "a", "K", "4")
    ]
    ledger.add({ receipts: all })
    ledger.complete(all[0]!.task)
    yield* commit
    const { store } = yield* reopen
    for (const one of all) assert.deepEqual(yield* store.receipt(one.principal, one.agent, one.key), one)
    assert.equal(yield* store.receipt("ann", "a", "other"), undefined)
    yield* store.deleteRuns([all[0]!.task])
    assert.equal(yield* store.receipt("ann", "a", "k"), undefined)
    assert.deepEqual(yield* store.receipt("bob", "a", "k"), all[1])
  })

const artifacts = ({ commit, ledger, reopen }: Opened) =>
  Effect.gen(function*() {
    const [a, b] = [ledger.create(), ledger.create()]
    const hello = {
      digest: "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ",
      mediaType: "text/plain",
      bytes: new TextEncoder().encode("hello")
    }
    ledger.add({ artifacts: [{ ...hello, run: a }, { ...hello, run: b, mediaType: "other/type" }] })
    for (const id of [a, b]) ledger.complete(id)
    yield* commit
    const { store } = yield* reopen
    assert.deepEqual(yield* store.artifact(hello.digest), { ...hello, run: a })
    yield* store.deleteRuns([a])
    assert.deepEqual(yield* store.artifact(hello.digest), { ...hello, run: b })
    yield* store.deleteRuns([b])
    assert.equal(yield* store.artifact(hello.digest), undefined)
  })

const finding = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const tasks = Array.from({ length: 12 }, () => ledger.create())
    ledger.complete(tasks[0]!)
    yield* commit
    assert.deepEqual(yield* store.findIds("0000000000000000001", 10), [tasks[9], tasks[10], tasks[11]])
    assert.deepEqual(yield* store.findIds("0", 2), tasks.slice(0, 2))
    assert.deepEqual(yield* store.findIds(tasks[3]!, 2), [tasks[3]])
    assert.deepEqual(yield* store.findIds("1", 2), [])
    assert.deepEqual(yield* store.counts, { tasks: 12, active: 11, events: 13 })
  })

const expiring = ({ commit, ledger, store }: Opened) =>
  Effect.gen(function*() {
    const root = (spec: { readonly retention: number; readonly ttl?: number }) => ledger.create({ spec })
    const [late, soon, short, forever] = [
      root({ retention: 9e5 }),
      root({ retention: 1e5 }),
      root({ retention: 9e5, ttl: 0 }),
      root({ retention: 8.64e15 })
    ]
    const alive = root({ retention: 0, ttl: 0 })
    ledger.complete(ledger.create({ parent: alive, spec: { retention: 0 } }))
    for (const id of [late, soon, short, forever]) ledger.complete(id)
    yield* commit
    const { time } = ledger
    assert.deepEqual(yield* store.expired(time, 10), [short])
    assert.deepEqual(yield* store.expired(time + 1e5, 10), [short, soon])
    assert.deepEqual(yield* store.expired(time + 1e6, 2), [short, soon])
    assert.deepEqual(yield* store.expired(time + 1e12, 10), [short, soon, late])
  })

const deleting = ({ commit, ledger, reopen, store }: Opened) =>
  Effect.gen(function*() {
    const [kept, gone] = [ledger.create(), ledger.create()]
    const below = ledger.create({ parent: gone })
    for (const id of [kept, gone, below]) ledger.ask(id, "q")
    for (const key of ["a", "b", "c", "d"]) ledger.apply(kept, { _tag: "FireTimer", key })
    ledger.add({ timersSet: [kept, below].map((task) => ({ task, key: "t", due: 1 })) })
    for (const id of [below, gone]) ledger.complete(id)
    yield* commit
    const before = yield* seen(store, kept)
    assert.deepEqual(yield* store.deleteRuns([gone]), { tasks: 2, kept: [] })
    assert.deepEqual(yield* store.deleteRuns([gone]), { tasks: 0, kept: [] })
    for (const id of [gone, below]) {
      const none = { row: undefined, journal: undefined, input: undefined, ending: undefined, events: [] }
      assert.deepEqual(yield* seen(store, id), none)
    }
    assert.deepEqual(yield* seen(store, kept), before)
    assert.deepEqual(yield* store.events({ since: 0, limit: 10 }), before.events)
    assert.deepEqual(yield* store.events({ run: gone, since: 0, limit: 10 }), [])
    assert.deepEqual((yield* store.openInputs({ limit: 10 })).map(({ task }) => task), [kept])
    assert.deepEqual((yield* store.timersDue(9, 9)).map(({ task }) => task), [kept])
    assert.deepEqual(yield* store.counts, { tasks: 1, active: 1, events: 6 })
    assert.deepEqual(ids(yield* store.runnable(undefined, 10)), [kept])
    // a number that a reader has seen is never given to another fact
    const { store: later } = yield* reopen
    assert.equal((yield* later.open).seq, ledger.events.at(-1)!.seq)
  })

const fencing = ({ commit, ledger, store, takeOver }: Opened) =>
  Effect.gen(function*() {
    const root = ledger.create()
    ledger.complete(root)
    yield* commit
    const owner = yield* takeOver
    ledger.create()
    ledger.add({ cursors: new Map([["c", 1]]) })
    assert.equal(yield* refusal(commit), "Fenced")
    assert.equal(yield* refusal(store.deleteRuns([root])), "Fenced")
    assert.deepEqual(yield* owner.store.counts, { tasks: 1, active: 0, events: 2 })
    assert.equal(yield* owner.store.cursor("c"), 0)
    owner.ledger.create()
    yield* owner.commit
    assert.equal((yield* owner.store.counts).tasks, 2)
    assert.equal((yield* owner.store.deleteRuns([root])).tasks, 1)
  })

const emptiness = ({ commit, store }: Opened) =>
  Effect.gen(function*() {
    yield* commit
    assert.deepEqual(yield* store.counts, { tasks: 0, active: 0, events: 0 })
  })

/** Everything the port promises, case by case. */
export const cases = (place: Place): ReadonlyArray<Case> => {
  const one = (name: string, test: (store: Opened) => Effect.Effect<void, StoreError, Scope.Scope>): Case => ({
    name,
    test: Effect.flatMap(opened(place), test)
  })
  return [
    one("raises the epoch with every opening, and goes on where the log ended", opening),
    one("keeps rows as they were written last", rows),
    one("keeps what became of a budget", pools),
    one("keeps a journal: facts in order, children by id", journals),
    one("keeps every JSON value", values),
    one("reads a subtree, parents before children", subtrees),
    one("lists, newest first, by every filter, page by page", listing),
    one("reads facts by task, by run and whole, page by page", facts),
    one("knows what has to be brought back", waking),
    one("knows what has ended and not settled", settling),
    one("keeps timers in order of time", timers),
    one("keeps the open questions", questions),
    one("keeps receipts by principal, agent and key, as long as their task", receipts),
    one("keeps an artifact as long as a run that has it", artifacts),
    one("keeps cursors", cursors),
    one("keeps notes until their time is over", notes),
    one("keeps the audit as a chain", audit),
    one("counts who called whom", calls),
    one("finds ids by their beginning, and counts", finding),
    one("knows which runs are over their time, soonest first", expiring),
    one("deletes a run and nothing else", deleting),
    one("deletes many runs piece by piece, and leaves alone what has not come to rest", deletingMany),
    one("deletes a large run piece by piece", deletingMuch),
    one("refuses writes of an older epoch, whole", fencing),
    one("takes an empty batch", emptiness)
  ]
}
