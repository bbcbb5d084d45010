import type { FailureReason } from "@coppice/task/Task"
import { Tasks } from "@coppice/task/Tasks"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Agent from "../src/Agent.ts"
import type { CallError } from "../src/AgentError.ts"
import * as Executor from "../src/Executor.ts"
import * as Human from "../src/Human.ts"
import { TaskContext } from "../src/TaskContext.ts"
import * as Workflow from "../src/Workflow.ts"
import { eventsOf, failureIn, inWorld, pause, result, run, submit, tagsOf } from "./support/World.ts"

const dateAt = (millis: number) => new Date(millis)

/** For calls whose types the test does not care about. */
const untyped = (effect: Effect.Effect<any, any, any>): Effect.Effect<any, any> => effect as any

const Review = Agent.make("review", {
  description: "Reviews a file",
  input: Schema.Struct({ path: Schema.String, since: Schema.Date }),
  output: Schema.Struct({ verdict: Schema.Literals(["ok", "fix"]), at: Schema.Date }),
  error: Schema.Struct({ _tag: Schema.Literal("NoFile"), path: Schema.String })
})

const ReviewLive = Review.toLayer(({ path, since }) =>
  path === "gone"
    ? Effect.fail({ _tag: "NoFile" as const, path })
    : Effect.succeed({ verdict: "ok" as const, at: since })
)

/** An agent that tells as text what became of what it was given to do. */
const Teller = Agent.make("teller", { description: "Tells", input: Schema.Json, output: Schema.String })
const teller = (work: (input: Schema.Json) => Effect.Effect<unknown, any, any>) =>
  Teller.toLayer((input) =>
    Effect.matchEffect(work(input) as Effect.Effect<unknown, any>, {
      onSuccess: (value) => Effect.succeed(JSON.stringify(value)),
      onFailure: (error) => Effect.succeed(JSON.stringify(error.reason ?? error))
    })
  )

const told = (
  work: (input: Schema.Json) => Effect.Effect<unknown, any, any>,
  agents: ReadonlyArray<any> = [ReviewLive]
) =>
  inWorld(
    { agents: [...agents, teller(work)] },
    Effect.map(run("teller", null), (ending) => {
      assert(ending._tag === "Completed", JSON.stringify(ending))
      return JSON.parse(String(ending.result))
    })
  )

const simple = (name: string, options: Partial<Agent.AgentOptions<any, any, any>> = {}) =>
  Agent.make(name, { description: name, input: Schema.Json, output: Schema.Json, ...options })

describe("make", () => {
  it.each(["", "a b", "ä", "x".repeat(129), "a/b"])(
    "refuses the name %j",
    (name) => assert.throws(() => simple(name), "tool names")
  )

  it.each(["a", "A.b_c-9", "x".repeat(128)])("takes the name %j", (name) => assert.strictEqual(simple(name).name, name))

  it.each([0, -1, 1.5, NaN])(
    "refuses a concurrency of %d",
    (concurrency) => assert.throws(() => simple("a", { concurrency }), "at least 1")
  )

  it("has a version that changes with the schemas, unless it is given", () => {
    const version = simple("a").contract.version
    assert.strictEqual(simple("a", { description: "other" }).contract.version, version)
    assert.notStrictEqual(simple("a", { output: Schema.String }).contract.version, version)
    assert.strictEqual(simple("a", { version: "7" }).contract.version, "7")
  })

  it("tells its contract in JSON Schema", () => {
    const { error, input, kind, policy } = Review.contract
    assert.deepStrictEqual(Object.keys(input["properties"] as object), ["path", "since"])
    assert.isNotNull(error)
    assert.deepStrictEqual([kind, policy, simple("a").contract.error], ["agent", "slow", null])
    assert.strictEqual(
      Workflow.make("w", { description: "", input: Schema.Json, output: Schema.Json }).contract.kind,
      "workflow"
    )
  })
})

describe("the border", () => {
  it.effect("hands typed values over and back", () =>
    Effect.gen(function*() {
      const since = dateAt(86_400_000)
      const answer = yield* told(() => Review.call({ path: "a", since }))
      assert.deepStrictEqual(answer, { verdict: "ok", at: since.toJSON() })
    }))

  it.effect("records the encoded input and output", () =>
    inWorld(
      { agents: [ReviewLive] },
      Effect.gen(function*() {
        const id = yield* submit("review", { path: "a", since: "1970-01-02T00:00:00.000Z" })
        const { ending } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: { verdict: "ok", at: "1970-01-02T00:00:00.000Z" } })
        assert.deepStrictEqual(yield* (yield* Tasks).input(id), { path: "a", since: "1970-01-02T00:00:00.000Z" })
      })
    ))

  it.effect("hands a declared error to the parent as itself", () =>
    Effect.gen(function*() {
      const error = yield* told(() => Review.call({ path: "gone", since: dateAt(0) }))
      assert.deepStrictEqual(error, { _tag: "NoFile", path: "gone" })
    }))

  it.effect("refuses input from outside that does not fit, and says where", () =>
    inWorld(
      { agents: [ReviewLive] },
      Effect.gen(function*() {
        const error = yield* Effect.flip(submit("review", { path: 7, since: "1970-01-02T00:00:00.000Z" }))
        assert(error._tag === "InvalidInput")
        assert.deepStrictEqual([error.agent, error.path], ["review", "path"])
        assert.strictEqual((yield* eventsOf()).length, 0)
      })
    ))

  it.effect("refuses input from a parent that does not fit, and says where", () =>
    Effect.gen(function*() {
      const reason = yield* told(() => Review.call({ path: 7 as never, since: dateAt(0) }))
      assert.strictEqual(reason._tag, "Refused")
      assert.include(reason.detail, "path")
    }))

  it.effect("fails a task whose output does not fit, and says where", () =>
    inWorld(
      {
        agents: [
          simple("odd", { output: Schema.Struct({ n: Schema.Finite }) }).toLayer(() => Effect.succeed({ n: "x" }))
        ]
      },
      Effect.gen(function*() {
        const failed = yield* failureIn(run("odd", 1))
        assert.strictEqual(failed.reason, "defect")
        assert.include(failed.message, "n")
      })
    ))

  it.effect("lets no value out that is not JSON, whatever the schema allows", () =>
    inWorld(
      { agents: [simple("big", { output: Schema.Any }).toLayer(() => Effect.succeed({ n: 1n }))] },
      Effect.gen(function*() {
        const failed = yield* failureIn(run("big", 1))
        assert.include(failed.message, "bigint")
        assert.deepStrictEqual(yield* run("big", 1), failed)
      })
    ))

  it.effect("keeps what was recorded apart from what the handler does to its values", () =>
    inWorld(
      {
        agents: [
          simple("child").toLayer((input) => Effect.sync(() => (input as Array<number>).push(9) && input)),
          simple("parent").toLayer(() =>
            Effect.gen(function*() {
              const list = [1]
              const first = yield* Effect.forkChild(simple("child").call(list), { startImmediately: true })
              list.push(2)
              return yield* Fiber.join(first)
            })
          )
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("parent", 1), { _tag: "Completed", result: [1, 9] })
        const [, child] = (yield* eventsOf()).filter(({ event }) => event._tag === "Created")
        assert.deepStrictEqual(yield* (yield* Tasks).input(child!.task), [1])
      })
    ))

  it.effect("refuses what is too large, on the way in and on the way out", () =>
    inWorld(
      { agents: [simple("echo").toLayer((n) => Effect.succeed("x".repeat(Number(n))))] },
      Effect.gen(function*() {
        const large = 1_100_000
        assert.strictEqual((yield* Effect.flip(submit("echo", "x".repeat(large))))._tag, "PayloadTooLarge")
        assert.include((yield* failureIn(run("echo", large))).message, "Artifact.write")
        assert.strictEqual((yield* run("echo", 10))._tag, "Completed")
      })
    ))

  it.effect("refuses a call whose input is too large", () =>
    Effect.gen(function*() {
      const reason = yield* told(() => simple("echo").call("x".repeat(1_100_000)))
      assert.strictEqual(reason._tag, "Refused")
      assert.include(reason.detail, "larger than")
    }))
})

describe("a call without a result", () => {
  const reasonOf = (agents: ReadonlyArray<any>, name = "child", options?: Agent.CallOptions) =>
    Effect.map(
      told(() => simple(name, { output: Schema.Finite }).call(1, options), agents),
      (reason) => reason as CallError["reason"] & { reason?: FailureReason }
    )

  it.effect("says that the agent's task died", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf([simple("child", { attempts: 1 }).toLayer(() => Effect.die(new Error("boom")))])
      assert.deepInclude(reason, { _tag: "Failed", reason: "defect", detail: "boom" })
    }))

  it.effect("says that nobody has that name, and which name is near", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf([simple("child").toLayer(Effect.succeed)], "chidl")
      assert.deepInclude(reason, { _tag: "Unknown" })
      assert.include(reason.detail, `did you mean "child"`)
    }))

  it.effect("says that the answer does not fit the caller's contract", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf([simple("child").toLayer(() => Effect.succeed("text"))])
      assert.strictEqual(reason._tag, "Malformed")
    }))

  it.effect("says that the deadline passed", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf([simple("child").toLayer(() => Effect.never)], "child", { deadline: 1_000 })
      assert.deepInclude(reason, { _tag: "Failed", reason: "deadline" })
    }))

  it.effect("says that somebody cancelled it, and who", () =>
    inWorld(
      {
        agents: [simple("child").toLayer(() => Effect.never), teller(() => simple("child").call(1))]
      },
      Effect.gen(function*() {
        const tasks = yield* Tasks
        const root = yield* submit("teller", 1)
        yield* pause
        const [, child] = yield* tasks.tree(root)
        yield* tasks.cancel({ id: child!.id, by: "ada" })
        const { ending } = yield* result(root)
        assert(ending._tag === "Completed")
        assert.deepInclude(JSON.parse(String(ending.result)), { _tag: "Cancelled", detail: "Cancelled by ada" })
      })
    ))

  it.effect("fails the caller that lets it through, without another attempt", () =>
    inWorld(
      { agents: [simple("caller").toLayer((n) => simple("nobody").call(n))] },
      Effect.gen(function*() {
        const id = yield* submit("caller", 1)
        assert.include((yield* failureIn(Effect.map(result(id), ({ ending }) => ending))).message, "nobody")
        assert.notInclude(yield* tagsOf(id), "AttemptFailed")
      })
    ))
})

describe("a defect", () => {
  it.effect("costs an attempt, and fails the task after the last", () =>
    inWorld(
      { agents: [simple("dies", { attempts: 3 }).toLayer(() => Effect.die(new Error("boom")))] },
      Effect.gen(function*() {
        const id = yield* submit("dies", 1)
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Failed", reason: "defect", message: "boom", error: null })
        assert.strictEqual(task.attempt, 3)
        const all = ["AttemptFailed", "Started", "AttemptFailed", "Started"]
        assert.deepStrictEqual(yield* tagsOf(id), ["Created", ...all, "Failed"])
      })
    ))

  it.effect("leaves the siblings and the server alone, and is counted", () =>
    inWorld(
      {
        agents: [
          simple("mixed", { attempts: 2 }).toLayer((n) =>
            n === 0 ? Effect.die("boom") : Effect.as(Effect.sleep("1 second"), n)
          ),
          simple("all").toLayer(() =>
            Effect.map(
              Effect.forEach([0, 1, 2], (n) => Effect.exit(simple("mixed").call(n)), { concurrency: 3 }),
              (exits) => exits.map((exit) => Exit.isSuccess(exit) ? exit.value : null)
            )
          )
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("all", 1), { _tag: "Completed", result: [null, 1, 2] })
        const stats = (yield* Executor.Executor).stats().find(({ agent }) => agent === "mixed")
        assert.deepInclude(stats, { active: 0, waiting: 0, resident: 0, restarts: 2 })
      })
    ))

  it.effect("of a handler that throws is a defect, too", () =>
    inWorld(
      {
        agents: [
          simple("throws", { attempts: 1 }).toLayer(() => {
            throw new TypeError("not a function")
          })
        ]
      },
      Effect.gen(function*() {
        assert.deepInclude(yield* run("throws", 1), { reason: "defect", message: "TypeError: not a function" })
      })
    ))
})

describe("a defect that the next attempt does not have", () => {
  const ask = (message: string) =>
    Effect.map(Effect.orDie(Human.ask({ message, form: Schema.Struct({ n: Schema.Finite }) })), ({ n }) => n)
  const answerAll = Effect.gen(function*() {
    const tasks = yield* Tasks
    const response = { action: "accept", content: { n: 7 }, by: "ada" } as const
    for (const { request, task } of yield* tasks.inbox({})) {
      yield* tasks.respond({ id: task, key: request.key, response })
    }
  })

  it.effect("leaves nothing undone that it took back: calls, questions, pauses", () => {
    const Child = simple("child")
    const work = Effect.gen(function*() {
      const { attempt } = yield* TaskContext
      const boom = attempt === 1 ? Effect.die("boom") : Effect.succeed("calm")
      const pauses = Effect.as(Effect.sleep("1 minute"), "slept")
      return yield* Effect.all([Child.call(1), ask("?"), pauses, boom], { concurrency: "unbounded" })
    })
    return inWorld(
      { agents: [Child.toLayer(() => ask("child?")), simple("root").toLayer(() => work)] },
      Effect.gen(function*() {
        const id = yield* submit("root", null)
        yield* Effect.sleep("1 second")
        yield* answerAll
        const { ending, task } = yield* result(id)
        assert.deepStrictEqual(ending, { _tag: "Completed", result: [7, 7, "slept", "calm"] })
        assert.strictEqual(task.endedAt! - task.createdAt, 60_000)
      })
    )
  })
})

describe("a tree", () => {
  const Deep = simple("deep", { concurrency: 1 })

  it.effect("of one agent calling itself goes 32 calls deep with a single place, and no deeper", () =>
    inWorld(
      {
        agents: [
          Deep.toLayer((n) =>
            Effect.catchTag(Deep.call(Number(n) + 1), "CallError", ({ reason }) => Effect.succeed([n, reason._tag]))
          )
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("deep", 1), { _tag: "Completed", result: [32, "TooDeep"] })
      })
    ))

  it.effect("takes no more than 20,000 calls from one task", () =>
    inWorld(
      {
        agents: [
          simple("leaf", { concurrency: 30_000 }).toLayer(Effect.succeed),
          teller(() => {
            const calls = Array.from({ length: 20_001 }, (_, n) => Effect.exit(simple("leaf").call(n)))
            return Effect.map(
              Effect.all(calls, { concurrency: "unbounded" }),
              (exits) => exits.filter(Exit.isFailure).length
            )
          })
        ]
      },
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* run("teller", 1), { _tag: "Completed", result: "1" })
      })
    ))
})

describe("a caller's handler", () => {
  it.effect("waits for the child, whatever the order in which they are served", () =>
    inWorld(
      {
        agents: [teller(() => Review.call({ path: "a", since: dateAt(0) })), ReviewLive]
      },
      Effect.gen(function*() {
        assert.strictEqual((yield* run("teller", 1))._tag, "Completed")
      })
    ))

  it.effect("cannot be called outside a task", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
      yield* inWorld(
        {
          agents: [ReviewLive, teller(() => Effect.succeed(1))]
        },
        Deferred.complete(
          gate,
          Effect.exit(untyped(Review.call({ path: "a", since: dateAt(0) })))
        )
      )
      assert.isTrue(Exit.isFailure(yield* Deferred.await(gate)))
    }))
})
