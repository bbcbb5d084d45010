import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { play, settled } from "./support/Stage.ts"

const ids = (supervisor: { readonly status: () => ReadonlyArray<{ readonly id: string; readonly state: string }> }) =>
  supervisor.status().map(({ id, state }) => `${id} ${state}`)

describe("replace", () => {
  it.effect("stops what goes in reverse, then starts what comes, and leaves the others alone", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, {})
      const [a, b, c] = ["a", "b", "c"].map((id) => stage.child(id))
      yield* supervisor.replace([a!, b!, c!])
      yield* settled
      assert.strictEqual(stage.read(), "+a +b +c")
      const again = stage.child("c")
      yield* supervisor.replace([stage.child("d"), b!, again])
      yield* settled
      assert.strictEqual(stage.read(), "-c -a +d +c")
      assert.deepStrictEqual(ids(supervisor), ["d running", "b running", "c running"])
    }))

  it.effect("has the strategy follow the new order", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({ strategy: "rest_for_one" }, {})
      const [a, b] = ["a", "b"].map((id) => stage.child(id))
      yield* supervisor.replace([a!, b!])
      yield* supervisor.replace([b!, a!])
      yield* settled
      stage.read()
      yield* stage.kill("b")
      assert.strictEqual(stage.read(), "-b -a +b +a")
    }))

  it.effect("does not wait for the restart of one that is gone", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({ strategy: "one_for_all", backoff: undefined }, {})
      const [a, b] = ["a", "b"].map((id) => stage.child(id))
      yield* supervisor.replace([a!, b!])
      yield* stage.kill("a")
      yield* stage.kill("a")
      assert.deepStrictEqual(ids(supervisor), ["a restarting", "b restarting"])
      yield* supervisor.replace([b!])
      yield* settled
      assert.deepStrictEqual(ids(supervisor), ["b running"])
      stage.read()
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(stage.read(), "")
    }))

  it.effect("lets one that does not begin die as any other", () =>
    Effect.gen(function*() {
      const { stage, supervisor } = yield* play({}, {})
      let isFirst = true
      const begin = Effect.suspend(() => {
        const fails = isFirst
        isFirst = false
        return fails ? Effect.fail("no port") : Effect.void
      })
      yield* supervisor.replace([stage.child("a", { begin })])
      yield* settled
      assert.deepStrictEqual(ids(supervisor), ["a running"])
    }))

  it.effect("does nothing any more once the supervisor is closed", () =>
    Effect.gen(function*() {
      const { close, stage, supervisor } = yield* play({}, { a: {} })
      yield* close
      stage.read()
      yield* Effect.exit(supervisor.replace([stage.child("b")]))
      assert.strictEqual(stage.read(), "")
    }))
})
