/**
 * Case 7, as far as a file has it: COMMIT reports a failure, and nobody knows whether the transaction is on the disk.
 */
import * as Database from "@coppice/sqlite/Database"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { join } from "node:path"
import { Rescuer } from "../../src/Rescuer.ts"
import * as SqlTaskStore from "../../src/SqlTaskStore.ts"
import * as TaskEngine from "../../src/TaskEngine.ts"
import { TaskLog } from "../../src/TaskLog.ts"
import { Tasks } from "../../src/Tasks.ts"
import { TaskStore } from "../../src/TaskStore.ts"
import * as Engine from "../support/engine.ts"
import { folder } from "../support/places.ts"

/** How the next COMMIT fails: `after` it was done, or instead. */
interface Fault {
  reason: "Io" | "Busy" | "Other"
  side: "before" | "after"
}

class LostAnswer extends Error {
  readonly reason: { readonly _tag: string }
  constructor(reason: string) {
    super("the answer to COMMIT was lost")
    this.reason = { _tag: reason }
  }
}

/** The driver over a file; `fault` makes one transaction with tasks in it fail. */
const engine = (path: string, fault: { next: Fault | undefined }) => {
  const driver = Effect.map(Effect.orDie(Database.open({ path })), (database): SqlTaskStore.SqlDriver["Service"] => ({
    prepare: database.prepare,
    exec: database.exec,
    transaction: (body) => {
      const { next } = fault
      if (next === undefined) return database.transaction(body)
      fault.next = undefined
      if (next.side === "after") database.transaction(body)
      throw new LostAnswer(next.reason)
    }
  }))
  const store = Layer.provide(SqlTaskStore.layer, Layer.effect(SqlTaskStore.SqlDriver, driver))
  return Layer.provideMerge(TaskEngine.layer, store)
}

const request = { agent: "worker", input: { n: 1 }, idempotencyKey: "k" }

/** Submits while the answer is lost; then the same again in a process that comes after. */
const lives = Effect.fnUntraced(function*(lost: Fault) {
  const path = join(yield* folder, "coppice.db")
  const fault: { next: Fault | undefined } = { next: undefined }
  const first = Effect.gen(function*() {
    const [tasks, log] = [yield* Tasks, yield* TaskLog]
    yield* Engine.work("worker")
    const before = yield* tasks.submit({ agent: "worker", input: "before" })
    fault.next = lost
    const submitting = yield* Effect.forkChild(Effect.exit(tasks.submit(request)), { startImmediately: true })
    yield* Effect.repeat(Engine.turn, { times: 3 })
    yield* TestClock.adjust("10 seconds")
    return { before, submitted: yield* Fiber.join(submitting), stoppedBy: log.stoppedBy?.reason }
  })
  const next = Effect.gen(function*() {
    const [tasks, store] = [yield* Tasks, yield* TaskStore]
    const worker = yield* Engine.work("worker")
    const resumed = yield* Effect.flatMap(Rescuer, (rescuer) => rescuer.sweep)
    const found = (yield* store.counts).tasks
    const again = yield* tasks.submit(request)
    worker.complete(again.id)
    const { ending } = yield* tasks.result(again.id)
    const driver = Layer.effect(SqlTaskStore.SqlDriver, Database.open({ path }))
    const damage = yield* Effect.provide(SqlTaskStore.verify, driver, { local: true })
    return { resumed, found, ending: ending._tag, tasks: (yield* store.counts).tasks, damage }
  })
  const life = <A, E>(body: Effect.Effect<A, E, TaskEngine.TaskEngine | TaskStore | Scope.Scope>) =>
    Effect.scoped(Effect.provide(body, engine(path, fault), { local: true }))
  return { first: yield* life(first), next: yield* life(next) }
})

describe("a commit whose outcome is unknown (case 7)", () => {
  it.effect.each([{ reason: "Io", side: "after" }, { reason: "Other", side: "after" }] as const)(
    "is not acknowledged, stops the log, and is found once by who comes after: %o",
    (lost) =>
      Effect.gen(function*() {
        const { first, next } = yield* lives(lost)
        assert.isTrue(Exit.isFailure(first.submitted))
        assert.strictEqual(first.stoppedBy, lost.reason)
        // the task is there: it is brought back, and the same request finds it
        assert.deepStrictEqual(next, { resumed: 2, found: 2, ending: "Completed", tasks: 2, damage: [] })
      })
  )

  it.effect.each([{ reason: "Io", side: "before" }, { reason: "Other", side: "before" }] as const)(
    "that did not happen leaves nothing, and the same request makes the task: %o",
    (lost) =>
      Effect.gen(function*() {
        const { first, next } = yield* lives(lost)
        assert.isTrue(Exit.isFailure(first.submitted))
        assert.deepStrictEqual(next, { resumed: 1, found: 1, ending: "Completed", tasks: 2, damage: [] })
      })
  )

  it.effect("that may be tried again is not written twice: the second try is refused, and the log stops", () =>
    Effect.gen(function*() {
      const { first, next } = yield* lives({ reason: "Busy", side: "after" })
      assert.isTrue(Exit.isFailure(first.submitted))
      assert.strictEqual(first.stoppedBy, "Other")
      assert.deepStrictEqual(next, { resumed: 2, found: 2, ending: "Completed", tasks: 2, damage: [] })
    }))

  it.effect("that may be tried again and did not happen is written by the second try", () =>
    Effect.gen(function*() {
      const { first, next } = yield* lives({ reason: "Busy", side: "before" })
      assert.isTrue(Exit.isSuccess(first.submitted))
      assert.isUndefined(first.stoppedBy)
      assert.deepStrictEqual(next, { resumed: 2, found: 2, ending: "Completed", tasks: 2, damage: [] })
    }))
})
