import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { Settler } from "../src/Settler.ts"
import type { ParentExit, TaskId } from "../src/Task.ts"
import * as Engine from "./support/engine.ts"

type Setting = Engine.Services & { readonly worker: Engine.FakeWorker; readonly settler: Settler["Service"] }

const engine = <A, E>(test: (services: Setting) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker")
    return yield* test({ ...yield* Engine.services, worker, settler: yield* Settler })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

const child = ({ log, tasks, worker }: Setting, parent: TaskId, key: string, onParentExit: ParentExit = "stop") =>
  Result.getOrThrow(
    tasks.submitChild({ parent: log.resident(parent)!, key, input: null, worker, deadline: null, onParentExit })
  ).state.id

const root = ({ tasks }: Setting) => Effect.map(tasks.submit({ agent: "worker", input: null }), ({ id }) => id)

const statuses = ({ tasks }: Setting, id: TaskId) =>
  Effect.map(tasks.tree(id), (tree) => tree.map(({ settlement, status }) => `${status} ${settlement}`))

describe("Settler", () => {
  it.effect("calls back at once without children, or when the last of them has settled", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, settler, worker } = all
      const id = yield* root(all)
      const heard: Array<string> = []
      settler.whenChildrenSettled(id, () => heard.push("none"))
      assert.deepStrictEqual(heard, ["none"])
      const [a, b] = [child(all, id, "a"), child(all, id, "b")]
      settler.whenChildrenSettled(id, () => heard.push("both"))
      worker.complete(a)
      yield* log.barrier
      assert.lengthOf(heard, 1)
      worker.complete(b)
      yield* log.barrier
      assert.deepStrictEqual(heard, ["none", "both"])
    })))

  it.effect("fetches children that are out of memory and ends each by its own rule, before their parent ends", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, settler, tasks, worker } = all
      const id = yield* root(all)
      const [stops, goes] = [child(all, id, "a"), child(all, id, "b", "continue")]
      const below = child(all, stops, "c")
      for (const task of [below, stops, goes]) worker.park(task)
      yield* log.barrier
      assert.isFalse(log.knowsChildren(log.resident(id)!))
      settler.whenChildrenSettled(id, () => worker.complete(id))
      yield* log.barrier
      yield* log.barrier
      assert.deepStrictEqual(yield* statuses(all, id), [
        "completed finished_before",
        "cancelled stopped",
        "working null",
        "cancelled stopped"
      ])
      const facts = yield* tasks.events({ since: 0, limit: 100 })
      assert.deepStrictEqual(
        facts.slice(4).map(({ event, task }) => `${event._tag} ${[id, stops, goes, below].indexOf(task)}`),
        [
          "Cancelled 1",
          "Cancelled 3",
          "Settled 3",
          "Settled 1",
          "Released 2",
          "Completed 0"
        ]
      )
      assert.strictEqual(log.residentCount, 0)
    })))

  it.effect("reads the children again when the store fails", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, settler, worker } = all
      const id = yield* root(all)
      worker.park(child(all, id, "a"))
      yield* log.barrier
      faults.fail("subtree", { reason: "Busy", times: 2 })
      settler.whenChildrenSettled(id, () => worker.complete(id))
      yield* TestClock.adjust("3 seconds")
      yield* log.barrier
      assert.deepStrictEqual(yield* statuses(all, id), ["completed finished_before", "cancelled stopped"])
    })))

  it.effect("costs as much for each child, however many there are", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, settler, worker } = all
      const id = yield* root(all)
      const children = Array.from({ length: 50_000 }, (_, i) => child(all, id, `${i}`))
      let heard = 0
      settler.whenChildrenSettled(id, () => heard++)
      for (const one of children) worker.complete(one)
      yield* log.barrier
      assert.strictEqual(heard, 1)
      assert.strictEqual(log.residentCount, 1)
    })), 5_000)
})
