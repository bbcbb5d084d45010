import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import * as Executor from "../src/Executor.ts"
import * as Step from "../src/Step.ts"
import { root } from "./support/Twice.ts"
import { inWorld, pause, result, run, submit } from "./support/World.ts"

const busy = (options: Partial<Agent.AgentOptions<any, any, any>> = {}) =>
  Agent.make("busy", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 1, ...options })

/** A server whose tasks run a body of so many milliseconds, and what began when. */
const bench = (options: Partial<Agent.AgentOptions<any, any, any>> = {}, ms = 10) => {
  const Busy = busy(options)
  const began: Array<Schema.Json> = []
  const note = (input: Schema.Json) => Effect.sync(() => began.push(input))
  const live = Busy.toLayer((input) =>
    Effect.andThen(note(input), Step.run("work", Effect.as(Effect.sleep(ms), input)))
  )
  return { Busy, began, live }
}

const statsOf = (agent: string) =>
  Effect.map(Executor.Executor, (executor) => executor.stats().find((stat) => stat.agent === agent)!)

describe("places", () => {
  it.effect("are as many as the concurrency says, and go to tasks in the order of their coming", () => {
    const { began, live } = bench({ concurrency: 2 })
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const ids = yield* Effect.forEach([1, 2, 3, 4, 5], (n) => submit("busy", n))
        yield* pause
        assert.deepInclude(yield* statsOf("busy"), { active: 2, waiting: 3, resident: 5 })
        assert.deepStrictEqual(began, [1, 2])
        yield* Effect.forEach(ids, result)
        assert.deepStrictEqual(began, [1, 2, 3, 4, 5])
        assert.deepInclude(yield* statsOf("busy"), { active: 0, waiting: 0, resident: 0 })
      })
    )
  })

  it.effect("are given back while a task waits for the log", () => {
    const Waiting = busy()
    const live = Waiting.toLayer((n) => Effect.as(Effect.sleep(100), n))
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const ids = yield* Effect.forEach([1, 2, 3, 4, 5], (n) => submit("busy", n))
        yield* pause
        assert.deepInclude(yield* statsOf("busy"), { active: 0, waiting: 0, resident: 5 })
        const ends = yield* Effect.forEach(ids, result)
        assert.isTrue(ends.every(({ task }) => task.endedAt! - task.createdAt <= 101))
      })
    )
  })

  it.effect("go to tasks that come back from waiting before tasks that have not begun", () => {
    const order: Array<string> = []
    const note = (text: string) => Effect.sync(() => order.push(text))
    const live = busy().toLayer((n) =>
      Effect.gen(function*() {
        yield* note(`${n} begins`)
        yield* Step.run("work", Effect.sleep(10))
        yield* Effect.sleep(15)
        yield* note(`${n} returns`)
        yield* Step.run("more work", Effect.sleep(10))
      }).pipe(Effect.as(n))
    )
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const ids = yield* Effect.forEach([1, 2, 3, 4], (n) => submit("busy", n))
        yield* Effect.forEach(ids, result)
        assert.deepStrictEqual(order, [
          "1 begins",
          "2 begins",
          "3 begins",
          "1 returns",
          "2 returns",
          "3 returns",
          "4 begins",
          "4 returns"
        ])
      })
    )
  })

  it.effect("of tasks that are cancelled while they wait for one go to the next", () => {
    const { began, live } = bench()
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const ids = yield* Effect.forEach([1, 2, 3], (n) => submit("busy", n))
        yield* tasks.cancel({ id: ids[1]!, by: "ada" })
        yield* pause
        assert.isTrue((yield* tasks.cancelReport(ids[1]!)).converged)
        yield* Effect.forEach(ids, result)
        assert.deepStrictEqual(began, [1, 3])
      })
    )
  })
})

describe("a full queue", () => {
  it.effect("refuses tasks from outside, and takes them again when there is room", () => {
    const { live } = bench({ queue: 2 })
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        yield* Effect.forEach([1, 2, 3], (n) => submit("busy", n))
        const refused = yield* Effect.flip(submit("busy", 4))
        assert.deepInclude(refused, { _tag: "QueueFull", agent: "busy", limit: 2 })
        yield* Effect.sleep(11)
        yield* result(yield* submit("busy", 5))
        assert.strictEqual((yield* Effect.exit(submit("busy", 6)))._tag, "Success")
      })
    )
  })

  it.effect("holds parents back, who wait without a place and without losing their turn", () => {
    const { Busy, began, live } = bench({ queue: 2 }, 1)
    const work = Effect.forEach(Array.from({ length: 100 }, (_, n) => n), (n) => Busy.call(n), {
      concurrency: "unbounded"
    })
    return inWorld(
      { agents: [live, root(work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        assert.deepInclude(yield* statsOf("busy"), { active: 1, waiting: 2, resident: 3 })
        assert.deepInclude((yield* result(id)).ending, { _tag: "Completed" })
        assert.deepStrictEqual(began, Array.from({ length: 100 }, (_, n) => n))
      })
    )
  })

  it.effect("lets a held back parent in when a waiting task is cancelled", () => {
    const { Busy, began, live } = bench({ queue: 1 }, 1_000)
    return inWorld(
      { agents: [live, root(Busy.call("child"))] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const ids = yield* Effect.forEach([1, 2], (n) => submit("busy", n))
        const parent = yield* submit("root", null)
        yield* pause
        assert.strictEqual((yield* tasks.tree(parent)).length, 1)
        yield* tasks.cancel({ id: ids[1]!, by: "ada" })
        yield* pause
        assert.strictEqual((yield* tasks.tree(parent)).length, 2)
        yield* tasks.cancel({ id: ids[0]!, by: "ada" })
        assert.deepInclude((yield* result(parent)).ending, { _tag: "Completed", result: "child" })
        assert.deepStrictEqual(began, [1, "child"])
      })
    )
  })

  it.effect("does not put a parent to sleep that waits for room", () => {
    const { Busy, live } = bench({ queue: 1 }, 60_000)
    return inWorld(
      { agents: [live, root(Busy.call("child"))] },
      Effect.gen(function*() {
        yield* Effect.forEach([1, 2], (n) => submit("busy", n))
        const parent = yield* submit("root", null)
        yield* Effect.sleep("30 seconds")
        assert.strictEqual(yield* (yield* Executor.Executor).evictIdle, 0)
        assert.deepInclude((yield* result(parent)).ending, { _tag: "Completed", result: "child" })
      })
    )
  })

  it.effect("forgets a parent that no longer wants in", () => {
    const { Busy, began, live } = bench({ queue: 1 }, 100)
    return inWorld(
      { agents: [live, root(Effect.exit(Effect.timeout(Busy.call("child"), 50)).pipe(Effect.as("gave up")))] },
      Effect.gen(function*() {
        const ids = yield* Effect.forEach([1, 2], (n) => submit("busy", n))
        assert.deepInclude(yield* run("root", null), { _tag: "Completed", result: "gave up" })
        yield* Effect.forEach(ids, result)
        assert.deepStrictEqual(began, [1, 2])
      })
    )
  })
})

describe("one who floods a queue (case 37)", () => {
  it.effect("is refused, and the others wait for no more than one of its tasks each", () => {
    const { Busy: _, began, live } = bench({ queue: 50, concurrency: 1 }, 100)
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const burst = Array.from({ length: 100 }, (_, n) => n)
        const taken = yield* Effect.forEach(burst, (n) => Effect.option(submit("busy", n, { principal: "loud" })))
        assert.strictEqual(taken.filter(Option.isSome).length, 51)
        const before = began.length
        const quiet = yield* submit("busy", "quiet", { principal: "quiet" })
        const { task } = yield* result(quiet)
        assert.isAtMost(began.indexOf("quiet"), before + 1)
        assert.isAtMost(task.endedAt! - task.createdAt, 300)
      })
    )
  })

  it.effect("does not make room for the others without end", () => {
    const { live } = bench({ queue: 2, concurrency: 1 }, 100)
    return inWorld(
      { agents: [live] },
      Effect.gen(function*() {
        const taken = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => n),
          (n) => Effect.option(submit("busy", n, { principal: `p${n}` }))
        )
        assert.strictEqual(taken.filter(Option.isSome).length, 5)
      })
    )
  })
})

describe("an agent's server", () => {
  it.effect("holds calls back while it is down, and fails those to agents that never were", () => {
    const { Busy, live } = bench({}, 10)
    const Nobody = Agent.make("nobody", { description: "", input: Schema.Json, output: Schema.Json })
    const work = Effect.all([Busy.call(1), Effect.map(Effect.exit(Nobody.call(1)), Exit.isFailure)])
    return inWorld(
      { agents: [root(work), live] },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("root", null), { _tag: "Completed", result: [1, true] })
      })
    )
  })

  it.effect("tells what a task in memory waits for", () =>
    inWorld(
      { agents: [root(Effect.all([Effect.sleep("1 minute"), Effect.sleep("2 minutes")], { concurrency: 2 }))] },
      Effect.gen(function*() {
        const executor = yield* Executor.Executor
        const id = yield* submit("root", null)
        yield* pause
        assert.deepStrictEqual(executor.waitingFor(id), ["timer:60000:0", "timer:120000:0"])
        yield* executor.evictIdle
        yield* pause
        assert.isUndefined(executor.waitingFor(id))
      })
    ))
})
