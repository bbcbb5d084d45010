import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Settler } from "../src/Settler.ts"
import type { ParentExit, Task, TaskId } from "../src/Task.ts"
import type { Entry } from "../src/TaskLog.ts"
import { replay } from "../src/TaskMachine.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as TaskArbitrary from "../src/testing/TaskArbitrary.ts"
import * as Engine from "./support/engine.ts"
import { runs } from "./support/runs.ts"

/** Runs a test over an engine of its own with one agent, `worker`. */
const engine = <A, E>(
  test: (
    services: Engine.Services & { readonly worker: Engine.FakeWorker }
  ) => Effect.Effect<A, E, TaskStore | Settler>
) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker")
    return yield* test({ ...yield* Engine.services, worker })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

type Setting = Engine.Services & { readonly worker: Engine.FakeWorker }

/** A root and tasks below it: each one's parent is named by its number. */
const grow = Effect.fnUntraced(function*({ log, tasks, worker }: Setting, parents: ReadonlyArray<number>) {
  const ids = [(yield* tasks.submit({ agent: "worker", input: null })).id]
  parents.forEach((parent, i) => ids.push(Engine.child(tasks, worker, log.resident(ids[parent]!)!, `${i}`)))
  return ids
})

const below = ({ tasks, worker }: Setting, parent: Entry, key: string, onParentExit: ParentExit) =>
  Result.getOrThrow(tasks.submitChild({ parent, key, input: null, worker, deadline: null, onParentExit })).state.id

const cancelled = ({ event: { _tag } }: { readonly event: { readonly _tag: string } }) => _tag === "Cancelled"
const settled = ({ event: { _tag } }: { readonly event: { readonly _tag: string } }) => _tag === "Settled"

/** Whether `above` is the task itself or above it. */
const isBelow = (tasks: ReadonlyMap<TaskId, Task>, id: TaskId, above: TaskId): boolean => {
  for (let at: TaskId | null = id; at !== null; at = tasks.get(at)!.parent) if (at === above) return true
  return false
}

/** What may have become of a node before somebody cancels: it runs, is out of memory, is stubborn, or is done. */
const Fate = Schema.Literals(["runs", "parked", "stubborn", "done"])
const Trees = Arbitrary.all({
  parents: TaskArbitrary.tree,
  fates: Arbitrary.array(Arbitrary.schema(Fate), { minLength: 25, maxLength: 25 }),
  target: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))),
  late: Arbitrary.schema(Schema.Boolean)
})

describe("cancel", () => {
  it.effect("ends the whole subtree in one commit and reports every node (D1)", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, tasks } = all
      const ids = yield* grow(all, [0, 0, 1, 1, 3])
      yield* log.barrier
      const before = faults.written.length
      const report = yield* tasks.cancel({ id: ids[0]!, by: "ann", reason: "enough" })
      const first = faults.written[before]!.events
      assert.deepStrictEqual(first.filter(cancelled).map(({ task }) => task), ids)
      assert.sameMembers(report.nodes.map(({ id }) => id), ids)
      yield* log.barrier
      const { converged, nodes } = yield* tasks.cancelReport(ids[0]!)
      assert.isTrue(converged)
      assert.isTrue(
        nodes.every((node) => node.status === "cancelled" && node.settlement === "stopped" && node.took === 0)
      )
      assert.strictEqual((yield* tasks.get(ids[5]!)).statusMessage, "enough")
    })))

  it.effect("settles leaves before what is above them, and waits for who takes its time (I11)", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, tasks, worker } = all
      const ids = yield* grow(all, [0, 1, 2, 0])
      worker.stubborn.add(ids[2]!)
      yield* tasks.cancel({ id: ids[0]!, by: "ann" })
      yield* log.barrier
      const open = (yield* tasks.cancelReport(ids[0]!)).nodes.filter((node) => node.settlement === null)
      assert.deepStrictEqual<unknown>(open.map(({ id }) => id), [ids[0], ids[1], ids[2]])
      yield* TestClock.adjust("3 seconds")
      worker.settle(ids[2]!)
      yield* log.barrier
      const { nodes } = yield* tasks.cancelReport(ids[0]!)
      assert.deepStrictEqual(nodes.map(({ took }) => took), [3_000, 3_000, 0, 3_000, 0])
      const order = (yield* tasks.events({ since: 0, limit: 100 })).filter(settled).map(({ task }) => task)
      assert.deepStrictEqual(order, [ids[4], ids[3], ids[2], ids[1], ids[0]])
      assert.strictEqual(log.residentCount, 0)
    })))

  it.effect.prop(
    "ends exactly the subtree, whatever its tasks were doing (D2, I5, I7, I11)",
    [Trees],
    ([{ fates, late, parents, target }]) =>
      engine(Effect.fnUntraced(function*(all) {
        const { log, tasks, worker } = all
        const ids = yield* grow(all, parents)
        yield* log.barrier
        ids.forEach((id, i) => {
          const fate = fates[i]!
          const ready = log.liveChildCount(id) === 0
          if (fate === "done" && ready && i > 0) worker.complete(id)
          else if (fate === "parked") worker.park(id)
          else if (fate === "stubborn") worker.stubborn.add(id)
        })
        yield* log.barrier
        const root = ids[target % ids.length]!
        // a child that no commit knows yet
        const parent: Entry | undefined = worker.held.get(ids[(target * 7) % ids.length]!)
        if (late && parent !== undefined) ids.push(Engine.child(tasks, worker, parent, "late"))
        const before = new Map(
          yield* Effect.map(tasks.tree(ids[0]!), (tree) => tree.map((task) => [task.id, task] as const))
        )
        const report = yield* Effect.option(tasks.cancel({ id: root, by: "ann" }))
        for (const id of worker.stubborn) if (worker.held.get(id)?.state.status === "cancelled") worker.settle(id)
        yield* log.barrier
        const after = new Map((yield* tasks.tree(ids[0]!)).map((task) => [task.id, task] as const))
        for (const [id, task] of after) {
          if (before.get(id)?.status === "completed") assert.deepStrictEqual(task, before.get(id))
          else if (isBelow(after, id, root) && before.get(root)?.status !== "completed") {
            assert.deepStrictEqual([task.status, task.settlement], ["cancelled", "stopped"])
            assert.isUndefined(log.resident(id))
          } else assert.strictEqual(task.status, "working")
        }
        yield* consistent
        // what the report said at once is what the store says in the end, as far as it could know
        const told = Option.map(report, ({ nodes }) => nodes).pipe(Option.getOrElse(() => []))
        if (Option.isSome(report)) {
          assert.sameMembers(
            told.map(({ id }) => id),
            [...after.keys()].filter((id) => isBelow(after, id, root))
          )
        }
        for (const { id, settlement, status } of told) {
          assert.strictEqual(status, after.get(id as TaskId)!.status)
          if (settlement !== null) assert.strictEqual(settlement, after.get(id as TaskId)!.settlement)
        }
      })),
    { arbitrary: { runs: runs(150) } }
  )

  it.effect("ends once: the second is refused, and so is one after the end (case 15)", () =>
    engine(Effect.fnUntraced(function*({ log, tasks, worker }) {
      const { id } = yield* tasks.submit({ agent: "worker", input: null })
      const both = yield* Effect.forEach(["a", "b"], (by) => Effect.result(tasks.cancel({ id, by })), {
        concurrency: 2
      })
      assert.deepStrictEqual(both.map(({ _tag }) => _tag), ["Success", "Failure"])
      const done = yield* tasks.submit({ agent: "worker", input: null })
      worker.complete(done.id)
      const error = yield* Effect.flip(tasks.cancel({ id: done.id, by: "a" }))
      assert.strictEqual(error._tag, "Refused")
      // the refusal said that it is completed: that has to be durable
      assert.strictEqual((yield* tasks.get(done.id)).status, "completed")
      assert.strictEqual((yield* Effect.flip(tasks.cancel({ id: "x" as TaskId, by: "a" })))._tag, "TaskNotFound")
      assert.strictEqual(log.residentCount, 0)
    })))

  it.effect("cancels from within the process, also children that are out of memory", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, tasks, worker } = all
      const ids = yield* grow(all, [0, 1, 2])
      yield* log.barrier
      worker.park(ids[2]!)
      worker.park(ids[3]!)
      yield* log.barrier
      assert.isUndefined(log.resident(ids[3]!))
      tasks.cancelNow(worker.held.get(ids[1]!)!, "parent", "no longer needed")
      yield* log.barrier
      const after = yield* tasks.tree(ids[0]!)
      assert.deepStrictEqual(after.map(({ status }) => status), ["working", "cancelled", "cancelled", "cancelled"])
      yield* log.barrier
      assert.isTrue((yield* tasks.cancelReport(ids[1]!)).converged)
      assert.deepStrictEqual(yield* settledOrder, [ids[3], ids[2], ids[1]])
    })))
})

describe("a child that outlives its parent", () => {
  for (const verb of ["cancel", "cancelNow"] as const) {
    for (const where of ["in memory", "out of memory"]) {
      for (const rule of ["continue", "adopt"] as const) {
        const isReached = rule === "adopt"
        it.effect(`is ${isReached ? "reached" : "left alone"} by ${verb} of the run when it was to ${rule} and is ${where}`, () =>
          engine(Effect.fnUntraced(function*(all) {
            const { log, tasks, worker } = all
            const settler = yield* Settler
            const [root, parent] = yield* grow(all, [0])
            const child = below(all, log.resident(parent!)!, "c", rule)
            yield* log.barrier
            settler.leave(log.resident(parent!)!, () => worker.complete(parent!))
            yield* log.barrier
            if (where === "out of memory") worker.park(child)
            yield* log.barrier
            assert.strictEqual((yield* tasks.get(child)).guardian, isReached ? root : null)
            if (verb === "cancel") yield* tasks.cancel({ id: root!, by: "ann" })
            else tasks.cancelNow(worker.held.get(root!)!, "ann", null)
            yield* log.barrier
            yield* log.barrier
            const after = yield* tasks.tree(root!)
            const state = isReached ? "cancelled" : "working"
            assert.deepStrictEqual(after.map(({ status }) => status), ["cancelled", "completed", state])
            const report = yield* tasks.cancelReport(root!)
            assert.isTrue(report.converged)
            assert.deepStrictEqual(report.nodes.some(({ id }) => id === child), isReached)
          })))
      }
    }
  }
})

const settledOrder = Effect.gen(function*() {
  const store = yield* TaskStore
  return (yield* store.events({ since: 0, limit: 1_000 })).filter(settled).map(({ task }) => task)
})

/** Every row is what its facts say, and nothing settles before what is below it. */
const consistent = Effect.gen(function*() {
  const store = yield* TaskStore
  const rows = yield* store.list({ limit: 1_000 })
  for (const { settledSeq, state } of rows) {
    const journal = (yield* store.journal(state.id))!
    assert.deepStrictEqual(replay(state.id, journal.events), state)
    for (const child of journal.children) {
      if (settledSeq !== null) assert.isBelow(child.settledSeq ?? Infinity, settledSeq)
    }
  }
})
