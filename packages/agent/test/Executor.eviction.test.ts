import type { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import * as Executor from "../src/Executor.ts"
import * as Human from "../src/Human.ts"
import * as Step from "../src/Step.ts"
import { dice } from "./support/Seed.ts"
import { root, type Work } from "./support/Twice.ts"
import { VirtualClock } from "./support/VirtualClock.ts"
import { inWorld, type Options, pause, result, submit } from "./support/World.ts"

const Form = Schema.Struct({ n: Schema.Finite })
const ask = (message: string) => Effect.map(Effect.orDie(Human.ask({ message, form: Form })), ({ n }) => n)
const Child = Agent.make("child", { description: "", input: Schema.Json, output: Schema.Json })

const answer = Effect.fnUntraced(function*(message: string, n: number) {
  const tasks = yield* Tasks
  const inbox = yield* tasks.inbox({})
  const open = inbox.find(({ request }) => request.message === message)!
  const response = { action: "accept", content: { n }, by: "ada" } as const
  yield* tasks.respond({ id: open.task, key: open.request.key, response })
})

const memory = Effect.gen(function*() {
  const log = yield* TaskLog
  const executor = yield* Executor.Executor
  return { tasks: log.residentCount, executions: executor.residentCount() }
})
const empty = { tasks: 0, executions: 0 }
const evict = Effect.flatMap(Executor.Executor, ({ evictIdle }) => evictIdle)
const parked = (id: TaskId) => Effect.flatMap(TaskStore, (store) => Effect.map(store.load(id), (row) => row!.parked))

/** Starts the work as a root, lets it come to where it waits, and puts it out. */
const asleep = <A, E>(work: Work, then: (id: TaskId) => Effect.Effect<A, E, any>, options: Partial<Options> = {}) =>
  inWorld(
    { ...options, agents: [root(work), ...options.agents ?? []] },
    Effect.gen(function*() {
      const id = yield* submit("root", null)
      yield* pause
      yield* evict
      yield* pause
      assert.deepStrictEqual(yield* memory, empty)
      assert.isTrue(yield* parked(id))
      return yield* then(id)
    })
  )

describe("a run that waits", () => {
  it.effect("leaves memory after idleAfter, and not before", () =>
    inWorld(
      { agents: [root(ask("?"))], executor: { idleAfter: "1 minute" } },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* Effect.sleep("59 seconds")
        assert.deepStrictEqual(yield* memory, { tasks: 1, executions: 1 })
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(yield* memory, empty)
        assert.isTrue(yield* parked(id))
      })
    ))

  it.effect("leaves memory as a whole, or not at all", () => {
    const busy = Child.toLayer((ms) => Step.run("work", Effect.as(Effect.sleep(Number(ms)), ms)))
    const work = Effect.all([Child.call(30_000), ask("?")], { concurrency: 2 })
    return inWorld(
      { agents: [root(work), busy] },
      Effect.gen(function*() {
        yield* submit("root", null)
        yield* Effect.sleep("20 seconds")
        assert.deepInclude(yield* memory, { executions: 2 })
        yield* Effect.sleep("21 seconds")
        assert.deepStrictEqual(yield* memory, empty)
      })
    )
  })

  it.effect("comes back for an answer", () =>
    asleep(ask("?"), (id) =>
      Effect.gen(function*() {
        yield* answer("?", 7)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 7 })
      })))

  it.effect("comes back for a timer", () =>
    asleep(Effect.as(Effect.sleep("1 hour"), "woken"), (id) =>
      Effect.gen(function*() {
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: "woken" })
        assert.strictEqual(task.endedAt! - task.createdAt, 3_600_000)
      }), { patience: 10_000_000 }))

  it.effect("comes back for a child, which came back for an answer", () =>
    asleep(Child.call(1), (id) =>
      Effect.gen(function*() {
        yield* answer("child?", 7)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 7 })
      }), { agents: [Child.toLayer(() => ask("child?"))] }))

  it.effect("comes back alone: of its run only what was woken is in memory", () => {
    const work = Effect.all([Child.call("a"), Child.call("b")], { concurrency: 2 })
    return asleep(work, () =>
      Effect.gen(function*() {
        yield* answer("a?", 1)
        yield* pause
        const { executions } = yield* memory
        assert.isAtMost(executions, 2)
        yield* evict
        yield* pause
        assert.deepStrictEqual(yield* memory, empty)
      }), { agents: [Child.toLayer((name) => ask(`${String(name)}?`))] })
  })

  it.effect("leaves again, and again, and goes on where it was", () => {
    const seen: Array<number> = []
    const work = Effect.forEach(
      [1, 2, 3, 4],
      (n) => Effect.tap(ask(`${n}?`), (got) => Step.run("note", n, Effect.sync(() => seen.push(got))))
    )
    return asleep(work, (id) =>
      Effect.gen(function*() {
        for (const n of [1, 2, 3, 4]) {
          yield* answer(`${n}?`, n * 10)
          yield* pause
          yield* evict
          yield* pause
          assert.deepStrictEqual(yield* memory, empty)
        }
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: [10, 20, 30, 40] })
        assert.deepStrictEqual(seen, [10, 20, 30, 40])
      }))
  })

  it.effect("runs its finalizers when it leaves, and cancels nothing", () => {
    const notes: Array<string> = []
    const work = Effect.ensuring(Child.call(1), Effect.sync(() => notes.push("finalizer")))
    return asleep(work, (id) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(notes, ["finalizer"])
        yield* answer("?", 1)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 1 })
        assert.deepStrictEqual(notes, ["finalizer", "finalizer"])
      }), { agents: [Child.toLayer(() => ask("?"))] })
  })

  it.effect("in a region that cannot be interrupted leaves all the same", () =>
    asleep(Effect.uninterruptible(ask("?")), (id) =>
      Effect.gen(function*() {
        yield* answer("?", 7)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 7 })
      })))
})

describe("too many waiting runs", () => {
  it.effect("leave early, those first that have waited longest", () =>
    inWorld(
      { agents: [root(ask("?"))], executor: { maxIdle: 3 } },
      Effect.gen(function*() {
        const ids = yield* Effect.forEach([1, 2, 3, 4, 5], () => Effect.andThen(Effect.sleep(10), submit("root", null)))
        yield* Effect.sleep(10)
        assert.deepInclude(yield* memory, { executions: 3 })
        assert.deepStrictEqual(yield* Effect.forEach(ids, parked), [true, true, false, false, false])
      })
    ))
})

describe("an answer that meets an eviction", () => {
  it.effect("is never lost, whoever comes first", () => {
    const race = Effect.fnUntraced(function*(seed: number) {
      const { below } = dice(`eviction/${seed}`)
      const work = Effect.all([ask("a?"), ask("b?"), Effect.as(Effect.sleep(1 + below(3)), 0)], { concurrency: 3 })
      const later = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.andThen(Effect.sleep(below(4)), effect)
      const slowly = Effect.forever(Effect.andThen(Effect.sleep(1), evict))
      const options = { agents: [root(work)], clock: new VirtualClock(0, below), store: undefined }
      const { ending, task } = yield* inWorld(
        options,
        Effect.gen(function*() {
          const id = yield* submit("root", null)
          yield* Effect.sleep(1)
          const all = Effect.all([
            later(answer("a?", 1)),
            later(answer("b?", 2)),
            later(evict),
            later(evict),
            result(id)
          ], {
            concurrency: "unbounded"
          })
          const [, , , , end] = yield* Effect.raceFirst(all, slowly)
          return end
        })
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: [1, 2, 0] }, `seed ${seed}`)
      assert.isAtMost(task.endedAt! - task.createdAt, 8, `seed ${seed}`)
    })
    return Effect.forEach(Array.from({ length: 200 }, (_, seed) => seed), race, { discard: true })
  })

  it.effect("while the handler takes its time to leave wakes it at once", () => {
    const leaving = Effect.onInterrupt(
      ask("?"),
      () => Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    )
    const slow = Effect.ensuring(leaving, Effect.sleep(20))
    return inWorld(
      { agents: [root(slow)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* evict
        yield* Effect.sleep(5)
        yield* answer("?", 7)
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: 7 })
        assert.isBelow(task.endedAt! - task.createdAt, 60)
      })
    )
  })
})
