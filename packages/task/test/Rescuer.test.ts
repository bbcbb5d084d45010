import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import { Rescuer } from "../src/Rescuer.ts"
import type { TaskId } from "../src/Task.ts"
import { TaskStore } from "../src/TaskStore.ts"
import { Ledger } from "../src/testing/Ledger.ts"
import * as Engine from "./support/engine.ts"

/** What an earlier process left behind, and an engine that finds it. */
const after = <A, E>(
  left: (ledger: Ledger) => void,
  test: (
    services: Engine.Services & { readonly worker: Engine.FakeWorker; readonly sweep: Rescuer["Service"]["sweep"] }
  ) => Effect.Effect<A, E, TaskStore>
) =>
  Effect.gen(function*() {
    const store = MemoryTaskStore.layerShared()
    yield* Effect.gen(function*() {
      const store = yield* TaskStore
      const ledger = new Ledger(yield* store.open)
      left(ledger)
      yield* store.commit(ledger.take())
    }).pipe(Effect.provide(store))
    return yield* Effect.gen(function*() {
      const worker = yield* Engine.work("worker")
      return yield* test({ ...yield* Engine.services, worker, sweep: (yield* Rescuer).sweep })
    }).pipe(Effect.scoped, Effect.provide(Engine.over(Layer.fresh(store))))
  })

const cancel = (ledger: Ledger, id: TaskId) => ledger.apply(id, { _tag: "Cancel", by: "x", reason: null })

describe("Rescuer", () => {
  it.effect("hands every active task that is not parked to its worker, oldest first, once", () =>
    after(
      (ledger) => {
        const tasks = Array.from({ length: 2_300 }, () => ledger.create())
        ledger.park(tasks[3]!, true)
        ledger.complete(tasks[4]!)
        ledger.create({ agent: "gone" })
      },
      Effect.fnUntraced(function*({ log, sweep, worker }) {
        assert.strictEqual(yield* sweep, 2_298)
        assert.lengthOf(worker.resumed, 2_298)
        assert.deepStrictEqual(worker.resumed.toSorted(), worker.resumed)
        assert.strictEqual(yield* sweep, 0)
        assert.strictEqual(log.residentCount, 2_298)
      })
    ))

  it.effect("settles what had ended when the process died, leaves first (I11)", () =>
    after(
      (ledger) => {
        const root = ledger.create()
        const [a, b] = [ledger.create({ parent: root }), ledger.create({ parent: root })]
        const below = ledger.create({ parent: a })
        for (const id of [root, a, below, b]) cancel(ledger, id)
      },
      Effect.fnUntraced(function*({ log, sweep, tasks }) {
        assert.strictEqual(yield* sweep, 0)
        yield* log.barrier
        const settled = (yield* tasks.events({ since: 8, limit: 10 })).map(({ event, task }) =>
          `${event._tag} ${Number(task)}`
        )
        assert.sameMembers(settled, ["Settled 1", "Settled 2", "Settled 3", "Settled 4"])
        assert.strictEqual(settled[3], "Settled 1")
        assert.isBelow(settled.indexOf("Settled 4"), settled.indexOf("Settled 2"))
        assert.strictEqual(log.residentCount, 0)
      })
    ))

  it.effect("finishes a cancellation that a crash cut off", () =>
    after(
      (ledger) => {
        const root = ledger.create()
        const child = ledger.create({ parent: root })
        ledger.park(ledger.create({ parent: child }), true)
        cancel(ledger, root)
      },
      Effect.fnUntraced(function*({ log, sweep, tasks, worker }) {
        yield* sweep
        yield* log.barrier
        const [root] = yield* tasks.list({ rootsOnly: true, limit: 1 })
        const { converged, nodes } = yield* tasks.cancelReport(root!.id)
        assert.isTrue(converged)
        assert.deepStrictEqual(nodes.map(({ status }) => status), ["cancelled", "cancelled", "cancelled"])
        assert.lengthOf(worker.resumed, 0)
      })
    ))

  it.effect("settles more than a page, however many of them wait", () =>
    after(
      (ledger) => {
        const roots = Array.from({ length: 2_500 }, () => ledger.create())
        for (const id of roots) cancel(ledger, id)
      },
      Effect.fnUntraced(function*({ log, sweep }) {
        const store = yield* TaskStore
        yield* sweep
        yield* log.barrier
        assert.lengthOf(yield* store.unsettled(10_000), 0)
      })
    ))

  it.effect("leaves alone what somebody works on, and what the log knows better", () =>
    after(
      (ledger) => {
        for (let i = 0; i < 4; i++) ledger.create()
      },
      Effect.fnUntraced(function*({ log, sweep, worker }) {
        const store = yield* TaskStore
        const [held, ended, parked, free] = yield* Effect.forEach(yield* store.runnable(undefined, 4), ({ state }) =>
          log.acquire(state.id))
        held!.held = true
        log.dispatch(ended!, { _tag: "Complete", attempt: 1, result: null })
        log.setParked(parked!, true)
        assert.strictEqual(yield* sweep, 1)
        assert.deepStrictEqual(worker.resumed, [free!.state.id])
      })
    ))

  it.effect("takes no row that is older than what was written while it read", () =>
    after(
      (ledger) => ledger.create(),
      Effect.fnUntraced(function*({ faults, log, sweep, worker }) {
        const store = yield* TaskStore
        const [row] = yield* store.runnable(undefined, 1)
        const pause = faults.pause("runnable")
        const sweeping = yield* Effect.forkChild(sweep, { startImmediately: true })
        yield* pause.reached
        const entry = (yield* log.acquire(row!.state.id))!
        log.dispatch(entry, { _tag: "Complete", attempt: 1, result: null })
        log.release(entry)
        yield* log.barrier
        yield* pause.resume
        assert.strictEqual(yield* Fiber.join(sweeping), 0)
        assert.lengthOf(worker.resumed, 0)
        assert.strictEqual(log.residentCount, 0)
      })
    ))

  it.effect("sweeps again and again, for what a lost message left behind", () =>
    after(
      (ledger) => ledger.create(),
      Effect.fnUntraced(function*({ worker }) {
        assert.lengthOf(worker.resumed, 0)
        yield* TestClock.adjust("30 seconds")
        assert.lengthOf(worker.resumed, 1)
      })
    ))
})
