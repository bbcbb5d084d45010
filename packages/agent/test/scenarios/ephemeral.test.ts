import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import { CallError } from "../../src/AgentError.ts"
import * as Human from "../../src/Human.ts"
import * as Step from "../../src/Step.ts"
import { TaskContext } from "../../src/TaskContext.ts"
import { root, type Work } from "../support/Twice.ts"
import { eventsOf, inWorld, result, run, submit } from "../support/World.ts"

class Odd extends Schema.TaggedError<Odd>()("Odd", { n: Schema.BigInt }) {}

const Half = Agent.make("half", {
  description: "Halves",
  input: Schema.BigInt,
  output: Schema.Struct({ half: Schema.BigInt, on: Schema.Date }),
  error: Odd,
  ephemeral: true
})
const Plain = Agent.make("plain", { description: "", input: Schema.String, output: Schema.Null })

const on = new Date("2030-01-01T00:00:00.000Z")
const halve = (n: bigint) => n % 2n === 0n ? Effect.succeed({ half: n / 2n, on }) : Effect.fail(new Odd({ n }))

/** Runs the work with an ephemeral agent at hand; the run's ending and its facts. */
const inRun = (work: Work, handler: (n: bigint) => Effect.Effect<any, Odd, TaskContext> = halve) =>
  inWorld(
    { agents: [root(work), Half.toLayer(handler as never), Plain.toLayer(() => Effect.succeed(null))] },
    Effect.gen(function*() {
      const { ending, task } = yield* Effect.flatMap(submit("root", null), result)
      const events = yield* eventsOf()
      assert.deepStrictEqual(new Set(events.map((envelope) => envelope.task)), new Set([task.id]))
      return { ending, events: events.map(({ event }) => event) }
    })
  )

describe("a call of an ephemeral agent", () => {
  it.effect("is one recorded step of its caller, with the values its schemas say", () =>
    Effect.gen(function*() {
      const work = Effect.map(Half.call(8n), ({ half, on }) => [String(half), on.getTime()])
      const { ending, events } = yield* inRun(work)
      assert.deepStrictEqual(ending, { _tag: "Completed", result: ["4", on.getTime()] })
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Created", "StepRecorded", "Completed"])
      const value = { half: "4", on: "2030-01-01T00:00:00.000Z" }
      assert.deepInclude(events[1], { name: "half", exit: { _tag: "Success", value } })
    }))

  it.effect("fails with the error the agent declares", () =>
    Effect.gen(function*() {
      const { ending, events } = yield* inRun(
        Effect.map(Effect.flip(Half.call(3n)), (error) => error instanceof Odd ? `odd: ${error.n + 1n}` : "other")
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "odd: 4" })
      assert.deepInclude(events[1], { exit: { _tag: "Failure", error: { declared: { _tag: "Odd", n: "3" } } } })
    }))

  it.effect("is not made again by a replay", () =>
    Effect.gen(function*() {
      let calls = 0
      const work = Effect.gen(function*() {
        const { half } = yield* Half.call(8n)
        const { attempt } = yield* TaskContext
        return attempt === 1 ? yield* Effect.die("after the call") : [attempt, String(half)]
      })
      const { ending } = yield* inRun(work, (n) => Effect.suspend(() => halve(n + BigInt(2 * calls++))))
      assert.deepStrictEqual(ending, { _tag: "Completed", result: [2, "4"] })
      assert.strictEqual(calls, 1)
    }))

  it.effect("runs its steps inline, under keys below its own", () =>
    Effect.gen(function*() {
      const keys: Array<string> = []
      const note = Effect.flatMap(Step.idempotencyKey, (key) => Effect.sync(() => keys.push(key)))
      const { ending, events } = yield* inRun(Effect.as(Half.call(8n), "done"), (n) =>
        Step.run("look", note).pipe(
          Effect.andThen(Step.run("look", { n: 1 }, note)),
          Effect.andThen(Step.run("fail", Effect.fail("no"))),
          Effect.catch(() => halve(n))
        ))
      assert.strictEqual(ending._tag, "Completed")
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Created", "StepRecorded", "Completed"])
      const [first, second] = keys.map((key) => key.split("/"))
      assert.match(first![1]!, /^call:half:/)
      assert.deepStrictEqual([first![2], second![1]], ["look", first![1]])
      assert.match(second![2]!, /^look:/)
    }))

  it.effect.each<readonly [string, Work]>([
    ["calls", Plain.call("x")],
    ["ephemeral calls", Half.call(2n)],
    ["questions", Human.ask({ message: "?", form: Schema.Struct({}) })]
  ])("makes no %s of its own", ([, inner]) =>
    Effect.gen(function*() {
      const { ending } = yield* inRun(Half.call(8n), () => inner)
      assert(ending._tag === "Failed")
      assert.strictEqual(ending.reason, "defect")
      assert.strictEqual(ending.message, "This can only be used in a handler, not in the body of a step")
    }))

  it.effect("costs the caller an attempt when its handler dies", () =>
    Effect.gen(function*() {
      let deaths = 2
      const { ending, events } = yield* inRun(
        Effect.as(Half.call(8n), "done"),
        (n) => Effect.suspend(() => deaths-- > 0 ? Effect.die(new Error("boom")) : halve(n))
      )
      assert.deepStrictEqual(ending, { _tag: "Completed", result: "done" })
      assert.strictEqual(events.filter(({ _tag }) => _tag === "AttemptFailed").length, 2)
    }))

  it.effect("is Unknown where nobody serves it", () =>
    Effect.gen(function*() {
      const work = Effect.map(Effect.exit(Half.call(8n)), (exit) => {
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, CallError)
        return [error.reason._tag, error.reason.detail]
      })
      const ending = yield* inWorld({ agents: [root(work)] }, run("root", null))
      const detail = `no code for the ephemeral agent "half" in this process`
      assert.deepStrictEqual(ending, { _tag: "Completed", result: ["Unknown", detail] })
    }))
})
