import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryTaskStore from "../src/MemoryTaskStore.ts"
import { layerSingle, Ownership } from "../src/Ownership.ts"
import type { TaskId } from "../src/Task.ts"

describe("Ownership", () => {
  it.effect("owns every run, and fences who owned them before", () =>
    Effect.gen(function*() {
      const store = MemoryTaskStore.layerShared()
      const own = Effect.provide(Ownership, Layer.fresh(Layer.provide(layerSingle, store)))
      const [first, second] = [yield* own, yield* own]
      assert.isTrue(second.owns("any" as TaskId))
      assert.strictEqual(second.epoch, first.epoch + 1)
      assert.deepStrictEqual(second.head, { seq: 0, epoch: second.epoch })
    }))
})
