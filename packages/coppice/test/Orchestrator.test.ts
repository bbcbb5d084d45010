import * as Agent from "@coppice/agent/Agent"
import { AgentSupervisor } from "@coppice/agent/AgentSupervisor"
import * as Durable from "@coppice/agent/Durable"
import { Executor } from "@coppice/agent/Executor"
import * as Human from "@coppice/agent/Human"
import * as Step from "@coppice/agent/Step"
import * as Workflow from "@coppice/agent/Workflow"
import * as MemoryTaskStore from "@coppice/task/MemoryTaskStore"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Orchestrator from "../src/Orchestrator.ts"
import * as Store from "../src/Store.ts"
import * as TempFolder from "./support/TempFolder.ts"

const Approval = Schema.Struct({ go: Schema.Boolean })
const Add = Agent.make("add", {
  description: "Adds one",
  input: Schema.Finite,
  output: Schema.Finite
})
const Trip = Workflow.make("trip", {
  description: "Books, asks, books",
  input: Schema.Struct({ to: Schema.String }),
  output: Schema.Json
})
const Ask = Workflow.make("ask", {
  description: "Asks as often as told",
  input: Schema.Int,
  output: Schema.Array(Approval)
})

const AddLive = Add.toLayer((n) => Effect.succeed(n + 1))
const AskLive = Ask.toLayer((times) =>
  Effect.forEach(Array.from({ length: times }), (_, i) => Human.ask({ message: `Question ${i}`, form: Approval }))
)

/** What a trip did outside. */
const bookings: Array<string> = []
const book = (what: string) =>
  Step.run(
    "book",
    { what },
    Effect.sync(() => {
      bookings.push(what)
      return bookings.length
    })
  )

const TripLive = Trip.toLayer(Effect.fn(function*({ to }) {
  const flight = yield* book(`flight to ${to}`)
  const id = yield* Durable.uuid
  const { go } = yield* Human.ask({ message: "Go?", form: Approval })
  const hotel = yield* book(`hotel in ${to}`)
  return { flight, id, go, sum: yield* Add.call(hotel) }
}))

const orchestrator = Orchestrator.make({ agents: [TripLive, AskLive, AddLive] })

/** One life of the process. */
const life = <A, E>(store: string, body: Effect.Effect<A, E, Orchestrator.Services>, all = orchestrator) =>
  Effect.provide(body, Orchestrator.layer(all, store))

/** Waits until a question has been asked. */
const question = Effect.gen(function*() {
  const tasks = yield* Tasks
  const asked = Stream.filter(tasks.watch({ since: 0 }), ({ event }) => event._tag === "InputRequested")
  yield* Stream.runHead(asked)
  return (yield* tasks.inbox({}))[0]!
})

const accept = (content: Schema.Json) => ({ action: "accept", content, by: "ann" }) as const

const note = (notes: Array<string>, name: string) =>
  Layer.effectDiscard(Effect.acquireRelease(
    Effect.sync(() => notes.push(`start ${name}`)),
    () => Effect.sync(() => notes.push(`stop ${name}`))
  ))

describe("layer", () => {
  it.live("runs agents over memory when nothing else is said", () =>
    Effect.gen(function*() {
      const { ending, task } = yield* Effect.provide(Orchestrator.run("add", 1), Orchestrator.layer(orchestrator))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: 2 })
      assert.strictEqual(task.agent, "add")
    }))

  it.live("goes on from a file where the last life stopped", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      bookings.length = 0
      const id = yield* life(
        url,
        Effect.gen(function*() {
          const { id } = yield* (yield* Tasks).submit({ agent: "trip", input: { to: "Rome" } })
          yield* question
          return id
        })
      )
      assert.deepStrictEqual(bookings, ["flight to Rome"])
      const { ending } = yield* life(
        url,
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const { request, task } = yield* question
          assert.deepStrictEqual([task, request.message], [id, "Go?"])
          yield* tasks.respond({ id, response: accept({ go: true }) })
          return yield* tasks.result(id)
        })
      )
      assert.deepStrictEqual(bookings, ["flight to Rome", "hotel in Rome"])
      assert(ending._tag === "Completed")
      assert.deepInclude(ending.result, { flight: 1, go: true, sum: 3 })
    }))

  it.live.each(["memory:", "a file"])(
    "retries in %s what had failed, and not what had succeeded",
    (where) =>
      Effect.gen(function*() {
        const Mend = Agent.make("mend", {
          description: "",
          input: Schema.Int,
          output: Schema.Json,
          error: Schema.String
        })
        let hasTool = false
        const mending = Mend.toLayer((n) =>
          Effect.gen(function*() {
            const flight = yield* book("flight to mend")
            const sum = yield* Add.call(n)
            yield* Step.run("mend", Effect.suspend(() => hasTool ? Effect.void : Effect.fail("no tool")))
            return { flight, sum, hotel: yield* book("hotel to mend") }
          }).pipe(Effect.catchTag("CallError", Effect.die))
        )
        bookings.length = 0
        const work = Effect.gen(function*() {
          const tasks = yield* Tasks
          const first = yield* Orchestrator.run("mend", 1)
          assert.deepInclude(first.ending, { _tag: "Failed", error: "no tool" })
          hasTool = true
          const { id } = yield* tasks.retry(first.task.id)
          return { ...yield* tasks.result(id), tree: yield* tasks.tree(id) }
        })
        const url = where === "memory:" ? where : yield* TempFolder.sqliteUrl
        const { ending, task, tree } = yield* life(url, work, Orchestrator.make({ agents: [mending, AddLive] }))
        assert.deepStrictEqual(ending, { _tag: "Completed", result: { flight: 1, sum: 2, hotel: 2 } })
        assert.deepStrictEqual(bookings, ["flight to mend", "hotel to mend"])
        assert.deepStrictEqual([task.spec.retryOf === null, tree.length], [false, 1])
      })
  )

  it.live("finds ended work again in a file", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      const { task } = yield* life(url, Orchestrator.run("add", 1))
      const again = yield* life(url, Effect.flatMap(Tasks, (tasks) => tasks.result(task.id)))
      assert.deepStrictEqual(again, { task, ending: { _tag: "Completed", result: 2 } })
    }))

  it.live("refuses a file that another orchestrator runs on", () =>
    Effect.gen(function*() {
      const url = yield* TempFolder.sqliteUrl
      const second = Orchestrator.make({ agents: [AddLive] })
      const error = yield* life(url, Effect.flip(life(url, Orchestrator.run("add", 1), second)))
      assert(error._tag === "StoreError")
      assert.strictEqual(error.reason, "Locked")
    }))

  it.live("starts agents in order and stops them in reverse", () =>
    Effect.gen(function*() {
      const notes: Array<string> = []
      const agents = [note(notes, "a"), AddLive, note(notes, "b"), AskLive, note(notes, "c")]
      const tree = yield* life(
        "memory:",
        Effect.map(AgentSupervisor, (supervisor) => supervisor.tree().map(({ id }) => id)),
        Orchestrator.make({ agents })
      )
      assert.deepStrictEqual(tree, ["add", "ask"])
      assert.deepStrictEqual(notes, ["start a", "start b", "start c", "stop c", "stop b", "stop a"])
    }))

  it.live("resumes stored work only when all agents stand", () =>
    Effect.gen(function*() {
      const store = MemoryTaskStore.layerShared()
      const Late = Agent.make("late", { description: "", input: Schema.Null, output: Schema.Finite })
      const begin = Orchestrator.make({ agents: [Late.toLayer(() => Effect.never)] })
      const notes: Array<string> = []
      const agents = [Late.toLayer(() => Effect.andThen(Effect.sync(() => notes.push("resumed")), Add.call(1)))]
      const all = Orchestrator.make({ agents: [...agents, note(notes, "b"), AddLive] })
      const { id } = yield* Effect.flatMap(Tasks, (tasks) => tasks.submit({ agent: "late", input: null })).pipe(
        Effect.provide(Layer.provide(begin.layer, store))
      )
      const { ending } = yield* Effect.flatMap(Tasks, (tasks) => tasks.result(id)).pipe(
        Effect.provide(Layer.provide(all.layer, store))
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: 2 })
      assert.deepStrictEqual(notes, ["start b", "resumed", "stop b"])
    }))

  it.live("passes supervision on", () =>
    Effect.gen(function*() {
      const supervision = { strategy: "rest_for_one", intensity: 1, period: "5 seconds" } as const
      const optionsOf = (all: Orchestrator.Orchestrator) =>
        life("memory:", Effect.map(AgentSupervisor, (supervisor) => supervisor.options), all)
      assert.deepStrictEqual(yield* optionsOf(Orchestrator.make({ agents: [AddLive], supervision })), supervision)
      const usual = { strategy: "one_for_one", intensity: 5, period: "30 seconds" } as const
      assert.deepStrictEqual(yield* optionsOf(orchestrator), usual)
    }))

  it.live("passes limits of the executor on: nobody may wait in memory", () =>
    Effect.gen(function*() {
      const all = Orchestrator.make({ agents: [AskLive], executor: { maxIdle: 0 } })
      yield* life(
        "memory:",
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const executor = yield* Executor
          const { id } = yield* tasks.submit({ agent: "ask", input: 1 })
          yield* question
          while (executor.residentCount() > 0) yield* Effect.yieldNow
          yield* tasks.respond({ id, response: accept({ go: true }) })
          assert.strictEqual((yield* tasks.result(id)).ending._tag, "Completed")
        }),
        all
      )
    }))

  it.live("fails with what is wrong with the store's URL", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(life("tape:", Orchestrator.run("add", 1)))
      assert(error._tag === "StoreError")
      assert.strictEqual(error.message, `"tape:" is not a store; use sqlite:PATH or memory:`)
    }))

  it.live("runs over any store", () =>
    Effect.gen(function*() {
      const layer = Layer.provide(orchestrator.layer, Store.layer("memory:"))
      const { ending } = yield* Effect.provide(Orchestrator.run("add", 2), layer)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: 3 })
    }))
})

describe("run", () => {
  it.live("finds the same run again by its key", () =>
    Effect.gen(function*() {
      const key = { idempotencyKey: "k" }
      const outcomes = yield* life(
        "memory:",
        Effect.all([
          Orchestrator.run("add", 1, key),
          Orchestrator.run("add", 1, key),
          Orchestrator.run("add", 1)
        ])
      )
      const [first, second, third] = outcomes.map(({ task }) => task.id)
      assert.strictEqual(second, first)
      assert.notStrictEqual(third, first)
    }))

  it.live("refuses what no agent accepts", () =>
    Effect.gen(function*() {
      const [unknown, invalid] = yield* life(
        "memory:",
        Effect.all([
          Effect.flip(Orchestrator.run("adds", 1)),
          Effect.flip(Orchestrator.run("add", "one"))
        ])
      )
      assert.deepInclude(unknown, { _tag: "UnknownAgent", suggestion: "add" })
      assert.deepInclude(invalid, { _tag: "InvalidInput", agent: "add" })
    }))
})

describe("answerAll", () => {
  const messages: Array<string> = []
  const yes = Orchestrator.answerAll(({ request }) => {
    messages.push(request.message)
    return { go: true }
  })

  it.live("answers questions as they come, each once", () =>
    Effect.gen(function*() {
      messages.length = 0
      const { ending } = yield* life("memory:", Effect.raceFirst(yes, Orchestrator.run("ask", 3)))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: [{ go: true }, { go: true }, { go: true }] })
      assert.deepStrictEqual(messages, ["Question 0", "Question 1", "Question 2"])
    }))

  it.live("answers what was open before it began", () =>
    Effect.gen(function*() {
      const { ending, task } = yield* life(
        "memory:",
        Effect.gen(function*() {
          const tasks = yield* Tasks
          const { id } = yield* tasks.submit({ agent: "ask", input: 1 })
          yield* question
          yield* Effect.forkScoped(yes)
          return yield* tasks.result(id)
        }).pipe(Effect.scoped)
      )
      assert.strictEqual(ending._tag, "Completed")
      assert.strictEqual(task.status, "completed")
    }))

  it.live("leaves a question open that its answer does not fit, and goes on", () =>
    Effect.gen(function*() {
      const odd = Orchestrator.answerAll(({ run }) => run === runs[0] ? { go: "perhaps" } : { go: false })
      const runs: Array<string> = []
      yield* life(
        "memory:",
        Effect.gen(function*() {
          const tasks = yield* Tasks
          for (let i = 0; i < 2; i++) runs.push((yield* tasks.submit({ agent: "ask", input: 1 })).id)
          const answering = yield* Effect.forkScoped(odd)
          const [first, second] = yield* tasks.list({ limit: 2 }).pipe(Effect.map((all) => all.toReversed()))
          assert.strictEqual((yield* tasks.result(second!.id)).ending._tag, "Completed")
          assert.strictEqual((yield* tasks.get(first!.id)).status, "input_required")
          assert.isUndefined(answering.pollUnsafe())
          yield* Fiber.interrupt(answering)
        }).pipe(Effect.scoped)
      )
    }))
})
