import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import type { TaskContext } from "../../src/TaskContext.ts"
import { inWorld, orderOf, pause, result, run, submit } from "../support/World.ts"

const make = (name: string) =>
  Agent.make(name, {
    description: name,
    input: Schema.Json,
    output: Schema.Json,
    error: Schema.String,
    concurrency: 100
  })
const Root = make("root")
const Child = make("child")
const Leaf = make("leaf")

type Work = Effect.Effect<any, any, TaskContext>

const root = (work: Work) => Root.toLayer(() => work)
/** Takes as many milliseconds as its input says, with a leaf below it that takes as long. */
const ChildLive = Child.toLayer((ms) => Effect.as(Leaf.call(ms), ms))
const LeafLive = Leaf.toLayer((ms) => Effect.as(Effect.sleep(Number(ms)), ms))
const family = [ChildLive, LeafLive]

/** Tasks of a run as text, such as `child(50):cancelled/stopped`, in the order in which they were made. */
const familyOf = Effect.fnUntraced(function*(run: TaskId) {
  const tasks = yield* Tasks
  const all = yield* tasks.tree(run)
  const told = all.slice(1).map(({ agent, id, settlement, status }) =>
    Effect.map(tasks.input(id), (input) => `${agent}(${String(input)}):${status}/${settlement}`)
  )
  return yield* Effect.all(told)
})

describe("losing", () => {
  it.effect("a race cancels exactly the losers' trees, and the race is over when they have settled", () =>
    inWorld(
      { agents: [root(Effect.race(Child.call(10), Child.call(50))), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 10 })
        assert.sameMembers(yield* familyOf(id), [
          "child(10):completed/finished_before",
          "leaf(10):completed/finished_before",
          "child(50):cancelled/stopped",
          "leaf(50):cancelled/stopped"
        ])
        const order = yield* orderOf(["Settled", "Completed"])
        assert.deepStrictEqual(order, [
          "leaf Completed",
          "child Completed",
          "leaf Settled",
          "child Settled",
          "root Completed"
        ])
      })
    ))

  it.effect("against a timeout cancels the tree", () =>
    inWorld(
      { agents: [root(Effect.exit(Effect.timeout(Child.call(50), "20 millis"))), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        yield* result(id)
        assert.deepStrictEqual(yield* familyOf(id), ["child(50):cancelled/stopped", "leaf(50):cancelled/stopped"])
      })
    ))

  it.effect("by an interrupt cancels the tree and nothing beside it", () => {
    const work = Effect.gen(function*() {
      const [a, b] = [yield* Effect.forkChild(Child.call(50)), yield* Effect.forkChild(Child.call(60))]
      yield* Effect.sleep(10)
      yield* Fiber.interrupt(a)
      return yield* Fiber.join(b)
    })
    return inWorld(
      { agents: [root(work), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 60 })
        assert.sameMembers(yield* familyOf(id), [
          "child(50):cancelled/stopped",
          "leaf(50):cancelled/stopped",
          "child(60):completed/finished_before",
          "leaf(60):completed/finished_before"
        ])
      })
    )
  })

  it.effect("because a sibling failed cancels the tree", () => {
    const failing = Effect.andThen(Effect.sleep(20), Effect.fail("no"))
    return inWorld(
      {
        agents: [root(Effect.all([Child.call(50), failing], { concurrency: "unbounded" })), ...family]
      },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepInclude((yield* result(id)).ending, { _tag: "Failed", reason: "agent_error", error: "no" })
        assert.deepStrictEqual(yield* familyOf(id), ["child(50):cancelled/stopped", "leaf(50):cancelled/stopped"])
      })
    )
  })

  it.effect("in the breath in which it was begun cancels the call all the same", () =>
    inWorld(
      { agents: [root(Effect.race(Child.call(50), Effect.succeed(1))), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: 1 })
        for (const member of yield* familyOf(id)) assert.include(member, ":cancelled/stopped")
      })
    ))
})

describe("forEach", () => {
  it.effect("runs no more calls at once than its concurrency", () => {
    let [now, most] = [0, 0]
    const count = (n: number) => Effect.sync(() => most = Math.max(most, now += n))
    const busy = Leaf.toLayer((n) =>
      Step.run("work", Effect.andThen(count(1), Effect.ensuring(Effect.as(Effect.sleep(5), n), count(-1))))
    )
    const work = Effect.forEach(Array.from({ length: 20 }, (_, n) => n), (n) => Leaf.call(n), { concurrency: 3 })
    return inWorld(
      { agents: [root(work), busy] },
      Effect.gen(function*() {
        assert.deepInclude(yield* run("root", 0), { _tag: "Completed" })
        assert.strictEqual(most, 3)
      })
    )
  })

  it.effect("tells calls with equal inputs apart", () => {
    let n = 0
    const counting = Leaf.toLayer(() => Step.run("count", Effect.sync(() => n++)))
    const work = Effect.forEach([7, 7, 7], (x) => Leaf.call(x), { concurrency: "unbounded" })
    return inWorld(
      { agents: [root(work), counting] },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("root", 0), { _tag: "Completed", result: [0, 1, 2] })
      })
    )
  })
})

describe("retry", () => {
  it.effect("calls again, each time as a task of its own, with the schedule's pauses as timers", () => {
    let n = 0
    const third = Leaf.toLayer(() => Effect.suspend(() => ++n < 3 ? Effect.fail(`no ${n}`) : Effect.succeed(n)))
    const work = Effect.retry(Leaf.call(1), Schedule.exponential("1 second"))
    return inWorld(
      { agents: [root(work), third] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: 3 })
        assert.strictEqual((yield* familyOf(id)).length, 3)
        assert.strictEqual(task.endedAt! - task.createdAt, 3_000)
      })
    )
  })

  it.effect("stops when it has been tried often enough", () =>
    inWorld(
      {
        agents: [root(Effect.retry(Leaf.call(1), { times: 2 })), Leaf.toLayer((n) => Effect.fail(`no ${String(n)}`))]
      },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepInclude((yield* result(id)).ending, { _tag: "Failed", error: "no 1" })
        assert.strictEqual((yield* familyOf(id)).length, 3)
      })
    ))
})

describe("finalizers", () => {
  const traced = (work: (note: (text: string) => Effect.Effect<unknown>) => Work) => {
    const notes: Array<string> = []
    return { notes, agent: root(work((text) => Effect.sync(() => notes.push(text)))) }
  }

  it.effect("run when a call is interrupted, after its child has settled", () => {
    const settled = Effect.map(orderOf(["Settled"]), (order) => order.join())
    const { agent, notes } = traced((note) =>
      Effect.timeout(Effect.ensuring(Child.call(50), note("done")), 20).pipe(Effect.ignore)
    )
    return inWorld(
      { agents: [agent, ...family] },
      Effect.gen(function*() {
        yield* run("root", 0)
        assert.deepStrictEqual(notes, ["done"])
        assert.strictEqual(yield* settled, "leaf Settled,child Settled")
      })
    )
  })

  it.effect("may record steps, on success and on failure", () => {
    const work = Effect.ensuring(Effect.fail("no"), Step.run("clean up", Effect.succeed("clean")))
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        assert.deepInclude(yield* run("root", 0), { _tag: "Failed", error: "no" })
        assert.deepStrictEqual(yield* orderOf(["StepRecorded", "Failed"]), ["root StepRecorded", "root Failed"])
      })
    )
  })
})

describe("a handler that returns", () => {
  it.effect("with a call still running cancels it and waits until it has settled", () => {
    const work = Effect.andThen(Effect.forkDetach(Child.call(50)), Effect.as(Effect.sleep(10), "done"))
    return inWorld(
      { agents: [root(work), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: "done" })
        assert.deepStrictEqual(yield* familyOf(id), ["child(50):cancelled/stopped", "leaf(50):cancelled/stopped"])
        assert.deepStrictEqual((yield* orderOf(["Settled", "Completed"])).at(-1), "root Completed")
      })
    )
  })

  it.effect("with a step still running stops its body before the task ends", () => {
    const notes: Array<string> = []
    const body = Effect.onInterrupt(
      Effect.never,
      () => Effect.andThen(Effect.sleep(30), Effect.sync(() => notes.push("stopped")))
    )
    const work = Effect.andThen(Effect.forkDetach(Step.run("work", body)), Effect.as(Effect.sleep(10), "done"))
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const { task } = yield* Effect.flatMap(submit("root", 0), result)
        assert.deepStrictEqual(notes, ["stopped"])
        assert.strictEqual(task.endedAt! - task.createdAt, 40)
      })
    )
  })

  it.effect("runs the finalizers of what it left behind", () => {
    const notes: Array<string> = []
    const left = Effect.ensuring(Child.call(50), Step.run("clean up", Effect.sync(() => notes.push("clean"))))
    const work = Effect.andThen(Effect.forkDetach(left), Effect.as(Effect.sleep(10), "done"))
    return inWorld(
      { agents: [root(work), ...family] },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("root", 0), { _tag: "Completed", result: "done" })
        assert.deepStrictEqual(notes, ["clean"])
      })
    )
  })

  it.effect("lets a child go on that may outlive it", () => {
    const work = Effect.andThen(
      Effect.forkDetach(Child.call(50, { onParentExit: "continue" })),
      Effect.as(Effect.sleep(10), "done")
    )
    return inWorld(
      { agents: [root(work), ...family] },
      Effect.gen(function*() {
        const id = yield* submit("root", 0)
        const { task } = yield* result(id)
        assert.strictEqual(task.endedAt! - task.createdAt, 10)
        yield* Effect.sleep(100)
        assert.deepStrictEqual(yield* familyOf(id), [
          "child(50):completed/finished_before",
          "leaf(50):completed/finished_before"
        ])
      })
    )
  })
})

describe("questions", () => {
  const Form = Schema.Struct({ ok: Schema.Boolean })

  it.effect("of tasks deep below stand in one inbox and wake only who asked", () => {
    const asking = Child.toLayer((n) =>
      Effect.map(Human.ask({ message: `n ${String(n)}`, form: Form }), ({ ok }) => ok).pipe(Effect.orDie)
    )
    const work = Effect.forEach([1, 2, 3], (n) => Child.call(n), { concurrency: "unbounded" })
    return inWorld(
      { agents: [root(work), asking] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", 0)
        yield* pause
        const inbox = yield* tasks.inbox({ run: id })
        assert.deepStrictEqual(inbox.map(({ request }) => request.message), ["n 1", "n 2", "n 3"])
        for (const { request, task } of inbox.toReversed()) {
          const content = { ok: request.message !== "n 2" }
          yield* tasks.respond({ id: task, key: request.key, response: { action: "accept", content, by: "ada" } })
        }
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: [true, false, true] })
      })
    )
  })

  it.effect("and calls go on beside each other", () => {
    const ask = Human.ask({ message: "?", form: Form })
    const work = Effect.all([Effect.exit(ask), Leaf.call(20)], { concurrency: 2 }).pipe(
      Effect.map(([exit, n]) => [Exit.isSuccess(exit), n])
    )
    return inWorld(
      { agents: [root(work), LeafLive] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", 0)
        yield* Effect.sleep(30)
        assert.strictEqual((yield* tasks.get(id)).status, "input_required")
        yield* tasks.respond({ id, response: { action: "decline", content: null, by: "ada" } })
        assert.deepStrictEqual((yield* result(id)).ending, { _tag: "Completed", result: [false, 20] })
      })
    )
  })
})
