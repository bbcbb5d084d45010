import { layerMemory } from "@coppice/task/MemoryTaskStore"
import type { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { TaskStore } from "@coppice/task/TaskStore"
import { Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Agent from "../src/Agent.ts"
import { AgentSupervisor } from "../src/AgentSupervisor.ts"
import * as Executor from "../src/Executor.ts"
import * as Step from "../src/Step.ts"
import type { TaskContext } from "../src/TaskContext.ts"
import { root } from "./support/Twice.ts"
import { inWorld, pause, result, submit, tagsOf } from "./support/World.ts"

type AgentLayer = Layer.Layer<never, never, AgentSupervisor>

const Served = Agent.make("served", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 2 })
const served = (work: (input: Schema.Json) => Effect.Effect<any, any, TaskContext>) => Served.toLayer(work)

/** Serves the agent outside the supervision tree; succeeds with how to put it down, which tells how long it took. */
const serve = Effect.fnUntraced(function*(agent: AgentLayer) {
  const executor = yield* Executor.Executor
  const scope = yield* Scope.make()
  const supervisor = Layer.succeed(
    AgentSupervisor,
    {
      add: (definition) => Effect.asVoid(Scope.provide(executor.serve(definition), scope))
    } as Partial<typeof AgentSupervisor.Service> as typeof AgentSupervisor.Service
  )
  yield* Layer.build(Layer.provide(agent, supervisor))
  const putDown = Effect.gen(function*() {
    const log = yield* TaskLog
    const before = log.now()
    yield* Scope.close(scope, Exit.void)
    return log.now() - before
  })
  return { putDown }
})

/** Brings back what no server holds, as the slow sweep does. */
const swept = Effect.sleep("31 seconds")
const world = <A, E>(body: Effect.Effect<A, E, any>, agents: ReadonlyArray<AgentLayer> = []) =>
  inWorld({ agents }, Effect.scoped(body))

describe("a server that is put down", () => {
  it.effect("stops its bodies, waits for their finalizers, records nothing; its successor runs them again", () => {
    const notes: Array<string> = []
    const body = Effect.gen(function*() {
      notes.push(yield* Step.idempotencyKey)
      yield* Effect.onInterrupt(
        Effect.sleep(1_000),
        () => Effect.andThen(Effect.sleep(50), Effect.sync(() => notes.push("stopped")))
      )
    })
    return world(Effect.gen(function*() {
      const { putDown } = yield* serve(served(() => Effect.as(Step.run("work", body), 1)))
      const id = yield* submit("served", 1)
      yield* Effect.sleep(100)
      assert.strictEqual(yield* putDown, 50)
      const key = `${id}/step:work`
      assert.deepStrictEqual(notes, [key, "stopped"])
      assert.deepStrictEqual(yield* tagsOf(id), ["Created"])
      yield* Effect.asVoid(serve(served(() => Effect.as(Step.run("work", body), 2))))
      yield* swept
      assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 2 })
      assert.deepStrictEqual(notes, [key, "stopped", key])
    }))
  })

  it.effect("gives up on a handler that does not stop, which can do nothing any more", () => {
    const ran: Array<number> = []
    const stuck = (n: number) =>
      Effect.uninterruptible(Effect.andThen(
        Step.run("stuck", Effect.uninterruptible(Effect.sleep("20 seconds"))),
        Step.run("after", Effect.sync(() => ran.push(n)))
      ))
    return world(Effect.gen(function*() {
      const { putDown } = yield* serve(served(() => stuck(1)))
      const id = yield* submit("served", 1)
      yield* pause
      assert.isAtMost(yield* putDown, 5_000)
      yield* Effect.asVoid(serve(served(() => stuck(2))))
      yield* Effect.sleep("2 minutes")
      assert.strictEqual((yield* result(id)).task.attempt, 2)
      assert.deepStrictEqual(ran, [2])
      assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Started", "StepRecorded", "StepRecorded", "Completed"])
    }))
  })

  it.effect("does not wait for children of a task that has returned; its successor sees to them", () => {
    const Child = Agent.make("child", { description: "", input: Schema.Json, output: Schema.Json })
    const slow = Child.toLayer(() => Effect.onInterrupt(Effect.never, () => Effect.sleep("2 seconds")))
    const work = () => Effect.andThen(Effect.forkDetach(Child.call(1)), Effect.as(Effect.sleep(10), "done"))
    return world(
      Effect.gen(function*() {
        const { putDown } = yield* serve(served(work))
        const id = yield* submit("served", 1)
        yield* Effect.sleep(100)
        assert.isAtMost(yield* putDown, 5_000)
        yield* Effect.asVoid(serve(served(work)))
        yield* swept
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: "done" })
      }),
      [slow]
    )
  })

  it.effect("leaves calls to it waiting, and tasks between two attempts to its successor", () =>
    world(
      Effect.gen(function*() {
        const { putDown } = yield* serve(served((n) => n === "dies" ? Effect.die("boom") : Effect.succeed(1)))
        const dying = yield* submit("served", "dies")
        yield* Effect.sleep(110)
        yield* putDown
        const caller = yield* submit("root", null)
        yield* Effect.sleep("1 minute")
        assert.strictEqual((yield* (yield* Tasks).get(caller)).status, "working")
        yield* Effect.asVoid(serve(served((n) => Effect.succeed(["new", n]))))
        yield* swept
        const ends = yield* Effect.forEach([caller, dying], (id: TaskId) => result(id))
        assert.deepStrictEqual(ends.map(({ ending }) => ending._tag === "Completed" && ending.result), [["new", 7], [
          "new",
          "dies"
        ]])
      }),
      [root(Served.call(7))]
    ))

  it.effect("hands a task it gets after its end to its successor", () =>
    world(Effect.gen(function*() {
      const executor = yield* Executor.Executor
      const log = yield* TaskLog
      const waits = () => Effect.as(Effect.sleep("1 hour"), 1)
      const { putDown } = yield* serve(served(waits))
      const old = (yield* Workers).find("served")!
      yield* putDown
      yield* Effect.asVoid(serve(served(waits)))
      const id = yield* submit("served", 1)
      yield* pause
      yield* executor.evictIdle
      yield* pause
      assert.strictEqual(executor.residentCount(), 0)
      old.start((yield* log.acquire(id))!, 1)
      yield* pause
      assert.strictEqual(executor.residentCount(), 1)
    })))

  it.effect("refuses nothing it was handed: a task begun in its last moment is brought back", () =>
    world(Effect.gen(function*() {
      const { putDown } = yield* serve(served(() => Effect.sleep("1 second").pipe(Effect.as(1))))
      const [id] = yield* Effect.all([submit("served", 1), putDown], { concurrency: "unbounded" })
      yield* Effect.asVoid(serve(served(() => Effect.succeed(2))))
      yield* swept
      assert.strictEqual((yield* result(id)).ending._tag, "Completed")
    })))
})

describe("a task", () => {
  it.effect("whose process was put down has lost no attempt", () => {
    let dies = 0
    const Twice = Agent.make("served", { description: "", input: Schema.Json, output: Schema.Json, attempts: 2 })
    const work = Effect.andThen(
      Step.run("slow", Effect.sleep("1 second")),
      Effect.suspend(() => ++dies === 1 ? Effect.die("boom") : Effect.succeed("done"))
    )
    return world(Effect.gen(function*() {
      const first = yield* serve(Twice.toLayer(() => work))
      const id = yield* submit("served", 1)
      yield* pause
      yield* first.putDown
      const second = yield* serve(Twice.toLayer(() => work))
      yield* swept
      yield* second.putDown
      yield* serve(Twice.toLayer(() => work))
      yield* swept
      const { ending, task } = yield* result(id)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "done" })
      assert.isAbove(task.attempt, 2)
    }))
  })

  it.effect("that is read from the log when its server is put down goes to the next one", () => {
    const ran: Array<string> = []
    const work = (name: string) => () => Effect.andThen(Effect.sleep("1 minute"), Effect.sync(() => ran.push(name)))
    const slow = Layer.effect(
      TaskStore,
      Effect.map(TaskStore, (store) => ({ ...store, journal: (id: TaskId) => Effect.delay(store.journal(id), 50) }))
    )
    const body = Effect.gen(function*() {
      const { putDown } = yield* serve(served(work("first")))
      const id = yield* submit("served", 1)
      yield* Effect.sleep("20 seconds")
      yield* Effect.sleep(40_000 + 20)
      yield* putDown
      yield* serve(served(work("second")))
      yield* swept
      assert.strictEqual((yield* result(id)).ending._tag, "Completed")
      assert.deepStrictEqual(ran, ["second"])
    })
    return inWorld({ agents: [], store: Layer.provide(slow, layerMemory) }, Effect.scoped(body))
  })
})

describe("20,000 tasks that wait for two places", () => {
  it.effect("are served one after the other, at a cost that does not grow with the line", () => {
    const Many = Agent.make("many", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 2 })
    const many = Many.toLayer((n) => Step.run("work", Effect.succeed(n)))
    const work = Effect.forEach(Array.from({ length: 19_999 }, (_, n) => n), (n) => Many.call(n), {
      concurrency: "unbounded",
      discard: true
    })
    return inWorld(
      { agents: [many, root(work)] },
      Effect.gen(function*() {
        const began = performance.now()
        assert.strictEqual((yield* Effect.flatMap(submit("root", null), result)).ending._tag, "Completed")
        assert.isBelow(performance.now() - began, 15_000)
        yield* pause
        assert.deepStrictEqual([(yield* TaskLog).residentCount, (yield* Executor.Executor).residentCount()], [0, 0])
      })
    )
  }, 60_000)
})
