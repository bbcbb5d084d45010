import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { StoreError, type StoreErrorReason, TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { storeFailure, verdict } from "../src/Launcher.ts"
import * as Orchestrator from "../src/Orchestrator.ts"
import { merge } from "../src/Settings.ts"
import config from "./support/coppice.config.ts"
import { folder, Service } from "./support/Service.ts"

/** What the test's store says to a commit; `undefined` lets it through. */
class Disk extends Context.Service<Disk, { problem: StoreErrorReason | undefined }>()("test/Disk") {}

const disk = Layer.sync(Disk, () => ({ problem: undefined }))

const failing = Layer.effect(
  TaskStore,
  Effect.gen(function*() {
    const store = yield* TaskStore
    const disk = yield* Disk
    return {
      ...store,
      commit: (batch) =>
        disk.problem === undefined
          ? store.commit(batch)
          : Effect.fail(new StoreError({ reason: disk.problem, message: "the test's disk; mend it" }))
    }
  })
).pipe(Layer.provide(MemoryTaskStore.layerMemory))

const live = Layer.unwrap(Effect.map(folder, (data) =>
  Service.layer.pipe(
    Layer.provideMerge(Orchestrator.layerOver(failing, { orchestrator: config }, merge({ port: 0, data }))),
    Layer.provideMerge(disk)
  )))

const submitting = { method: "POST", body: `{"agent":"echo","input":{"text":"x"}}` }

const errorOf = (response: Response) =>
  Effect.map(Effect.promise(() => response.json() as Promise<any>), ({ error }) => [response.status, error.code])

describe("a store that cannot be written", () => {
  it.live("makes the service unready for as long as that lasts", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const { fetch } = yield* Service
      disk.problem = "DiskFull"
      const held = yield* Effect.forkChild(fetch("/api/v1/tasks", submitting), { startImmediately: true })
      let ready = yield* fetch("/readyz")
      while (ready.status === 200) ready = yield* fetch("/readyz")
      assert.deepStrictEqual(yield* errorOf(ready), [503, "store_unavailable"])
      assert.deepStrictEqual(yield* errorOf(yield* fetch("/api/v1/tasks", submitting)), [503, "store_unavailable"])
      assert.deepStrictEqual(yield* errorOf(yield* fetch("/api/v1/events")), [503, "store_unavailable"])
      assert.strictEqual((yield* fetch("/healthz")).status, 200)
      assert.strictEqual((yield* fetch("/api/v1/tasks")).status, 200)
      disk.problem = undefined
      assert.strictEqual((yield* Fiber.join(held)).status, 201)
      assert.strictEqual((yield* fetch("/readyz")).status, 200)
    }).pipe(Effect.provide(live)))

  it.live("ends the service when it failed for good, and nothing is acknowledged any more", () =>
    Effect.gen(function*() {
      const disk = yield* Disk
      const { fetch } = yield* Service
      disk.problem = "Io"
      assert.deepStrictEqual(yield* errorOf(yield* fetch("/api/v1/tasks", submitting)), [503, "store_stopped"])
      const ready = yield* fetch("/readyz")
      assert.strictEqual(ready.headers.get("retry-after"), "10")
      assert.deepStrictEqual(yield* errorOf(ready), [503, "store_stopped"])
      const exit = yield* Effect.exit(storeFailure)
      assert.deepStrictEqual(verdict(exit), {
        code: 4,
        line: "The store cannot be used: the test's disk; mend it"
      })
    }).pipe(Effect.provide(live)))
})
