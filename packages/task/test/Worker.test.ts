import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { layer, UnknownAgent, type Worker, Workers } from "../src/Worker.ts"
import { contract } from "./support/engine.ts"

const worker = (name: string, queue = 1_000): Worker => ({
  contract: contract(name, { queue }),
  accept: Effect.succeed,
  waiting: () => 0,
  hasPlace: () => true,
  whenRoom: (callback) => callback(),
  start: () => {},
  resume: () => {}
})

describe("Workers", () => {
  it.effect("knows a worker as long as its scope is open", () =>
    Effect.gen(function*() {
      const workers = yield* Workers
      const one = worker("one")
      const scope = yield* Scope.make()
      yield* Scope.provide(workers.register(one), scope)
      assert.strictEqual(workers.find("one"), one)
      assert.strictEqual(yield* workers.get("one"), one)
      assert.deepStrictEqual(workers.list(), [one])
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(workers.find("one"))
    }).pipe(Effect.provide(layer)))

  it.effect("keeps the worker that took over a name when the earlier one goes", () =>
    Effect.gen(function*() {
      const workers = yield* Workers
      const [first, second] = [worker("one"), worker("one")]
      const scope = yield* Scope.make()
      yield* Scope.provide(workers.register(first), scope)
      yield* workers.register(second)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(workers.find("one"), second)
    }).pipe(Effect.provide(layer)))

  describe("an agent whose worker is away", () => {
    /** Knows the agent `one`, whose worker has gone. */
    const away = Effect.fnUntraced(function*(queue?: number) {
      const workers = yield* Workers
      yield* Effect.scoped(workers.register(worker("one", queue)))
      return workers
    })

    it.effect("is waited for, and found when it is back", () =>
      Effect.gen(function*() {
        const workers = yield* away()
        const requests = yield* Effect.forkChild(
          Effect.all([workers.get("one"), workers.get("one")], { concurrency: 2 })
        )
        yield* TestClock.adjust("4999 millis")
        assert.isUndefined(requests.pollUnsafe())
        const back = worker("one")
        yield* workers.register(back)
        assert.deepStrictEqual(yield* Fiber.join(requests), [back, back])
      }).pipe(Effect.provide(layer)))

    it.effect("is refused after a while as one that is away", () =>
      Effect.gen(function*() {
        const request = yield* Effect.forkChild(Effect.flip((yield* away()).get("one")))
        yield* TestClock.adjust("5 seconds")
        const error = yield* Fiber.join(request)
        assert.deepInclude(error, { _tag: "AgentAway", agent: "one", retryAfter: 1_000 })
        assert.strictEqual(error.message, `Agent "one" takes no tasks now: its server is down; try again in 1000 ms`)
      }).pipe(Effect.provide(layer)))

    it.effect("is not waited for by more requests than its queue would take, nor by those that gave up", () =>
      Effect.gen(function*() {
        const workers = yield* away(1)
        const first = yield* Effect.forkChild(workers.get("one"))
        yield* TestClock.adjust(0)
        assert.strictEqual((yield* Effect.flip(workers.get("one")))._tag, "AgentAway")
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkChild(workers.get("one"))
        yield* TestClock.adjust(0)
        assert.isUndefined(second.pollUnsafe())
      }).pipe(Effect.provide(layer)))

    it.effect("keeps its contract, and its place among the suggestions", () =>
      Effect.gen(function*() {
        const workers = yield* away()
        assert.strictEqual(workers.contract("one")?.name, "one")
        assert.isUndefined(workers.contract("two"))
        assert.deepInclude(yield* Effect.flip(workers.get("onne")), { _tag: "UnknownAgent", suggestion: "one" })
      }).pipe(Effect.provide(layer)))
  })

  it("says which agents there are", () => {
    const message = (agent: string, suggestion: string | undefined, known: ReadonlyArray<string>) =>
      new UnknownAgent({ agent, suggestion, known }).message
    assert.strictEqual(message("x", undefined, ["a", "b"]), `Unknown agent "x"; known agents: a, b`)
    assert.strictEqual(message("x", undefined, []), `Unknown agent "x": this service has no agents`)
    assert.strictEqual(message("reviw", "review", ["review"]), `Unknown agent "reviw"; did you mean "review"?`)
  })
})
