import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Durable from "../../src/Durable.ts"
import * as Executor from "../../src/Executor.ts"
import * as Step from "../../src/Step.ts"
import type { TaskContext } from "../../src/TaskContext.ts"
import { root } from "../support/Twice.ts"
import { inWorld, result, submit } from "../support/World.ts"

const spin = (millis: number) =>
  Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  })

const blockOf = (code: Effect.Effect<void, never, TaskContext>) =>
  inWorld(
    { agents: [root(code)] },
    Effect.gen(function*() {
      const { blocked } = yield* Executor.Executor
      const id = yield* submit("root", null)
      yield* result(id)
      return blocked(id)
    })
  )

describe("code that keeps the event loop busy", () => {
  it.effect("is known by its task, and for how long", () =>
    Effect.gen(function*() {
      assert.isAtLeast((yield* blockOf(spin(300)))!.millis, 300)
      assert.isUndefined(yield* blockOf(spin(0)))
    }))

  it.effect("is known when it is the body of a step", () =>
    Effect.gen(function*() {
      // what came before is not durable yet, so the body begins after a commit and not in a turn
      const inStep = Effect.andThen(Durable.progress({ progress: 1 }), Step.run("spin", Effect.as(spin(300), null)))
      assert.isAtLeast((yield* blockOf(Effect.asVoid(inStep)))!.millis, 300)
    }))
})
