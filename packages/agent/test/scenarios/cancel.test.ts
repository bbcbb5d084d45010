import type { TaskId } from "@coppice/task/Task"
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import * as Executor from "../../src/Executor.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { recording, restored, rowsOf } from "../support/Recording.ts"
import { root, type Work } from "../support/Twice.ts"
import { eventsOf, inWorld, type Options, pause, result, submit, tagsOf } from "../support/World.ts"

const Node = Agent.make("node", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 20_000 })
const ask = Effect.orDie(Human.ask({ message: "?", form: Schema.Struct({}) }))
const evict = Effect.flatMap(Executor.Executor, ({ evictIdle }) => evictIdle)

/** A tree of waiting nodes: `fan` below each, `deep` levels. */
const tree = (fan: number) =>
  Node.toLayer((deep) =>
    Number(deep) === 0
      ? Effect.as(ask, 0)
      : Effect.forEach(Array.from({ length: fan }), () => Node.call(Number(deep) - 1), { concurrency: "unbounded" })
  )

const cancel = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.cancel({ id, by: "ada", reason: "enough" }))
const reportOf = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.cancelReport(id))

/** Children settle before their parents, everything settles, and nothing stays in memory. */
const converged = Effect.fnUntraced(function*(id: TaskId, count: number, how: ReadonlyArray<string> = ["stopped"]) {
  const report = yield* reportOf(id)
  assert.isTrue(report.converged, JSON.stringify(report.nodes.filter(({ settlement }) => settlement === null)))
  assert.strictEqual(report.nodes.length, count)
  for (const { settlement } of report.nodes) assert.include(how, settlement)
  const settled = new Map(
    (yield* eventsOf()).flatMap(({ event, seq, task }) => event._tag === "Settled" ? [[task, seq]] : [])
  )
  for (const { id, parent } of report.nodes) {
    if (parent !== null) assert.isBelow(settled.get(id as TaskId) ?? 0, settled.get(parent as TaskId) ?? Infinity)
  }
  assert.deepStrictEqual([(yield* TaskLog).residentCount, (yield* Executor.Executor).residentCount()], [0, 0])
})

const cancelled = (work: Work, after: Effect.Effect<unknown, any, any>, options: Partial<Options> = {}) =>
  inWorld(
    { ...options, agents: [root(work), ...options.agents ?? []] },
    Effect.gen(function*() {
      const id = yield* submit("root", null)
      yield* after
      yield* cancel(id)
      return yield* Effect.as(pause, id)
    })
  )

describe("a cancelled tree", () => {
  it.effect("settles from its leaves to its root", () =>
    inWorld(
      { agents: [tree(3)] },
      Effect.gen(function*() {
        const id = yield* submit("node", 3)
        yield* pause
        yield* cancel(id)
        yield* pause
        yield* converged(id, 40)
      })
    ))

  it.effect("settles when none of it is in memory", () =>
    inWorld(
      { agents: [tree(3)] },
      Effect.gen(function*() {
        const id = yield* submit("node", 3)
        yield* pause
        assert.strictEqual(yield* evict, 40)
        yield* pause
        yield* cancel(id)
        yield* pause
        yield* converged(id, 40)
      })
    ))

  it.effect("settles when a part of it is in memory, or on its way there", () =>
    inWorld(
      { agents: [tree(3)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("node", 2)
        yield* pause
        yield* evict
        yield* pause
        const [open] = yield* tasks.inbox({ run: id })
        yield* tasks.respond({ id: open!.task, response: { action: "accept", content: {}, by: "ada" } })
        yield* cancel(id)
        yield* pause
        yield* converged(id, 13, ["stopped", "finished_before"])
      })
    ))

  it.effect(
    "of 4,681 nodes settles in a few commits and in no time",
    () =>
      inWorld(
        { agents: [tree(8)] },
        Effect.gen(function*() {
          const log = yield* TaskLog
          const id = yield* submit("node", 4)
          yield* pause
          const before = log.written.commits
          const began = performance.now()
          yield* cancel(id)
          yield* pause
          assert.isBelow(performance.now() - began, 3_000)
          assert.isBelow(log.written.commits - before, 20)
          yield* converged(id, 4_681)
        })
      ),
    30_000
  )

  it.effect("100 calls wide and 30 deep settles, too", () => {
    const deep = Node.toLayer((n) => Number(n) === 0 ? Effect.as(ask, 0) : Node.call(Number(n) - 1))
    const work = Effect.forEach(Array.from({ length: 100 }), () => Node.call(29), { concurrency: "unbounded" })
    return inWorld(
      { agents: [root(work), deep] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* cancel(id)
        yield* pause
        yield* converged(id, 3_001)
      })
    )
  }, 30_000)
})

describe("a cancelled task", () => {
  it.effect("starts nothing any more", () => {
    const ran: Array<string> = []
    const step = (name: string) => Step.run(name, Effect.andThen(Effect.sleep(10), Effect.sync(() => ran.push(name))))
    return Effect.gen(function*() {
      yield* cancelled(Effect.all([step("a"), step("b"), step("c")]), Effect.sleep(15))
      assert.deepStrictEqual(ran, ["a"])
    })
  })

  it.effect("has the time its finalizers need", () => {
    const notes: Array<string> = []
    const work = Effect.onInterrupt(
      Effect.never,
      () => Effect.andThen(Effect.sleep("2 seconds"), Effect.sync(() => notes.push("clean")))
    )
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        assert.isFalse((yield* cancel(id)).converged)
        yield* Effect.sleep("3 seconds")
        assert.deepStrictEqual(notes, ["clean"])
        const { nodes } = yield* reportOf(id)
        assert.deepInclude(nodes[0], { settlement: "stopped", took: 2_000 })
      })
    )
  })

  it.effect("that does not stop is given up, and can write nothing afterwards", () => {
    const ran: Array<string> = []
    const step = (name: string) => Step.run(name, Effect.sync(() => ran.push(name)))
    const stuck = Effect.uninterruptible(Effect.gen(function*() {
      yield* Effect.promise(() => new Promise<void>((resolve) => release = resolve))
      yield* step("after")
      yield* Node.call(0)
      yield* Effect.sleep(1)
    }))
    let release = () => {}
    return inWorld(
      { agents: [root(stuck), tree(1)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* cancel(id)
        yield* Effect.sleep("7 seconds")
        assert.deepInclude((yield* reportOf(id)).nodes[0], { settlement: "refused" })
        const before = (yield* eventsOf()).length
        release()
        yield* Effect.sleep("1 second")
        assert.strictEqual((yield* eventsOf()).length, before)
        assert.deepStrictEqual(ran, [])
        yield* converged(id, 1, ["refused"])
      })
    )
  })

  it.effect("whose step does not stop is given up, and the step's result is refused", () => {
    const body = Effect.uninterruptible(Effect.sleep("20 seconds"))
    return inWorld(
      { agents: [root(Step.run("stuck", body))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* cancel(id)
        yield* Effect.sleep("1 minute")
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Cancelled", "Settled"])
        yield* converged(id, 1, ["refused"])
      })
    )
  })

  it.effect("in a region that cannot be interrupted has its steps stopped when it is given up", () => {
    const notes: Array<number> = []
    const body = (now: Effect.Effect<number>) =>
      Effect.onInterrupt(Effect.never, () => Effect.map(now, (at) => notes.push(at - 1_800_000_000_000)))
    const work = Effect.uninterruptible(Step.run("stuck", body(Effect.clockWith((clock) => clock.currentTimeMillis))))
    return inWorld(
      { agents: [root(work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* pause
        yield* cancel(id)
        yield* Effect.sleep("10 seconds")
        yield* converged(id, 1, ["refused"])
        assert.strictEqual(notes.length, 1)
        assert.isTrue(notes[0]! >= 5_000 && notes[0]! <= 7_000)
      })
    )
  })

  it.effect("goes on in a region that cannot be interrupted, and its steps still get their results", () => {
    const seen: Array<number> = []
    const region = Effect.gen(function*() {
      seen.push(yield* Step.run("a", Effect.as(Effect.sleep(10), 1)))
      yield* Effect.sleep(10)
      seen.push(yield* Step.run("b", Effect.as(Effect.sleep(10), 2)))
    })
    return inWorld(
      { agents: [root(Effect.uninterruptible(region))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* Effect.sleep(5)
        yield* cancel(id)
        yield* Effect.sleep(100)
        assert.deepStrictEqual(seen, [1, 2])
        yield* converged(id, 1)
      })
    )
  })
})

describe("a cancellation comes", () => {
  const slow: Work = Step.run("slow", Effect.sleep("1 hour"))

  it.effect("while the task waits for a place", () => {
    const One = Agent.make("one", { description: "", input: Schema.Json, output: Schema.Json, concurrency: 1 })
    return inWorld(
      { agents: [One.toLayer(() => slow)] },
      Effect.gen(function*() {
        yield* submit("one", 1)
        const id = yield* submit("one", 2)
        yield* cancel(id)
        yield* pause
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "Cancelled", "Settled"])
        assert.isTrue((yield* reportOf(id)).converged)
      })
    )
  })

  it.effect("between two attempts, and does not wait for the next", () =>
    inWorld(
      { agents: [root(Effect.die("boom"))] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* Effect.sleep(150)
        yield* cancel(id)
        yield* pause
        yield* converged(id, 1)
      })
    ))

  it.effect("while it replays", () =>
    Effect.gen(function*() {
      const batches: Array<Batch> = []
      const gate = Effect.promise(() => new Promise<void>((resolve) => open.push(resolve)))
      const open: Array<() => void> = []
      const work = Effect.andThen(gate, Effect.andThen(Step.run("a", Effect.void), ask))
      const agents = [root(work)]
      yield* inWorld(
        { agents, store: recording(batches) },
        Effect.gen(function*() {
          yield* submit("root", null)
          yield* pause
          open.pop()!()
          yield* pause
        })
      )
      const { rows } = rowsOf(batches)
      const [id] = rows.keys()
      yield* inWorld(
        { agents, store: restored(batches) },
        Effect.gen(function*() {
          yield* pause
          yield* cancel(id!)
          yield* Effect.sleep("6 seconds")
          yield* converged(id!, 1, ["stopped", "refused"])
        })
      )
    }))

  it.effect("in the moment a task is brought back", () =>
    inWorld(
      { agents: [root(ask)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null)
        yield* pause
        yield* evict
        yield* pause
        const response = { action: "accept", content: {}, by: "ada" } as const
        yield* Effect.all([Effect.exit(tasks.respond({ id, response })), Effect.exit(cancel(id))], { concurrency: 2 })
        yield* pause
        const { task } = yield* result(id)
        assert.isNotNull(task.settlement)
        assert.deepStrictEqual([(yield* TaskLog).residentCount, (yield* Executor.Executor).residentCount()], [0, 0])
      })
    ))

  it.effect("twice, and changes nothing the second time", () =>
    inWorld(
      { agents: [root(ask)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* cancel(id)
        yield* pause
        assert.strictEqual((yield* Effect.flip(cancel(id)))._tag, "Refused")
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", "InputRequested", "Cancelled", "Settled"])
      })
    ))
})

describe("a deadline", () => {
  it.effect("that passes fails the task and cancels what is below it", () => {
    const work = Node.call(1)
    return inWorld(
      { agents: [root(work), tree(2)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null, { deadline: 1_800_000_000_000 + 60_000 })
        yield* Effect.sleep("59 seconds")
        assert.strictEqual((yield* reportOf(id)).nodes[0]!.status, "working")
        yield* Effect.sleep("2 seconds")
        assert.deepInclude((yield* result(id)).ending, { _tag: "Failed", reason: "deadline" })
        yield* converged(id, 4)
      })
    )
  })

  it.effect("of a parent is the child's latest", () => {
    const deadline = 1_800_000_000_000 + 60_000
    return inWorld(
      { agents: [root(Node.call(1, { deadline: 3_600_000 })), tree(1)] },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const id = yield* submit("root", null, { deadline })
        yield* pause
        assert.deepStrictEqual((yield* tasks.tree(id)).map((task) => task.deadline), [deadline, deadline, deadline])
      })
    )
  })
})
