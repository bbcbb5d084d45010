/**
 * What the end of a parent means for children that still run: stop, continue, adopt.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import { Rescuer } from "../src/Rescuer.ts"
import { Settler } from "../src/Settler.ts"
import type { ParentExit, TaskId } from "../src/Task.ts"
import type { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

type Setting = Engine.Services & { readonly worker: Engine.FakeWorker; readonly settler: Settler["Service"] }
type Needs = TaskStore | Settler | Rescuer

const setting = Effect.gen(function*() {
  const worker = yield* Engine.work("worker")
  return { ...yield* Engine.services, worker, settler: yield* Settler } satisfies Setting
})

const engine = <A, E>(test: (services: Setting) => Effect.Effect<A, E, Needs>) =>
  Effect.flatMap(setting, test).pipe(Effect.scoped, Effect.provide(Engine.layer))

const root = ({ tasks }: Setting) => Effect.map(tasks.submit({ agent: "worker", input: null }), ({ id }) => id)

const child = ({ log, tasks, worker }: Setting, parent: TaskId, onParentExit: ParentExit = "stop") => {
  const key = `${Math.floor(log.head)}`
  const made = { parent: log.resident(parent)!, key, input: null, worker, deadline: null, onParentExit }
  return Result.getOrThrow(tasks.submitChild(made)).state.id
}

/** A chain of tasks from a root down. */
const chain = Effect.fnUntraced(function*(all: Setting, depth: number) {
  const ids = [yield* root(all)]
  while (ids.length < depth) ids.push(child(all, ids.at(-1)!))
  yield* all.log.barrier
  return ids
})

/** The handler of a task returns. */
const ends = ({ log, settler, worker }: Setting, id: TaskId) =>
  Effect.gen(function*() {
    settler.leave(log.resident(id)!, () => worker.complete(id))
    yield* log.barrier
    yield* log.barrier
  })

const told = ({ tasks }: Setting, id: TaskId) =>
  Effect.map(tasks.get(id), ({ guardian, settlement, status }): object => ({ status, settlement, guardian }))

const working = (guardian: TaskId | null) => ({ status: "working", settlement: null, guardian })
const stopped = (guardian?: TaskId) => ({ status: "cancelled", settlement: "stopped", guardian })

describe("a parent that completes", () => {
  it.effect("cancels its children, lets them go, or hands them to the task above it", () =>
    engine(Effect.fnUntraced(function*(all) {
      const [top, parent] = yield* chain(all, 2)
      const rules = ["stop", "continue", "adopt"] as const
      const [stops, goes, adopted] = rules.map((rule) => child(all, parent!, rule))
      yield* ends(all, parent!)
      assert.deepInclude(yield* told(all, parent!), { status: "completed" })
      assert.deepStrictEqual(yield* told(all, stops!), stopped())
      assert.deepStrictEqual(yield* told(all, goes!), working(null))
      assert.deepStrictEqual(yield* told(all, adopted!), working(top!))
      assert.strictEqual((yield* all.tasks.get(top!)).adopted, 1)
    })))

  it.effect("hands to the nearest that lives, past those that have ended", () =>
    engine(Effect.fnUntraced(function*(all) {
      const ids = yield* chain(all, 4)
      const grandchild = child(all, ids[3]!, "adopt")
      yield* all.log.barrier
      // the two in between end, each in its own way
      yield* all.tasks.cancel({ id: ids[2]!, by: "ann" })
      yield* all.log.barrier
      assert.deepStrictEqual(yield* told(all, grandchild), working(ids[1]!))
      yield* ends(all, ids[1]!)
      // who has adopted a child keeps it to its own end
      assert.deepStrictEqual(yield* told(all, grandchild), stopped(ids[1]))
    })))

  it.effect("has nobody to hand a child to when it is the root, and cancels it", () =>
    engine(Effect.fnUntraced(function*(all) {
      const id = yield* root(all)
      const orphan = child(all, id, "adopt")
      yield* ends(all, id)
      assert.deepStrictEqual(yield* told(all, orphan), stopped())
    })))

  it.effect("hands nothing to a task that is about to end itself", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, settler, worker } = all
      const [top, middle, parent] = yield* chain(all, 3)
      const orphan = child(all, parent!, "adopt")
      worker.stubborn.add(parent!)
      // the middle waits for its child, which takes its time
      settler.leave(log.resident(middle!)!, () => worker.complete(middle!))
      yield* log.barrier
      assert.deepStrictEqual(yield* told(all, orphan), working(top!))
      worker.settle(parent!)
      yield* log.barrier
      assert.deepInclude(yield* told(all, middle!), { status: "completed" })
    })))

  it.effect("finds an heir that is out of memory", () =>
    engine(Effect.fnUntraced(function*(all) {
      const [top, parent] = yield* chain(all, 2)
      const orphan = child(all, parent!, "adopt")
      yield* all.log.barrier
      all.worker.park(top!)
      yield* all.log.barrier
      assert.isUndefined(all.log.resident(top!))
      yield* ends(all, parent!)
      yield* all.log.barrier
      assert.deepStrictEqual(yield* told(all, orphan), working(top!))
      yield* all.tasks.cancel({ id: top!, by: "ann" })
      yield* all.log.barrier
      assert.deepStrictEqual(yield* told(all, orphan), stopped(top))
    })))
})

describe("a parent that is cancelled, or fails from outside", () => {
  for (const how of ["cancelled", "failed"] as const) {
    it.effect(`does the same when it is ${how}`, () =>
      engine(Effect.fnUntraced(function*(all) {
        const { log, settler, tasks } = all
        const [top, parent] = yield* chain(all, 2)
        const rules = ["stop", "continue", "adopt"] as const
        const [stops, goes, adopted] = rules.map((rule) => child(all, parent!, rule))
        yield* log.barrier
        if (how === "cancelled") yield* tasks.cancel({ id: parent!, by: "ann" })
        else {
          const command = { _tag: "Fail", attempt: null, reason: "deadline", message: "late", error: null } as const
          yield* settler.end(parent!, command, { by: "deadline", reason: null })
          yield* log.barrier
        }
        yield* log.barrier
        assert.deepInclude(yield* told(all, parent!), { status: how, settlement: "stopped" })
        assert.deepStrictEqual(yield* told(all, stops!), stopped())
        assert.deepStrictEqual(yield* told(all, goes!), working(null))
        assert.deepStrictEqual(yield* told(all, adopted!), working(top!))
      })))
  }

  it.effect("is one commit with what becomes of its children", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, tasks } = all
      const [, parent] = yield* chain(all, 2)
      child(all, parent!, "continue")
      child(all, parent!, "adopt")
      yield* log.barrier
      const before = faults.written.length
      yield* tasks.cancel({ id: parent!, by: "ann" })
      const first = faults.written[before]!.events.map(({ event }) => event._tag)
      assert.includeMembers(first, ["Cancelled", "Released", "Adopted"])
    })))
})

describe("whoever has adopted a child", () => {
  it.effect("does not settle before it (I11)", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, settler, tasks, worker } = all
      const [top, parent] = yield* chain(all, 2)
      const orphan = child(all, parent!, "adopt")
      yield* ends(all, parent!)
      worker.stubborn.add(orphan)
      settler.leave(log.resident(top!)!, () => worker.complete(top!))
      yield* log.barrier
      assert.deepInclude(yield* told(all, top!), { status: "working" })
      worker.settle(orphan)
      yield* log.barrier
      const order = (yield* tasks.events({ since: 0, limit: 100 })).flatMap(({ event, task }) =>
        event._tag === "Settled" || event._tag === "Completed" ? [task] : []
      )
      assert.deepStrictEqual(order, [parent, orphan, top])
    })))
})

describe("after a crash", () => {
  it.effect("a child whose parent had just been cancelled is still adopted", () => {
    const store = MemoryTaskStore.layerShared()
    const life = <A, E>(test: Effect.Effect<A, E, TaskStore | Settler | Rescuer | Engine.Needs>) =>
      test.pipe(Effect.scoped, Effect.provide(Engine.over(store), { local: true }))
    return Effect.gen(function*() {
      const [top, parent, orphan] = yield* life(Effect.gen(function*() {
        const all = yield* setting
        const ids = yield* chain(all, 2)
        const orphan = child(all, ids[1]!, "adopt")
        yield* all.log.barrier
        all.worker.park(ids[0]!)
        yield* all.log.barrier
        // the process dies between the commit of the cancellation and what follows from it
        all.log.dispatch(all.log.resident(ids[1]!)!, { _tag: "Cancel", by: "ann", reason: null })
        yield* all.log.barrier
        return [ids[0]!, ids[1]!, orphan] as const
      }))
      yield* life(Effect.gen(function*() {
        const all = yield* setting
        yield* (yield* Rescuer).sweep
        yield* Effect.repeat(all.log.barrier, { times: 5 })
        assert.deepStrictEqual(yield* told(all, parent), {
          status: "cancelled",
          settlement: "stopped",
          guardian: undefined
        })
        assert.deepStrictEqual(yield* told(all, orphan), working(top))
        assert.isTrue(all.worker.held.has(orphan))
        yield* all.tasks.cancel({ id: top, by: "ann" })
        yield* Effect.repeat(all.log.barrier, { times: 5 })
        assert.deepStrictEqual(yield* told(all, orphan), stopped(top))
        assert.deepInclude(yield* told(all, top), { settlement: "stopped" })
      }))
    })
  })
})
