/**
 * Calls that would never end, and trees that outgrow their limits (case 42).
 */
import { ancestryKey, digestOf } from "@coppice/task/Lineage"
import type { Batch } from "@coppice/task/TaskStore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.ts"
import type { CallError } from "../../src/AgentError.ts"
import * as Executor from "../../src/Executor.ts"
import { recording, restored } from "../support/Recording.ts"
import { eventsOf, inWorld, type Options, result, run, submit } from "../support/World.ts"

const json = { input: Schema.Json, output: Schema.Json }
const A = Agent.make("a", { description: "Calls b", ...json })
const B = Agent.make("b", { description: "Calls a", ...json })

/** What the call was refused for, as the handler sees it. */
const refusalOf = <R>(call: Effect.Effect<unknown, CallError, R>) =>
  Effect.map(Effect.orDie(Effect.flip(call)), ({ reason }): Schema.Json => JSON.parse(JSON.stringify(reason)))

const ended = (options: Options, input: Schema.Json = 1) => inWorld(options, run("a", input))

const resultOf = (options: Options, input: Schema.Json = 1) =>
  Effect.map(ended(options, input), (ending) => {
    assert.strictEqual(ending._tag, "Completed", JSON.stringify(ending))
    return (ending as { readonly result: any }).result
  })

describe("a circle of calls", () => {
  it.effect("is refused when an agent calls itself with its own input", () =>
    Effect.gen(function*() {
      const found = yield* resultOf({ agents: [A.toLayer((input) => refusalOf(A.call(input)))] })
      assert.deepInclude(found, { _tag: "Cycle", chain: ["a", "a"] })
      assert.match(found.detail, /"a" is under way above with the same input/)
    }))

  it.effect("is refused where it closes, and names everybody in it", () =>
    Effect.gen(function*() {
      const agents = [
        A.toLayer((input) => Effect.orDie(B.call([input]))),
        B.toLayer((input) => refusalOf(A.call((input as Array<number>)[0]!)))
      ]
      assert.deepInclude(yield* resultOf({ agents }), { _tag: "Cycle", chain: ["a", "b", "a"] })
    }))

  it.effect("is none when the input gets smaller, or when it is allowed", () =>
    Effect.gen(function*() {
      const down = A.toLayer((n) =>
        (n as number) === 0 ? Effect.succeed("end") : Effect.orDie(A.call((n as number) - 1))
      )
      assert.strictEqual(yield* resultOf({ agents: [down] }, 5), "end")
      let times = 0
      const allowed = A.toLayer((input) =>
        ++times === 3 ? Effect.succeed(times) : Effect.orDie(A.call(input, { allowCycle: true }))
      )
      assert.strictEqual(yield* resultOf({ agents: [allowed] }), 3)
    }))

  it.effect("is none where an agent of that name is under way in another service", () =>
    Effect.gen(function*() {
      const chain = [{ task: "1m8p2kgqv0000hv9gnf9", agent: "b", digest: digestOf("b", 1) }]
      const meta = { [ancestryKey]: { depth: 1, chain } }
      const agents = [A.toLayer((input) => Effect.orDie(B.call(input))), B.toLayer(() => Effect.succeed("done"))]
      assert.deepInclude(yield* inWorld({ agents }, run("a", 1, { meta })), { _tag: "Completed", result: "done" })
    }))

  it.effect("is found by a task whose ancestors have left memory, and replayed as it was found", () =>
    Effect.gen(function*() {
      const agents = [
        A.toLayer((input) => Effect.orDie(B.call([input]))),
        B.toLayer((input) =>
          Effect.andThen(
            Effect.sleep("1 hour"),
            Effect.tap(refusalOf(A.call((input as Array<number>)[0]!)), () => Effect.sleep("1 hour"))
          )
        )
      ]
      const batches: Array<Batch> = []
      const asked = Effect.gen(function*() {
        const { evictIdle } = yield* Executor.Executor
        const id = yield* submit("a", 1)
        yield* Effect.sleep("10 minutes")
        yield* evictIdle
        yield* Effect.sleep("1 hour")
        const found = (yield* eventsOf()).filter(({ event }) => event._tag === "StepRecorded")
        assert.lengthOf(found, 1)
        return id
      })
      yield* inWorld({ agents, store: recording(batches), patience: 1e9 }, asked)
      const again = { agents, store: restored(batches), patience: 1e9 }
      const { ending } = yield* inWorld(again, result(batches[0]!.events[0]!.task))
      assert.deepInclude((ending as { readonly result: object }).result, { _tag: "Cycle", chain: ["a", "b", "a"] })
    }))
})

describe("a tree", () => {
  it.effect("is no deeper than its limit", () =>
    Effect.gen(function*() {
      const bomb = A.toLayer((n) =>
        Effect.catchTag(
          A.call((n as number) + 1),
          "CallError",
          ({ reason }) => Effect.succeed({ n, ...reason } as never)
        )
      )
      assert.deepInclude(yield* resultOf({ agents: [bomb] }, 0), { n: 31, _tag: "TooDeep", limit: 32 })
      assert.deepInclude(yield* resultOf({ agents: [bomb], limits: { depth: 3, calls: 10 } }, 0), {
        n: 2,
        _tag: "TooDeep",
        limit: 3
      })
    }))

  it.effect("is no wider than its limit below one task", () =>
    Effect.gen(function*() {
      const leaf = B.toLayer((n) => Effect.succeed(n))
      const bomb = A.toLayer((count) =>
        Effect.forEach(Array.from({ length: count as number }, (_, n) => n), (n) => B.call(n), {
          concurrency: "unbounded"
        }).pipe(Effect.as("all"), Effect.catchTag("CallError", ({ reason }) => Effect.succeed({ ...reason } as never)))
      )
      const options = { agents: [leaf, bomb], limits: { depth: 32, calls: 100 } }
      assert.strictEqual(yield* resultOf(options, 100), "all")
      assert.deepInclude(yield* resultOf(options, 101), { _tag: "TooManyCalls", limit: 100 })
    }))
})
