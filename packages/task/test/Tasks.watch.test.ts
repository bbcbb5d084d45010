import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { TaskId } from "../src/Task.ts"
import type { Watch } from "../src/Tasks.ts"
import * as Engine from "./support/engine.ts"
import { runs } from "./support/runs.ts"

type Setting = Engine.Services & { readonly worker: Engine.FakeWorker }

const engine = <A, E>(test: (services: Setting) => Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const worker = yield* Engine.work("worker")
    return yield* test({ ...yield* Engine.services, worker })
  }).pipe(Effect.scoped, Effect.provide(Engine.layer))

/** Two runs, the first with a child. */
const twoRuns = Effect.fnUntraced(function*({ log, tasks, worker }: Setting) {
  const [a, b] = [
    yield* tasks.submit({ agent: "worker", input: 1 }),
    yield* tasks.submit({ agent: "worker", input: 2 })
  ]
  const child = Engine.child(tasks, worker, log.resident(a.id)!, "c")
  yield* log.barrier
  return { a: a.id, b: b.id, child }
})

/** A fact about every task. */
const progress = ({ log, worker }: Setting, n: number) => {
  for (const entry of worker.held.values()) {
    log.dispatch(entry, { _tag: "Progress", attempt: 1, progress: { progress: n, total: null, message: null } })
  }
}

/** Follows until it has seen as many facts. */
const follow = ({ tasks }: Setting, query: Watch, count: number) =>
  tasks.watch(query).pipe(Stream.take(count), Stream.runCollect, Effect.forkChild({ startImmediately: true }))

const Bursts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))).check(
  Schema.isMaxLength(20)
)

describe("watch", () => {
  it.effect.prop(
    "has no gap and no repetition, while others write",
    [Bursts],
    ([bursts]) =>
      engine(Effect.fnUntraced(function*(all) {
        const { log, tasks } = all
        const { a, b, child } = yield* twoRuns(all)
        const total = bursts.reduce((sum, n) => sum + n, 0)
        const queries = [{ since: 0 }, { since: 2 }, { since: 0, run: a }, { since: 1, task: child }, {
          since: 0,
          run: b
        }]
        const counts = [3 + 3 * total, 1 + 3 * total, 2 + 2 * total, 1 + total, 1 + total]
        const fibers = yield* Effect.forEach(queries, (query, i) => follow(all, query, counts[i]!))
        for (const [i, burst] of bursts.entries()) {
          for (let n = 0; n < burst; n++) progress(all, n)
          yield* i % 3 === 0 ? log.barrier : Engine.turn
        }
        yield* log.barrier
        for (const [i, fiber] of fibers.entries()) {
          assert.deepStrictEqual(yield* Fiber.join(fiber), yield* tasks.events({ ...queries[i]!, limit: 1_000 }))
        }
      })),
    { arbitrary: { runs: runs(60) } }
  )

  it.effect("reads long histories page by page, at the pace of its reader", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, tasks } = all
      yield* twoRuns(all)
      for (let n = 0; n < 1_000; n++) progress(all, n)
      yield* log.barrier
      const first = yield* tasks.watch({ since: 0 }).pipe(Stream.take(10), Stream.runCollect)
      assert.lengthOf(first, 10)
      assert.strictEqual(faults.calls("events"), 1)
      const seqs = yield* tasks.watch({ since: 0 }).pipe(
        Stream.take(3_003),
        Stream.map(({ seq }) => seq),
        Stream.runCollect
      )
      assert.deepStrictEqual(seqs, Array.from({ length: 3_003 }, (_, i) => i + 1))
      assert.strictEqual(faults.calls("events"), 1 + 7)
    })))

  it.effect("does not read for facts that do not concern it", () =>
    engine(Effect.fnUntraced(function*(all) {
      const { faults, log, tasks, worker } = all
      const { a, b, child } = yield* twoRuns(all)
      const fiber = yield* follow(all, { task: b, since: 2 }, 1)
      yield* Engine.turn
      const before = faults.calls("events")
      for (const id of [child, a]) {
        worker.complete(id)
        yield* log.barrier
      }
      assert.strictEqual(faults.calls("events"), before)
      worker.complete(b)
      assert.lengthOf(yield* Fiber.join(fiber), 1)
      assert.strictEqual((yield* tasks.get(b)).status, "completed")
    })))

  it.effect("fails when the log stops, and when the service does", () =>
    Effect.gen(function*() {
      const watch = (query: Watch) => (setting: Setting) =>
        Effect.forkDetach(Stream.runDrain(setting.tasks.watch(query)), { startImmediately: true })
      const stopped = yield* engine(watch({ since: 0, task: "x" as TaskId }))
      assert.deepInclude(yield* Effect.flip(Fiber.join(stopped)), { reason: "Stopped" })
      const failed = yield* engine(Effect.fnUntraced(function*(all) {
        const fiber = yield* watch({ since: 0 })(all)
        all.faults.fail("commit", { reason: "Io" })
        yield* Effect.flip(all.tasks.submit({ agent: "worker", input: null }))
        return yield* Effect.flip(Fiber.join(fiber))
      }))
      assert.deepInclude(failed, { reason: "Io" })
    }))
})
