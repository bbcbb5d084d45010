import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { layer, UnknownAgent, type Worker, Workers } from "../src/Worker.ts"
import { contract } from "./support/engine.ts"

const worker = (name: string): Worker => ({
  contract: contract(name),
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

  it("says which agents there are", () => {
    const message = (agent: string, suggestion: string | undefined, known: ReadonlyArray<string>) =>
      new UnknownAgent({ agent, suggestion, known }).message
    assert.strictEqual(message("x", undefined, ["a", "b"]), `Unknown agent "x"; known agents: a, b`)
    assert.strictEqual(message("x", undefined, []), `Unknown agent "x": this service has no agents`)
    assert.strictEqual(message("reviw", "review", ["review"]), `Unknown agent "reviw"; did you mean "review"?`)
  })
})
