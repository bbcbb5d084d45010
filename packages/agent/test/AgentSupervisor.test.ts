import type { TaskId } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import { AgentSupervisor, type ChildOptions } from "../src/AgentSupervisor.ts"
import * as Step from "../src/Step.ts"
import { TaskContext } from "../src/TaskContext.ts"
import { inWorld, pause, result, run, submit } from "./support/World.ts"

const make = (name: string) =>
  Agent.make(name, { description: name, input: Schema.String, output: Schema.String, error: Schema.String })
const [A, B, C] = [make("a"), make("b"), make("c")]

/** Dies as often as its input says: `dies 2` in its first two attempts, `dies` always. Otherwise it takes a minute. */
const behave = Effect.fnUntraced(function*(input: string) {
  const { attempt } = yield* TaskContext
  const [word, times = "9"] = input.split(" ")
  if (word === "dies" && attempt <= Number(times)) return yield* Effect.die(new Error(`${input}, attempt ${attempt}`))
  if (word === "fails") return yield* Effect.fail("on purpose")
  if (word === "stays") yield* Effect.sleep("1 minute")
  return `${input}, attempt ${attempt}`
})

const a = (options?: ChildOptions) => A.toLayer(behave, options)
const b = (options?: ChildOptions) => B.toLayer(behave, options)
const c = (options?: ChildOptions) => C.toLayer(behave, options)

const node = (id: string) => Effect.map(AgentSupervisor, ({ tree }) => tree().find((agent) => agent.id === id)!)
const told = Effect.map(
  AgentSupervisor,
  ({ tree }) => tree().map(({ id, restarts, state }) => `${id} ${state} ${restarts}`)
)
const statusOf = (id: TaskId) => Effect.flatMap(Tasks, (tasks) => Effect.map(tasks.get(id), ({ status }) => status))

describe("a server", () => {
  it.effect("survives any number of defects when no intensity is said, and counts them", () =>
    inWorld(
      { agents: [a()] },
      Effect.gen(function*() {
        for (let i = 0; i < 10; i++) yield* run("a", "dies")
        const { defects, lastDefect, restarts, state } = yield* node("a")
        assert.deepStrictEqual([state, restarts, defects], ["running", 0, 30])
        assert.match(lastDefect!, /dies, attempt 3/)
      })
    ))

  it.effect("that loses too many attempts is restarted, and its tasks go on and finish", () =>
    inWorld(
      { agents: [a({ intensity: 1 })] },
      Effect.gen(function*() {
        const staying = yield* Effect.forEach(["stays 1", "stays 2"], (input) => submit("a", input))
        yield* pause
        const { ending } = yield* Effect.flatMap(submit("a", "dies 2"), result)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: "dies 2, attempt 3" })
        assert.deepStrictEqual(yield* told, ["a running 1"])
        assert.strictEqual((yield* node("a")).resident, 2)
        const endings = yield* Effect.forEach(staying, result)
        assert.deepStrictEqual(endings.map(({ ending }) => ending), [
          { _tag: "Completed", result: "stays 1, attempt 2" },
          { _tag: "Completed", result: "stays 2, attempt 2" }
        ])
        assert.deepStrictEqual(endings.map(({ task }) => task.endedAt! - task.createdAt), [60_000, 60_000])
      })
    ))

  it.effect("says why it was restarted, and goes on counting", () =>
    inWorld(
      { agents: [a({ intensity: 1 })] },
      Effect.gen(function*() {
        yield* run("a", "dies 2")
        const { defects, lastDefect, reason } = yield* node("a")
        assert.match(reason!, /the handlers of "a" died too often, last in task \w{20}/)
        assert.strictEqual(defects, 2)
        assert.match(lastDefect!, /dies 2, attempt 2/)
      })
    ))

  it.effect("only minds defects that fall into one period", () =>
    inWorld(
      { agents: [a({ intensity: 2, period: "10 seconds" })] },
      Effect.gen(function*() {
        const two = Effect.andThen(run("a", "dies 2"), node("a"))
        assert.strictEqual((yield* two).restarts, 0)
        yield* Effect.sleep("10 seconds")
        assert.strictEqual((yield* two).restarts, 0)
        yield* Effect.sleep("9 seconds")
        assert.strictEqual((yield* two).restarts, 1)
      })
    ))

  it.effect("begins to count anew after a restart", () =>
    inWorld(
      { agents: [a({ intensity: 1 })] },
      Effect.gen(function*() {
        yield* run("a", "dies 2")
        yield* run("a", "dies 1")
        assert.strictEqual((yield* node("a")).restarts, 1)
        yield* run("a", "dies 1")
        assert.strictEqual((yield* node("a")).restarts, 2)
      })
    ))

  it.effect("does not mind errors its agent declares, or lets through", () => {
    const Gone = make("gone")
    const [calm, calling] = [{ intensity: 0 }, (input: string) => input === "x" ? Gone.call(input) : A.call(input)]
    return inWorld(
      { agents: [a(calm), B.toLayer(calling, calm)] },
      Effect.gen(function*() {
        for (const input of ["x", "fails"]) assert.strictEqual((yield* run("b", input))._tag, "Failed")
        assert.deepStrictEqual(yield* told, ["a running 0", "b running 0"])
        assert.deepStrictEqual((yield* AgentSupervisor).tree().map(({ defects }) => defects), [0, 0])
      })
    )
  })

  it.effect("that is temporary stays down, and its tasks wait in the log", () =>
    inWorld(
      { agents: [a({ intensity: 0, restart: "temporary" }), b()] },
      Effect.gen(function*() {
        const id = yield* submit("a", "stays")
        yield* submit("a", "dies")
        yield* Effect.sleep("5 minutes")
        assert.deepStrictEqual(yield* told, ["a stopped 0", "b running 0"])
        assert.strictEqual(yield* statusOf(id), "working")
        assert.strictEqual((yield* Effect.flip(run("a", "x")))._tag, "AgentAway")
      })
    ))

  it.effect("that is down is waited for by who calls it, and by who submits to it", () =>
    Effect.gen(function*() {
      const slow = Effect.onInterrupt(Effect.sleep("1 minute"), () => Effect.sleep("2 seconds"))
      const stubborn = A.toLayer(
        (input) => input === "slow" ? Step.run("slow", Effect.as(slow, "slow")) : behave(input),
        { intensity: 0 }
      )
      yield* inWorld(
        { agents: [stubborn, B.toLayer((input) => A.call(input))] },
        Effect.gen(function*() {
          yield* submit("a", "slow")
          yield* Effect.andThen(pause, submit("a", "dies 1"))
          yield* pause
          assert.strictEqual((yield* node("a")).resident, 0)
          const call = yield* Effect.forkChild(run("b", "hello"))
          const submission = yield* Effect.forkChild(run("a", "hello"))
          yield* Effect.sleep("1 second")
          assert.deepStrictEqual([call.pollUnsafe(), submission.pollUnsafe()], [undefined, undefined])
          yield* Effect.sleep("1 second")
          for (const fiber of [call, submission]) {
            assert.deepStrictEqual(yield* Fiber.join(fiber), { _tag: "Completed", result: "hello, attempt 1" })
          }
        })
      )
    }))
})

describe("the tree", () => {
  it.effect("tells what runs, waits and is in memory", () =>
    Effect.gen(function*() {
      const Narrow = Agent.make("narrow", { description: "", input: Schema.Null, output: Schema.Null, concurrency: 1 })
      const agents = [
        a({ restart: "transient" }),
        Narrow.toLayer(() => Step.run("long", Effect.as(Effect.sleep("1 hour"), null)))
      ]
      yield* inWorld(
        { agents },
        Effect.gen(function*() {
          for (const agent of ["narrow", "narrow"]) yield* submit(agent, null)
          yield* submit("a", "stays")
          yield* pause
          const [first, second] = (yield* AgentSupervisor).tree()
          assert.deepInclude(first, { id: "a", restart: "transient", active: 0, waiting: 0, resident: 1, defects: 0 })
          assert.deepInclude(second, {
            id: "narrow",
            restart: "permanent",
            active: 1,
            waiting: 1,
            resident: 2,
            state: "running"
          })
        })
      )
    }))

  it.effect.each(
    [
      ["one_for_one", ["a running 0", "b running 1", "c running 0"]],
      ["rest_for_one", ["a running 0", "b running 1", "c running 1"]],
      ["one_for_all", ["a running 1", "b running 1", "c running 1"]]
    ] as const
  )("restarts by its strategy: %s", ([strategy, expected]) =>
    inWorld(
      { agents: [a(), b({ intensity: 0 }), c()], supervision: { strategy, intensity: 1, period: "1 minute" } },
      Effect.gen(function*() {
        const others = yield* Effect.forEach(["a", "c"], (agent) => submit(agent, "stays"))
        yield* pause
        assert.strictEqual((yield* run("b", "dies 1"))._tag, "Completed")
        assert.deepStrictEqual(yield* told, [...expected])
        for (const id of others) assert.strictEqual((yield* result(id)).ending._tag, "Completed")
      })
    ))

  it.effect("gives up when restarts do not help; nothing runs any more and no task is lost", () =>
    inWorld(
      {
        agents: [a(), b({ intensity: 0 })],
        supervision: { strategy: "one_for_one", intensity: 1, period: "1 minute" }
      },
      Effect.gen(function*() {
        const { escalation } = yield* AgentSupervisor
        const ids = [yield* submit("a", "stays"), yield* submit("b", "dies 2")]
        const error = yield* Effect.flip(escalation)
        assert.strictEqual(error.message, `"b" was restarted more than 1 times in 1m`)
        assert.deepStrictEqual(yield* told, ["a stopped 0", "b stopped 1"])
        yield* Effect.sleep("5 minutes")
        for (const id of ids) assert.strictEqual(yield* statusOf(id), "working")
      })
    ))
})

describe("a server that is killed on purpose", () => {
  it.effect("is restarted as after defects, and its tasks go on", () =>
    inWorld(
      { agents: [a(), b()] },
      Effect.gen(function*() {
        const staying = yield* submit("a", "stays")
        yield* pause
        const { kill } = yield* AgentSupervisor
        assert.deepStrictEqual([yield* kill("a"), yield* kill("nobody")], [true, false])
        yield* pause
        assert.deepStrictEqual(yield* told, ["a running 1", "b running 0"])
        assert.match((yield* node("a")).reason!, /killed on purpose/)
        const { ending } = yield* result(staying)
        assert.strictEqual(ending._tag, "Completed")
      })
    ))
})
