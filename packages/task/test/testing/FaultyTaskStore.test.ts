import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as MemoryTaskStore from "../../src/MemoryTaskStore.ts"
import { TaskStore } from "../../src/TaskStore.ts"
import * as FaultyTaskStore from "../../src/testing/FaultyTaskStore.ts"
import { Ledger } from "../../src/testing/Ledger.ts"
import * as TaskStoreContract from "../../src/testing/TaskStoreContract.ts"

const faulty = (store: Layer.Layer<TaskStore>) => Layer.provide(FaultyTaskStore.layer, store)

const test = <A, E>(
  body: (store: TaskStore["Service"], faults: FaultyTaskStore.FaultyTaskStore["Service"]) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    return yield* body(yield* TaskStore, yield* FaultyTaskStore.FaultyTaskStore)
  }).pipe(Effect.provide(faulty(MemoryTaskStore.layerMemory)))

describe("FaultyTaskStore", () => {
  it.effect("fails before the work or after it, as often as it was told", () =>
    test(Effect.fnUntraced(function*(store, faults) {
      const ledger = new Ledger(yield* store.open)
      ledger.create()
      const batch = ledger.take()
      faults.fail("commit", { reason: "DiskFull", times: 2 })
      for (let i = 0; i < 2; i++) assert.strictEqual((yield* Effect.flip(store.commit(batch))).reason, "DiskFull")
      assert.strictEqual((yield* store.counts).tasks, 0)
      faults.fail("commit", { reason: "Io", side: "after" })
      assert.strictEqual((yield* Effect.flip(store.commit(batch))).reason, "Io")
      assert.strictEqual((yield* store.counts).tasks, 1)
      assert.lengthOf(faults.written, 1)
      assert.strictEqual(faults.calls("commit"), 3)
    })))

  it.effect("makes one call wait between its work and its answer", () =>
    test(Effect.fnUntraced(function*(store, faults) {
      const pause = faults.pause("counts")
      const fiber = yield* Effect.forkChild(store.counts, { startImmediately: true })
      yield* pause.reached
      assert.isUndefined(fiber.pollUnsafe())
      yield* store.counts
      yield* pause.resume
      assert.strictEqual((yield* Fiber.join(fiber)).tasks, 0)
    })))

  // without faults it is the store below
  const place = Effect.sync(() => faulty(MemoryTaskStore.layerShared()))
  for (const { name, test } of TaskStoreContract.cases(place)) it.effect(name, () => test)
})
