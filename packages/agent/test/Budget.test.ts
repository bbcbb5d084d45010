import { noLimits } from "@coppice/task/Budget"
import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import type { Batch, TaskStore } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import type { BudgetExceeded } from "../src/AgentError.ts"
import * as Budget from "../src/Budget.ts"
import * as Durable from "../src/Durable.ts"
import { Executor } from "../src/Executor.ts"
import * as Step from "../src/Step.ts"
import type { TaskContext } from "../src/TaskContext.ts"
import { recording, restored } from "./support/Recording.ts"
import type { Work } from "./support/Twice.ts"
import { VirtualClock } from "./support/VirtualClock.ts"
import { eventsOf, failureIn, inWorld, pause, result, run, submit } from "./support/World.ts"

const kind = (name: string) => Agent.make(name, { description: "", input: Schema.Json, output: Schema.Json })
const [Root, Mid, Leaf] = [kind("root"), kind("mid"), kind("leaf")]

const leaf = Leaf.toLayer((input) => Effect.succeed(input))
const root = (work: Work) => Root.toLayer(() => work as Effect.Effect<any, never, TaskContext>)
const mid = (work: (input: Schema.Json) => Work) =>
  Mid.toLayer((input) => work(input) as Effect.Effect<any, never, TaskContext>)

const get = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => tasks.get(id))
const poolOf = (id: TaskId) => Effect.map(get(id), ({ pool }) => pool)
const started = (
  budget: Partial<typeof noLimits> & { readonly soft?: number; readonly depth?: number; readonly fanOut?: number }
) => submit("root", null, { budget: { ...noLimits, ...budget } })

const ended = (id: TaskId) => Effect.map(result(id), ({ ending }) => ending)
const value = (id: TaskId) =>
  Effect.map(ended(id), (ending) => {
    assert(ending._tag === "Completed", JSON.stringify(ending))
    return ending.result
  })

/** A model that may use ten tokens and uses so many. */
const think = (name: string, tokens: number, bodies: Array<string> = []) =>
  Budget.reserve(
    { tokens: 10 },
    Step.run(name, Effect.sync(() => (bodies.push(name), tokens))),
    (used) => ({ tokens: used })
  )

const exceeded = <A, R>(work: Effect.Effect<A, BudgetExceeded, R>) =>
  Effect.catch(work, ({ asked, dimension, left }) => Effect.succeed({ asked, dimension, left }))

describe("calls", () => {
  it.effect("count against the nearest budget, however deep they are", () =>
    inWorld(
      {
        agents: [
          root(Effect.all([Mid.call(1), Mid.call(2)])),
          mid((n) => Leaf.call(n)),
          leaf
        ]
      },
      Effect.gen(function*() {
        const id = yield* started({ calls: 4 })
        assert.deepStrictEqual(yield* value(id), [1, 2])
        assert.deepStrictEqual(yield* poolOf(id), { spent: { calls: 4 }, open: {} })
      })
    ))

  it.effect("beyond it are not made, and unhandled that fails the task with the reason budget", () =>
    inWorld(
      { agents: [root(Effect.all([Leaf.call(1), Leaf.call(2), Leaf.call(3)])), leaf] },
      Effect.gen(function*() {
        const id = yield* started({ calls: 2 })
        const { message, reason } = yield* failureIn(ended(id))
        assert.strictEqual(reason, "budget")
        assert.include(message, `The budget of task ${id} has 0 calls left, not 1`)
        assert.strictEqual((yield* Effect.flatMap(Tasks, (tasks) => tasks.tree(id))).length, 3)
      })
    ))

  it.effect("of trees without a budget write nothing more", () =>
    inWorld(
      { agents: [root(Effect.andThen(think("a", 3), Leaf.call(1))), leaf] },
      Effect.gen(function*() {
        yield* run("root", null)
        const events = yield* eventsOf()
        assert.deepStrictEqual(events.filter(({ event }) => event._tag === "Reserved" || event._tag === "Refunded"), [])
        assert.notInclude(JSON.stringify(events), "pool")
        assert.strictEqual(events.filter(({ event }) => event._tag === "StepRecorded").length, 1)
      })
    ))

  it.effect("too deep or too many of one task are refused", () =>
    inWorld(
      {
        agents: [
          root(
            Effect.all([Effect.flip(Mid.call(1)), Mid.call(2), Effect.flip(Leaf.call(3))]).pipe(
              Effect.map((all) => all.map((one: any) => one?.reason?.exceeded?.dimension ?? one?.reason?.reason ?? one))
            )
          ),
          mid((n) => n === 1 ? Leaf.call(n) : Effect.succeed(n)),
          leaf
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* value(yield* started({ depth: 1, fanOut: 2 })), ["budget", 2, "fanOut"])
      })
    ))
})

describe("a grant", () => {
  const nested = mid((n) =>
    Effect.map(Effect.forEach(Array.from({ length: Number(n) }), (_, i) => think(`t${i}`, 4)), (all) => all.length)
  )

  it.effect("is set aside before the child exists, in one commit, and what is unused comes back when it rests", () => {
    const batches: Array<Batch> = []
    return inWorld(
      { agents: [root(Mid.call(2, { budget: { tokens: 30 } })), nested], store: recording(batches) },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 100, calls: 5 })
        yield* value(id)
        assert.deepStrictEqual(yield* poolOf(id), { spent: { calls: 1, tokens: 8 }, open: {} })
        const child = batches.flatMap(({ events }) => events).find(({ event }) =>
          event._tag === "Created" && event.parent === id
        )!
        const batch = batches.find(({ events }) => events.includes(child))!
        const reserved = batch.events.find(({ event }) => event._tag === "Reserved")!
        assert.deepStrictEqual(reserved.event, { _tag: "Reserved", id: child.task, amounts: { calls: 1, tokens: 30 } })
        assert.isBelow(reserved.seq, child.seq)
        const rest = batches.find(({ events }) =>
          events.some(({ event, task }) => event._tag === "Completed" && task === child.task)
        )!
        assert.isTrue(rest.events.some(({ event }) => event._tag === "Refunded" && event.id === child.task))
      })
    )
  })

  it.effect("is never more than what is left (child lifts parent's cap)", () =>
    inWorld(
      {
        agents: [
          root(
            Effect.map(
              Effect.flip(Mid.call(1, { budget: { tokens: 101 } })),
              (error: any) => error.reason.exceeded.left
            )
          ),
          nested
        ]
      },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 100 })
        assert.strictEqual(yield* value(id), 100)
        assert.isUndefined(yield* poolOf(id))
      })
    ))

  it.effect("of one measure does not lift the limit of another (child lifts parent's cap)", () =>
    inWorld(
      {
        agents: [
          root(
            Effect.flip(Mid.call(3, { budget: { calls: 7 } })).pipe(Effect.map((error: any) => error.reason.reason))
          ),
          nested
        ]
      },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 12 })
        assert.strictEqual(yield* value(id), "budget")
        assert.deepStrictEqual(yield* poolOf(id), { spent: { tokens: 4 }, open: {} })
      })
    ))

  it.effect("is not given back while the child still runs (refund while running)", () =>
    inWorld(
      {
        agents: [
          root(Effect.gen(function*() {
            yield* Effect.timeoutOption(Mid.call(0, { budget: { tokens: 80 } }), "1 second")
            return (yield* Budget.remaining).tokens!
          })),
          mid(() => Effect.onInterrupt(Effect.never, () => Step.run("tidy", Effect.sleep("1 second"))))
        ]
      },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 100 })
        yield* Effect.sleep(1_500)
        assert.deepStrictEqual((yield* poolOf(id))?.open, {
          [(yield* Effect.flatMap(Tasks, (t) => t.tree(id)))[1]!.id]: { tokens: 80 }
        })
        assert.strictEqual(yield* value(id), 100)
      })
    ))

  it.effect("comes back whole from a child that was cancelled before it used any", () =>
    inWorld(
      { agents: [root(Mid.call(0, { budget: { tokens: 80 } })), mid(() => Effect.never)] },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 100 })
        yield* pause
        yield* Effect.flatMap(Tasks, (tasks) => tasks.cancel({ id, by: "ann" }))
        yield* Effect.sleep(100)
        assert.deepStrictEqual(yield* poolOf(id), { spent: {}, open: {} })
      })
    ))
})

describe("a reservation", () => {
  it.effect("is settled with what was used", () =>
    inWorld(
      {
        agents: [root(Effect.gen(function*() {
          yield* think("a", 3)
          const between = yield* Budget.remaining
          yield* think("b", 25)
          return [between.tokens!, (yield* Budget.remaining).tokens!, yield* exceeded(think("c", 1))]
        }))]
      },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 30 })
        assert.deepStrictEqual(yield* value(id), [27, 2, { asked: 10, dimension: "tokens", left: 2 }])
        assert.deepStrictEqual(yield* poolOf(id), { spent: { tokens: 28 }, open: {} })
      })
    ))

  it.effect("counts as spent when its work failed, and an unused one comes back to whoever gave it up", () =>
    inWorld(
      {
        agents: [root(Effect.gen(function*() {
          yield* Effect.ignore(Budget.reserve({ tokens: 4 }, Step.run("x", Effect.fail("no"))))
          yield* Effect.timeoutOption(Budget.reserve({ tokens: 5 }, Effect.never), "1 second")
          return yield* Budget.remaining
        }))]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* value(yield* started({ tokens: 30 })), { tokens: 21 })
      })
    ))

  it.effect("is made once, whatever commit a crash comes after (stale pool, rehydration shrinks the grant)", () => {
    const batches: Array<Batch> = []
    const bodies: Array<string> = []
    const agents = [
      root(Effect.gen(function*() {
        const [a] = yield* Effect.all([think("a", 3, bodies), Mid.call(2, { budget: { tokens: 20 } })], {
          concurrency: 2
        })
        return [a, yield* think("b", 5, bodies), (yield* Budget.remaining).tokens!]
      })),
      mid(() => think("m", 4, bodies))
    ]
    // another process is told other ids, at a later time
    const live = (name: string, store: Layer.Layer<TaskStore>, id: Effect.Effect<TaskId, unknown, Tasks>) =>
      inWorld(
        { agents, store, seed: name, clock: new VirtualClock(batches.at(-1)?.events.at(-1)?.at) },
        Effect.gen(function*() {
          const root = yield* id
          assert.deepStrictEqual(yield* value(root), [3, 5, 88])
          assert.deepStrictEqual(yield* poolOf(root), { spent: { calls: 1, tokens: 12 }, open: {} })
          return root
        })
      )
    return Effect.gen(function*() {
      const id = yield* live("first", recording(batches), started({ tokens: 100, calls: 3 }))
      const whole = [...batches]
      for (let cut = 1; cut < whole.length; cut++) {
        yield* live(`cut ${cut}`, restored(whole.slice(0, cut)), Effect.succeed(id))
      }
    })
  })

  it.effect("of a run that left memory is still known when it comes back (rehydration shrinks the grant)", () =>
    inWorld(
      {
        agents: [root(Effect.gen(function*() {
          yield* think("a", 3)
          yield* Effect.sleep("1 hour")
          return yield* Budget.remaining
        }))],
        patience: 8_000_000
      },
      Effect.gen(function*() {
        const id = yield* started({ tokens: 30 })
        yield* Effect.sleep(1_000)
        yield* (yield* Executor).evictIdle
        yield* pause
        assert.strictEqual((yield* Executor).residentCount(), 0)
        assert.deepStrictEqual(yield* value(id), { tokens: 27 })
      })
    ))
})

describe("a budget whose owner has left memory", () => {
  const tree = [
    root(Effect.andThen(Effect.ignore(Mid.call(1, { budget: { tokens: 80 } })), Budget.remaining)),
    mid(() => Effect.andThen(Effect.sleep("30 minutes"), Leaf.call(1))),
    Leaf.toLayer(() => Effect.orDie(think("late", 4)))
  ]

  const asleep = Effect.gen(function*() {
    const id = yield* started({ tokens: 100, calls: 2 })
    yield* Effect.sleep(1_000)
    yield* (yield* Executor).evictIdle
    yield* pause
    assert.strictEqual((yield* Executor).residentCount(), 0)
    const [, child] = yield* Effect.flatMap(Tasks, (tasks) => tasks.tree(id))
    return { id, child: child!.id }
  })

  it.effect("is brought back by whoever draws from it (stale pool)", () =>
    inWorld(
      { agents: tree },
      Effect.gen(function*() {
        const { id } = yield* asleep
        assert.deepStrictEqual(yield* value(id), { calls: 0, tokens: 96 })
        assert.deepStrictEqual(yield* poolOf(id), { spent: { calls: 2, tokens: 4 }, open: {} })
      })
    ))

  it.effect("is given back what nobody was there to take (stale pool)", () =>
    inWorld(
      { agents: tree },
      Effect.gen(function*() {
        const { child, id } = yield* asleep
        yield* Effect.flatMap(Tasks, (tasks) => tasks.cancel({ id: child, by: "ann" }))
        assert.deepStrictEqual(yield* value(id), { calls: 1, tokens: 100 })
        assert.deepStrictEqual(yield* poolOf(id), { spent: { calls: 1 }, open: {} })
      })
    ))
})

describe("the soft limit", () => {
  const asking = root(Effect.gen(function*() {
    yield* think("a", 10)
    yield* think("b", 10)
    return yield* Budget.remaining
  }))

  const asked = Effect.gen(function*() {
    const id = yield* started({ tokens: 30, soft: 0.5 })
    yield* Effect.sleep(20_000)
    const [question] = yield* Effect.flatMap(Tasks, (tasks) => tasks.inbox({ run: id }))
    assert.strictEqual(question?.task, id)
    assert.include(question!.request.message, "10 of 30 tokens")
    return { id, key: question!.request.key }
  })
  const respond = (id: TaskId, key: string, action: "accept" | "decline") =>
    Effect.flatMap(
      Tasks,
      (tasks) => tasks.respond({ id, key, response: { action, content: action === "accept" ? {} : null, by: "ann" } })
    )

  it.effect("asks a person, and goes on when they accept", () =>
    inWorld(
      { agents: [asking] },
      Effect.gen(function*() {
        const { id, key } = yield* asked
        yield* respond(id, key, "accept")
        assert.deepStrictEqual(yield* value(id), { tokens: 10 })
      })
    ))

  it.effect("stops the task with the reason budget when they decline", () =>
    inWorld(
      { agents: [asking] },
      Effect.gen(function*() {
        const { id, key } = yield* asked
        yield* respond(id, key, "decline")
        const { message, reason } = yield* failureIn(ended(id))
        assert.strictEqual(reason, "budget")
        assert.include(message, "a person declined")
      })
    ))

  it.effect("is asked for a whole tree at its top, and holds calls back as well", () =>
    inWorld(
      { agents: [root(Mid.call(1)), mid((n) => Effect.andThen(Leaf.call(n), Leaf.call(2))), leaf] },
      Effect.gen(function*() {
        const id = yield* started({ calls: 4, soft: 0.5 })
        yield* pause
        const [question] = yield* Effect.flatMap(Tasks, (tasks) => tasks.inbox({ run: id }))
        assert.strictEqual(question?.task, id)
        yield* respond(id, question!.request.key, "accept")
        assert.strictEqual(yield* value(id), 2)
      })
    ))

  it.effect("waits through a restart", () => {
    const batches: Array<Batch> = []
    return Effect.gen(function*() {
      const { id, key } = yield* inWorld({ agents: [asking], store: recording(batches) }, asked)
      yield* inWorld(
        { agents: [asking], store: restored(batches) },
        Effect.gen(function*() {
          yield* pause
          assert.strictEqual((yield* get(id)).status, "input_required")
          yield* respond(id, key, "accept")
          assert.deepStrictEqual(yield* value(id), { tokens: 10 })
        })
      )
    })
  })
})

describe("what a task had got so far", () => {
  const putting = (then: Work) => mid(() => Effect.andThen(Durable.partial({ done: 2 }), then))
  const reasonOf = (work: Work) =>
    Effect.map(Effect.flip(work), (error: any) => [error.reason.reason, error.reason.partial])

  it.effect("goes with the end by a budget, and by a deadline", () =>
    inWorld(
      {
        agents: [
          root(Effect.all([
            reasonOf(Mid.call(1, { budget: { tokens: 5 } })),
            reasonOf(Mid.call(2, { deadline: 1_000 }))
          ], { concurrency: 2 })),
          putting(Effect.andThen(Effect.sleep("1 second"), think("x", 1)))
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* value(yield* started({ tokens: 50 })), [
          ["budget", { done: 2 }],
          ["deadline", { done: 2 }]
        ])
      })
    ))
})
