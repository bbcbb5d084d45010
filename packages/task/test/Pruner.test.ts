import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Pruner } from "../src/Pruner.ts"
import type { Submit } from "../src/Tasks.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

type Setting = Engine.Services & {
  readonly worker: Engine.FakeWorker
  readonly prune: Pruner["Service"]["prune"]
  readonly store: TaskStore["Service"]
}

const engine = <A, E>(test: (services: Setting) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker", { concurrency: 10_000 })
    return yield* test({ ...yield* Engine.services, worker, prune: (yield* Pruner).prune, store: yield* TaskStore })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

const finished = ({ tasks, worker }: Setting, more: Partial<Submit> = {}) =>
  Effect.map(tasks.submit({ agent: "worker", input: null, ...more }), ({ id }) => {
    worker.complete(id)
    return id
  })

const count = ({ store }: Setting) => Effect.map(store.counts, ({ tasks }) => tasks)

describe("Pruner", () => {
  it.effect("forgets a run when its retention, or the shorter time it asked for, is over", () =>
    engine(Effect.fnUntraced(function*(all) {
      yield* finished(all, { retention: 1_000 })
      yield* finished(all, { retention: 5_000, ttl: 500 })
      yield* finished(all, { retention: 5_000, ttl: 50_000 })
      yield* finished(all)
      yield* all.log.barrier
      assert.strictEqual(yield* all.prune, 0)
      yield* TestClock.adjust(500)
      assert.strictEqual(yield* all.prune, 1)
      yield* TestClock.adjust(500)
      assert.strictEqual(yield* all.prune, 1)
      yield* TestClock.adjust(4_000)
      assert.strictEqual(yield* all.prune, 1)
      assert.strictEqual(yield* count(all), 1)
    })))

  it.effect("never forgets live work", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { id } = yield* all.tasks.submit({ agent: "worker", input: null, ttl: 1, retention: 1 })
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* all.prune, 0)
      assert.strictEqual((yield* all.tasks.get(id)).status, "working")
    })))

  it.effect("forgets many at once, also behind runs that cannot go yet", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { log, tasks, worker } = all
      for (let i = 0; i < 150; i++) {
        const { id } = yield* tasks.submit({ agent: "worker", input: null, retention: 0 })
        const child = Engine.child(tasks, worker, log.resident(id)!, "c")
        log.dispatch(worker.held.get(child)!, { _tag: "Release", rule: "continue" })
        worker.complete(id)
      }
      yield* TestClock.adjust(10)
      yield* Effect.forEach(Array.from({ length: 250 }), () => finished(all, { retention: 0 }), {
        concurrency: "unbounded"
      })
      yield* log.barrier
      assert.strictEqual(yield* all.prune, 250)
      assert.strictEqual(yield* count(all), 300)
      assert.strictEqual(yield* all.prune, 0)
    })))

  it.effect("looks every minute", () =>
    engine(Effect.fnUntraced(function*(all) {
      yield* finished(all, { retention: 10 })
      yield* all.log.barrier
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* count(all), 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* count(all), 0)
    })))
})
