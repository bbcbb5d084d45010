import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Failpoint from "../src/Failpoint.ts"
import { TaskStore } from "../src/TaskStore.ts"
import * as Engine from "./support/engine.ts"

/** Arms failpoints for one test. */
const armed = (text: string) =>
  Effect.acquireRelease(Effect.sync(() => Failpoint.armFromText(text)), () => Effect.sync(Failpoint.disarmAll))

const submit = Effect.gen(function*() {
  const worker = yield* Engine.work("worker")
  const { faults, log, tasks } = yield* Engine.services
  const error = yield* Effect.flip(tasks.submit({ agent: "worker", input: null }))
  return { error, log, worker, stored: yield* (yield* TaskStore).counts, written: faults.written.length }
}).pipe(Effect.provide(Engine.layer))

describe("failpoints", () => {
  for (
    const [point, tasks] of [["commit.before", 0], ["before:Created", 0], ["commit.after", 1], [
      "after:Created",
      1
    ]] as const
  ) {
    it.effect(`${point} fails the commit, nothing is acknowledged and the log stops`, () =>
      Effect.gen(function*() {
        yield* armed(`${point}=throw`)
        const { error, log, stored } = yield* submit
        assert.deepInclude(error, { _tag: "StoreError", reason: "Other" })
        assert.include(error.message, `failpoint ${point}`)
        assert.strictEqual(stored.tasks, tasks)
        assert.isDefined(log.stoppedBy)
      }))
  }

  it.effect("happen at the hit they are armed for", () =>
    Effect.gen(function*() {
      yield* armed("before:Created=throw@3")
      const worker = yield* Engine.work("worker")
      const { tasks } = yield* Engine.services
      yield* tasks.submit({ agent: "worker", input: null })
      yield* tasks.submit({ agent: "worker", input: null })
      yield* Effect.flip(tasks.submit({ agent: "worker", input: null }))
      assert.isFalse(Failpoint.isArmed())
      assert.strictEqual(worker.held.size, 3)
    }).pipe(Effect.scoped, Effect.provide(Engine.layer)))

  it.effect("are read from text, and what does not parse is told", () =>
    Effect.gen(function*() {
      const text = "commit.before=kill@2, after:StepRecorded=throw ,,nonsense,x=explode,y=kill@z"
      assert.deepStrictEqual(yield* armed(text), ["nonsense", "x=explode", "y=kill@z"])
      assert.isTrue(Failpoint.isArmed())
      Failpoint.hit("commit.before")
      Failpoint.hit("no such point")
      assert.throws(() => Failpoint.hit("after:StepRecorded"), "failpoint after:StepRecorded")
    }))
})
