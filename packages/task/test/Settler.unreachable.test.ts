/**
 * A task whose server cannot be reached: it is told again and again, and a later word takes the place of the first.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as CancelReport from "../src/CancelReport.ts"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import type { Pruner } from "../src/Pruner.ts"
import { Rescuer } from "../src/Rescuer.ts"
import { type Rested, Settler } from "../src/Settler.ts"
import type { TaskId } from "../src/Task.ts"
import { TaskLog } from "../src/TaskLog.ts"
import { TaskStore } from "../src/TaskStore.ts"
import { type Worker, Workers } from "../src/Worker.ts"
import * as Engine from "./support/engine.ts"

type Needs = TaskStore | Settler | Rescuer | Pruner | Engine.Needs | Workers

/** A server that answers what the test says, and counts how often it is told. */
interface Far {
  answer: Rested
  told: number
}

/** The worker of agents that live on a server. */
const remote = (far: Far) =>
  Effect.gen(function*() {
    const log = yield* TaskLog
    const settler = yield* Settler
    const held = new Set<TaskId>()
    const rest: Worker["rest"] = (entry) => {
      far.told++
      settler.settle(entry, { server: "far", ...far.answer })
    }
    const worker: Worker = {
      contract: Engine.contract("far"),
      server: "far",
      accept: (input) => Effect.succeed(input),
      waiting: () => 0,
      hasPlace: () => true,
      whenRoom: (callback) => callback(),
      start: (entry) => {
        held.add(entry.state.id)
        log.release(entry)
      },
      resume: (entry) => log.release(entry),
      rest
    }
    yield* (yield* Workers).register(worker)
    return worker
  })

const below: CancelReport.CancelReport = CancelReport.make("r", [
  { id: "r", parent: null, agent: "a", status: "cancelled", settlement: "stopped", at: 1, took: 1, unwound: true },
  { id: "s", parent: "r", agent: "b", status: "cancelled", settlement: "stopped", at: 1, took: 1, server: "further" }
])

const begin = (far: Far) =>
  Effect.gen(function*() {
    const { log, tasks } = yield* Engine.services
    const worker = yield* Engine.work("worker")
    const other = yield* remote(far)
    const { id } = yield* tasks.submit({ agent: "worker", input: null })
    const child = Result.getOrThrow(tasks.submitChild({
      parent: log.resident(id)!,
      key: "k",
      input: null,
      worker: other,
      deadline: null,
      onParentExit: "stop"
    })).state.id
    yield* log.barrier
    return { id, child, log, tasks, worker }
  })

const unreachable: Rested = { how: "unreachable" }

const engine = <A, E>(test: (far: Far) => Effect.Effect<A, E, Needs>) =>
  Effect.suspend(() => test({ answer: unreachable, told: 0 })).pipe(Effect.scoped, Effect.provide(Engine.layer))

describe("a server that cannot be reached", () => {
  it.effect("lets its callers settle, and is told again, later each time", () =>
    engine(Effect.fnUntraced(function*(far) {
      const { child, id, log, tasks } = yield* begin(far)
      yield* tasks.cancel({ id, by: "ann" })
      yield* log.barrier
      const first = yield* tasks.cancelReport(id)
      assert.deepStrictEqual(first.nodes.map(({ settlement }) => settlement), ["stopped", "unreachable"])
      assert.isFalse(first.converged)
      assert.isTrue(CancelReport.isAtRest(first))
      assert.deepInclude(first.nodes[1], { server: "far", tries: 1 })
      const waits: Array<number> = []
      for (let i = 0; i < 14; i++) {
        const { rest } = yield* tasks.get(child)
        waits.push(rest!.retryAt! - log.now())
        yield* TestClock.adjust(waits.at(-1)!)
        yield* log.barrier
      }
      assert.strictEqual(far.told, 15)
      for (const [i, wait] of waits.entries()) {
        const due = Math.min(1_000 * 2 ** i, 300_000)
        assert.isAtLeast(wait, due * 0.8 - 1)
        assert.isAtMost(wait, due * 1.2 + 1)
      }
    })))

  it.effect("is believed at its next word, which is the last", () =>
    engine(Effect.fnUntraced(function*(far) {
      const { child, id, log, tasks } = yield* begin(far)
      yield* tasks.cancel({ id, by: "ann" })
      yield* log.barrier
      const before = yield* tasks.get(child)
      far.answer = { how: "stopped", below }
      yield* TestClock.adjust("2 seconds")
      yield* log.barrier
      const report = yield* tasks.cancelReport(id)
      assert.isTrue(report.converged)
      assert.deepStrictEqual(report.totals, {
        stopped: 4,
        finished_before: 0,
        refused: 0,
        unreachable: 0,
        unknown: 0,
        stopping: 0
      })
      assert.deepStrictEqual(report.nodes.map((node) => [node.id, node.parent, node.server]), [
        [id, null, undefined],
        [child, id, "far"],
        ["far/r", child, "far"],
        ["far/s", "far/r", "far/further"]
      ])
      const after = yield* tasks.get(child)
      // what its parent was told of it has not moved
      assert.strictEqual(after.settledAt, before.settledAt)
      assert.isUndefined(after.rest?.retryAt)
      assert.strictEqual(report.nodes[1]!.at, after.rest!.at)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(far.told, 2)
      assert.isUndefined(yield* (yield* TaskStore).nextTimer)
    })))

  it.effect("is asked again about what it could not reach itself", () =>
    engine(Effect.fnUntraced(function*(far) {
      const { child, id, log, tasks } = yield* begin(far)
      const open = CancelReport.make("r", [
        { ...below.nodes[0]!, settlement: "unreachable", tries: 1, retryAt: 5 }
      ])
      far.answer = { how: "stopped", below: open, isOpen: true }
      yield* tasks.cancel({ id, by: "ann" })
      yield* log.barrier
      assert.isFalse((yield* tasks.cancelReport(id)).converged)
      // a word without news leaves the old one
      far.answer = { how: "stopped", isOpen: true }
      yield* TestClock.adjust("2 seconds")
      yield* log.barrier
      assert.lengthOf((yield* tasks.cancelReport(id)).nodes, 3)
      far.answer = { how: "stopped", below }
      yield* TestClock.adjust("10 seconds")
      yield* log.barrier
      const report = yield* tasks.cancelReport(id)
      assert.isTrue(report.converged)
      assert.lengthOf(report.nodes, 4)
      assert.strictEqual((yield* tasks.get(child)).settlement, "stopped")
    })))

  it.effect("is told by the next process too, once its time has come", () => {
    const store = MemoryTaskStore.layerShared()
    const far: Far = { answer: unreachable, told: 0 }
    const life = <A, E>(test: Effect.Effect<A, E, Needs>) =>
      test.pipe(Effect.scoped, Effect.provide(Engine.over(store), { local: true }))
    return Effect.gen(function*() {
      const id = yield* life(Effect.gen(function*() {
        const { id, log, tasks } = yield* begin(far)
        yield* tasks.cancel({ id, by: "ann" })
        yield* log.barrier
        return id
      }))
      far.answer = { how: "finished_before" }
      yield* life(Effect.gen(function*() {
        yield* remote(far)
        yield* Engine.work("worker")
        yield* (yield* Rescuer).sweep
        assert.strictEqual(far.told, 1)
        yield* TestClock.adjust("2 seconds")
        const { log, tasks } = yield* Engine.services
        yield* log.barrier
        assert.strictEqual(far.told, 2)
        assert.isTrue((yield* tasks.cancelReport(id)).converged)
      }))
    })
  })

  it.effect("is forgotten with its run", () =>
    engine(Effect.fnUntraced(function*(far) {
      const { id, log, tasks } = yield* begin(far)
      yield* tasks.cancel({ id, by: "ann" })
      yield* log.barrier
      yield* tasks.delete(id)
      const { told } = far
      yield* TestClock.adjust("1 hour")
      yield* log.barrier
      assert.strictEqual(far.told, told)
      assert.isUndefined(yield* (yield* TaskStore).nextTimer)
    })))
})
