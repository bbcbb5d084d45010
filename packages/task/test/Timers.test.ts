import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import { Ownership } from "../src/Ownership.ts"
import type { Task, TaskId } from "../src/Task.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

type Setting = Engine.Services & { readonly worker: Engine.FakeWorker }

const setting = Effect.gen(function*() {
  const worker = yield* Engine.work("worker", { concurrency: 10_000 })
  return { ...yield* Engine.services, worker }
})

const engine = <A, E>(test: (services: Setting) => Effect.Effect<A, E, TaskStore | Ownership>) =>
  Effect.flatMap(setting, test).pipe(Effect.scoped, Effect.provide(Engine.layer))

const submit = ({ tasks }: Setting, deadline?: number) =>
  Effect.map(tasks.submit({ agent: "worker", input: null, deadline }), ({ id }) => id)

const setTimer = ({ log }: Setting, id: TaskId, key: string, due: number) => {
  log.dispatch(log.resident(id)!, { _tag: "SetTimer", attempt: 1, key, due })
}

/** When each timer fired. */
const fired = ({ tasks }: Setting) =>
  Effect.map(
    tasks.events({ since: 0, limit: 1_000 }),
    (events) => events.flatMap(({ at, event }) => event._tag === "TimerFired" ? [`${event.key}@${at}`] : [])
  )

/** Moves the clock and lets the log write what became due. */
const pass = ({ log }: Setting, millis: number) =>
  Effect.andThen(TestClock.adjust(millis), Effect.andThen(Effect.repeat(Engine.turn, { times: 2 }), log.barrier))

const ended = ({ reason, statusMessage }: Task) => `${reason}: ${statusMessage}`

describe("timers", () => {
  it.effect("fire when they are due and not before, in the order of their times", () =>
    engine(Effect.fnUntraced(function*(all) {
      const [a, b] = [yield* submit(all), yield* submit(all)]
      setTimer(all, a, "late", 5_000)
      setTimer(all, b, "early", 1_000)
      yield* all.log.barrier
      yield* pass(all, 999)
      assert.deepStrictEqual(yield* fired(all), [])
      yield* pass(all, 1)
      assert.deepStrictEqual(yield* fired(all), ["early@1000"])
      // shorter than what the loop already waits for
      setTimer(all, a, "short", 2_000)
      yield* all.log.barrier
      yield* pass(all, 1_000)
      assert.deepStrictEqual(yield* fired(all), ["early@1000", "short@2000"])
      yield* pass(all, 3_000)
      assert.deepStrictEqual(yield* fired(all), ["early@1000", "short@2000", "late@5000"])
      assert.isUndefined(yield* (yield* TaskStore).nextTimer)
    })))

  it.effect("fire once, and never for a task that has ended", () =>
    engine(Effect.fnUntraced(function*(all) {
      const id = yield* submit(all)
      setTimer(all, id, "a", 1_000)
      setTimer(all, id, "b", 2_000)
      yield* all.log.barrier
      yield* pass(all, 1_000)
      all.worker.complete(id)
      yield* pass(all, 200_000)
      assert.deepStrictEqual(yield* fired(all), ["a@1000"])
    })))

  it.effect("wake a task that is out of memory, thousands at a time", () =>
    engine(Effect.fnUntraced(function*(all) {
      const store = yield* TaskStore
      const ids = yield* Effect.forEach(Array.from({ length: 2_500 }), () => submit(all), { concurrency: "unbounded" })
      for (const id of ids) {
        setTimer(all, id, "t", 1_000)
        all.worker.park(id)
      }
      yield* all.log.barrier
      assert.strictEqual(all.log.residentCount, 0)
      const before = all.faults.calls("commit")
      yield* pass(all, 1_000)
      yield* Effect.repeat(Effect.andThen(Engine.turn, store.nextTimer), { until: (next) => next === undefined })
      assert.isBelow(all.faults.calls("commit") - before, 50)
      assert.lengthOf(yield* store.runnable(undefined, 10_000), 2_500)
      assert.strictEqual(all.log.residentCount, 0)
    })))

  it.effect("survive a restart: what became due meanwhile fires at once", () =>
    Effect.gen(function*() {
      const store = Engine.over(MemoryTaskStore.layerShared())
      const life = <A, E>(test: (all: Setting) => Effect.Effect<A, E>) =>
        Effect.flatMap(setting, test).pipe(Effect.scoped, Effect.provide(store, { local: true }))
      yield* life(Effect.fnUntraced(function*(all) {
        setTimer(all, yield* submit(all), "t", 1_000)
        yield* all.log.barrier
      }))
      yield* TestClock.adjust(10_000)
      assert.deepStrictEqual(yield* life((all) => Effect.andThen(pass(all, 0), fired(all))), ["t@10000"])
    }))

  it.effect("wait for a store that fails, and go on when it is well", () =>
    engine(Effect.fnUntraced(function*(all) {
      setTimer(all, yield* submit(all), "t", 1_000)
      yield* all.log.barrier
      all.faults.fail("timersDue", { reason: "Busy", times: 3 })
      yield* pass(all, 1_000)
      assert.deepStrictEqual(yield* fired(all), [])
      yield* pass(all, 10_000)
      assert.lengthOf(yield* fired(all), 1)
    })))

  it.effect("do not spin on a timer nobody has", () =>
    engine(Effect.fnUntraced(function*(all) {
      const store = yield* TaskStore
      const { epoch } = yield* Ownership
      const orphan = { task: "00000000000000000000" as TaskId, due: 1 }
      yield* store.commit({
        epoch,
        events: [],
        created: [],
        changed: [],
        woken: [],
        timersSet: [{ ...orphan, key: "t" }, { ...orphan, key: "deadline" }],
        timersCleared: [],
        receipts: [],
        artifacts: [],
        cursors: new Map()
      })
      yield* pass(all, 61_000)
      assert.isUndefined(yield* store.nextTimer)
      assert.isBelow(all.faults.calls("timersDue"), 10)
    })))
})

describe("deadlines", () => {
  it.effect("fail the task and cancel what is below it, in one commit", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, tasks, worker } = all
      const id = yield* submit(all, 1_000)
      const child = Engine.child(tasks, worker, log.resident(id)!, "c")
      const other = yield* submit(all)
      yield* pass(all, 999)
      assert.strictEqual((yield* tasks.get(id)).status, "working")
      const before = faults.written.length
      yield* pass(all, 1)
      yield* log.barrier
      const facts = faults.written[before]!.events.map(({ event, task }) =>
        `${event._tag} ${task === id ? "root" : "child"}`
      )
      assert.deepStrictEqual(facts, ["Failed root", "Cancelled child"])
      assert.deepStrictEqual([yield* tasks.get(id), yield* tasks.get(child)].map(ended), [
        "deadline: The deadline passed",
        "null: The deadline of a task above passed"
      ])
      assert.isTrue((yield* tasks.cancelReport(id)).converged)
      assert.strictEqual((yield* tasks.get(other)).status, "working")
    })))

  it.effect("are those of the parent when the child's are later", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, tasks, worker } = all
      const parent = log.resident(yield* submit(all, 1_000))!
      const child = (deadline: number | null) =>
        Result.getOrThrow(
          tasks.submitChild({ parent, key: `${deadline}`, input: null, worker, deadline, onParentExit: "stop" })
        ).state
          .deadline
      assert.deepStrictEqual([child(null), child(5_000), child(500)], [1_000, 1_000, 500])
      yield* pass(all, 500)
      assert.strictEqual((yield* tasks.list({ status: ["failed"], limit: 10 })).length, 1)
    })))

  it.effect("do nothing when asked too early, or for a task that has ended", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, tasks, worker } = all
      const store = yield* TaskStore
      const id = yield* submit(all, 1_000)
      yield* tasks.expire(id)
      assert.strictEqual(log.resident(id)?.state.status, "working")
      worker.complete(id)
      yield* pass(all, 2_000)
      assert.strictEqual((yield* tasks.get(id)).status, "completed")
      assert.isUndefined(yield* store.nextTimer)
    })))
})
