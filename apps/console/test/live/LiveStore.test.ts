import type { Envelope } from "@coppice/api/Api"
import { assert, describe, it } from "@effect/vitest"
import { type Batch, batchInterval, type Callbacks, LiveStore, mostHeld } from "../../src/live/LiveStore.ts"

const fact = (
  seq: number
): Envelope => ({ seq, task: "t", run: "t", at: 0, event: { _tag: "Started", attempt: 1 } } as never)

/** A service and a clock in the test's hands. */
const make = () => {
  const connections: Array<Callbacks & { readonly since: number | undefined; open: boolean }> = []
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  const batches: Array<Batch> = []
  let now = 0
  const store = new LiveStore({
    connect: (since, callbacks) => {
      const connection = { since, ...callbacks, open: true }
      connections.push(connection)
      return { close: () => connection.open = false }
    },
    after: (millis, run) => {
      const timer = { at: now + millis, run }
      timers.add(timer)
      return () => timers.delete(timer)
    }
  })
  store.read((batch) => batches.push(batch))
  store.open()
  const pass = (millis: number) => {
    const end = now + millis
    for (;;) {
      const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
      if (next === undefined) break
      timers.delete(next)
      now = next.at
      next.run()
    }
    now = end
  }
  const last = () => connections.at(-1)!
  return {
    store,
    connections,
    batches,
    pass,
    last,
    seqs: () => batches.flatMap(({ facts }) => facts.map(({ seq }) => seq))
  }
}

/** Connected at place 10, and past the first batch. */
const live = () => {
  const all = make()
  all.last().onPlace("ready", 10)
  all.pass(batchInterval)
  all.batches.length = 0
  return all
}

describe("LiveStore", () => {
  it("asks for everything to be read once it stands, when something was read before that may be older", () => {
    const { batches, last, pass, store } = make()
    store.shown()
    last().onPlace("ready", 10)
    pass(batchInterval)
    assert.deepStrictEqual(batches, [{ all: true, facts: [] }])
  })

  it("asks for nothing when nothing was read before it stood", () => {
    const { batches, last, pass, store } = make()
    last().onPlace("ready", 10)
    store.shown()
    pass(batchInterval)
    assert.deepStrictEqual(batches, [])
  })

  it("gives its connection up while nobody looks, and goes on from there", () => {
    const { connections, last, pass, seqs, store } = live()
    last().onFact(fact(11))
    pass(batchInterval)
    store.sleep()
    assert.isFalse(last().open)
    pass(3_600_000)
    assert.lengthOf(connections, 1)
    store.wake()
    assert.strictEqual(last().since, 11)
    last().onPlace("ready", 11)
    last().onFact(fact(12))
    pass(batchInterval)
    assert.deepStrictEqual(seqs(), [11, 12])
  })

  it("tells facts in batches, a quarter of a second apart", () => {
    const { batches, last, pass } = live()
    for (const seq of [11, 12, 13]) last().onFact(fact(seq))
    pass(batchInterval - 1)
    assert.lengthOf(batches, 0)
    pass(1)
    last().onFact(fact(14))
    pass(batchInterval)
    assert.deepStrictEqual(batches.map(({ facts }) => facts.map(({ seq }) => seq)), [[11, 12, 13], [14]])
  })

  it("goes on after the last fact when the connection breaks, without gap or repetition", () => {
    const { connections, last, pass, seqs, store } = live()
    last().onFact(fact(11))
    last().onBroken()
    assert.strictEqual(store.get().phase, "offline")
    pass(500)
    assert.strictEqual(last().since, 11)
    last().onPlace("ready", 11)
    for (const seq of [11, 12]) last().onFact(fact(seq))
    pass(batchInterval)
    assert.deepStrictEqual(seqs(), [11, 12])
    assert.include(store.get(), { phase: "live", gaps: 0, duplicates: 1, reconnects: 1, resets: 0, last: 12 })
    assert.isFalse(connections[0]!.open)
  })

  it("hears no more of a connection it has left", () => {
    const { connections, last, pass, seqs } = live()
    last().onBroken()
    pass(500)
    last().onPlace("ready", 10)
    connections[0]!.onFact(fact(11))
    pass(batchInterval)
    assert.deepStrictEqual(seqs(), [])
  })

  it("waits longer and longer for a service that is gone, and not at all when somebody asks", () => {
    const { connections, last, pass, store } = live()
    for (const millis of [500, 1_000, 2_000, 5_000, 5_000]) {
      last().onBroken()
      const before = connections.length
      pass(millis - 1)
      assert.lengthOf(connections, before)
      pass(1)
      assert.lengthOf(connections, before + 1)
    }
    last().onBroken()
    store.wake()
    assert.lengthOf(connections, 7)
  })

  it("reads everything anew after a reset, and goes on from the place that came with it", () => {
    const { batches, last, pass, seqs, store } = live()
    last().onBroken()
    pass(500)
    last().onPlace("reset", 3)
    last().onFact(fact(4))
    pass(batchInterval)
    assert.isTrue(batches[0]!.all)
    last().onFact(fact(5))
    pass(batchInterval)
    assert.deepStrictEqual(seqs(), [5])
    assert.include(store.get(), { resets: 1, last: 5, gaps: 0 })
  })

  it("reads everything anew when a fact is missing", () => {
    const { batches, last, pass, store } = live()
    for (const seq of [11, 13]) last().onFact(fact(seq))
    pass(batchInterval)
    assert.isTrue(batches[0]!.all)
    assert.strictEqual(store.get().gaps, 1)
  })

  it("shows nothing while paused, and all of it afterwards", () => {
    const { batches, last, pass, seqs, store } = live()
    store.pause()
    for (const seq of [11, 12]) last().onFact(fact(seq))
    pass(60_000)
    assert.lengthOf(batches, 0)
    assert.include(store.get(), { paused: true, held: 2, phase: "live" })
    store.resume()
    assert.deepStrictEqual(seqs(), [11, 12])
    assert.include(store.get(), { paused: false, held: 0 })
  })

  it("keeps a bounded number of facts, however long it is paused", () => {
    const { batches, last, store } = live()
    store.pause()
    for (let seq = 11; seq < 11 + mostHeld * 3; seq++) last().onFact(fact(seq))
    store.resume()
    assert.deepStrictEqual(batches, [{ all: true, facts: [] }])
  })

  it("shows at once what waited when a hidden tab is looked at", () => {
    const { batches, last, store } = live()
    last().onFact(fact(11))
    store.wake()
    assert.lengthOf(batches, 1)
  })

  it("is silent once it is closed", () => {
    const { connections, last, pass, seqs, store } = live()
    last().onFact(fact(11))
    store.close()
    pass(60_000)
    assert.deepStrictEqual(seqs(), [])
    assert.lengthOf(connections, 1)
    assert.isFalse(last().open)
  })
})
