/**
 * A call that was given up before anybody knew whether it had arrived: it never runs, whichever comes first.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Submit } from "../src/Tasks.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

const call: Submit = { agent: "worker", input: "do it", idempotencyKey: "k" }
const givenUp: Submit = { ...call, givenUpBy: "ann" }

const engine = <A, E>(
  test: (services: Engine.Services & { readonly worker: Engine.FakeWorker }) => Effect.Effect<A, E, TaskStore>,
  options: Parameters<typeof Engine.work>[1] = {}
) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker", options)
    return yield* test({ ...yield* Engine.services, worker })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

describe("a call that is given up", () => {
  it.effect("and arrives later is answered with a task that was cancelled from its first moment", () =>
    engine(Effect.fnUntraced(function*({ tasks, worker }) {
      const store = yield* TaskStore
      const first = yield* tasks.submit(givenUp)
      assert.deepStrictEqual([first.status, first.settlement, first.attempt], ["cancelled", "stopped", 0])
      const late = yield* tasks.submit(call)
      assert.deepStrictEqual([late.id, late.status], [first.id, "cancelled"])
      assert.isFalse(worker.held.has(first.id))
      // in one commit: no crash finds it alive
      const events = yield* tasks.events({ task: first.id, since: 0, limit: 10 })
      assert.deepStrictEqual(events.map(({ event }) => event._tag), ["Created", "Cancelled", "Settled"])
      assert.deepStrictEqual((yield* store.load(first.id))?.state, late)
      assert.isTrue((yield* tasks.cancelReport(first.id)).converged)
    })))

  it.effect("and had arrived is its task, as it is", () =>
    engine(Effect.fnUntraced(function*({ tasks, worker }) {
      const task = yield* tasks.submit(call)
      assert.deepStrictEqual(yield* tasks.submit(givenUp), task)
      assert.isTrue(worker.held.has(task.id))
    })))

  it.effect("needs no place", () =>
    engine(
      Effect.fnUntraced(function*({ tasks }) {
        yield* tasks.submit({ agent: "worker", input: 1 })
        yield* tasks.submit({ agent: "worker", input: 2 })
        const refused = yield* Effect.flip(tasks.submit({ ...call, idempotencyKey: "other" }))
        assert.strictEqual(refused._tag, "QueueFull")
        assert.strictEqual((yield* tasks.submit(givenUp)).status, "cancelled")
      }),
      { concurrency: 1, queue: 1 }
    ))
})
