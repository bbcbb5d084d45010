import type { Fault, FaultRequest } from "@coppice/api/DevApi"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Faults } from "../../src/dev/Faults.ts"

const make = (before: ReadonlyArray<Fault> = []) => {
  let now = 1_000
  const done: Array<string> = []
  const saved: Array<number> = []
  const faults = new Faults({
    now: () => now,
    agents: () => ["review"],
    servers: () => new Map([["far", "far.test:81"], ["program", undefined]]),
    killWorker: (agent) => Effect.sync(() => agent === "review" && done.push(`kill ${agent}`) > 0),
    killProcess: () => void done.push("kill"),
    jump: (millis) => {
      now += millis
    },
    cut: (host) => void done.push(`cut ${host}`),
    changed: (all) => void saved.push(all.length),
    say: (line) => void done.push(line),
    config: "./coppice.config.ts"
  }, before)
  return { faults, done, saved, pass: (millis: number) => void (now += millis) }
}

const kinds = (hindrances: ReadonlyArray<{ readonly kind: string }>) => hindrances.map(({ kind }) => kind)

describe("a fault", () => {
  it.effect("is done, told, kept, and can be copied as a test", () =>
    Effect.gen(function*() {
      const { done, faults, saved } = make()
      const fault = yield* faults.apply({ kind: "kill-worker", agent: "review" })
      assert.deepStrictEqual([fault.id, fault.state, fault.struck], ["1", "over", 1])
      assert.deepStrictEqual(done, ["kill review", "fault 1: the server of \"review\" dies"])
      assert.include(fault.test, "Simulation.check(")
      assert.deepStrictEqual(saved, [1])
    }))

  it.effect("that is counted strikes so often", () =>
    Effect.gen(function*() {
      const { faults } = make()
      yield* faults.apply({ kind: "too-many-requests", target: "far", times: 2, retryAfter: 3 })
      assert.deepStrictEqual(faults.meet("other.test", true), [])
      assert.deepStrictEqual(faults.meet("far.test:81", false), [{ kind: "too-many-requests", retryAfter: 3 }])
      assert.strictEqual(faults.list()[0]?.state, "active")
      assert.deepStrictEqual(kinds(faults.meet("far.test:81", false)), ["too-many-requests"])
      assert.deepStrictEqual(faults.meet("far.test:81", false), [])
      assert.deepStrictEqual([faults.list()[0]?.state, faults.list()[0]?.struck], ["over", 2])
    }))

  it.effect("of the network cuts what is open and ends by itself", () =>
    Effect.gen(function*() {
      const { done, faults, pass } = make()
      const { until } = yield* faults.apply({ kind: "drop-network", target: "far", millis: 5_000 })
      assert.strictEqual(until, 6_000)
      assert.include(done, "cut far.test:81")
      assert.deepStrictEqual(kinds(faults.meet("far.test:81", false)), ["drop-network"])
      pass(5_000)
      assert.deepStrictEqual(faults.meet("far.test:81", false), [])
      assert.strictEqual(faults.list()[0]?.state, "over")
    }))

  it.effect("of one who is called twice waits for a request with a body", () =>
    Effect.gen(function*() {
      const { faults } = make()
      yield* faults.apply({ kind: "duplicate", target: "api.example.com" })
      assert.deepStrictEqual(faults.meet("api.example.com", false), [])
      assert.deepStrictEqual(kinds(faults.meet("api.example.com", true)), ["duplicate"])
      assert.deepStrictEqual(faults.meet("api.example.com", true), [])
    }))

  it.effect("can be taken back while it strikes, not when it is over", () =>
    Effect.gen(function*() {
      const { faults } = make()
      yield* faults.apply({ kind: "delay", target: "far", millis: 10 })
      yield* faults.apply({ kind: "jump", millis: 86_400_000 })
      assert.strictEqual((yield* faults.clear("1")).state, "cleared")
      assert.deepStrictEqual(faults.meet("far.test:81", true), [])
      assert.strictEqual((yield* Effect.flip(faults.clear("2"))).error.code, "conflict")
      assert.strictEqual((yield* Effect.flip(faults.clear("3"))).error.code, "fault_not_found")
      yield* faults.apply({ kind: "delay", target: "far", millis: 10 })
      yield* faults.clearAll
      assert.deepStrictEqual(faults.list().map(({ state }) => state), ["cleared", "over", "cleared"])
    }))

  it.effect("goes on after a kill, under its number", () =>
    Effect.gen(function*() {
      const first = make()
      yield* first.faults.apply({ kind: "delay", target: "far", millis: 10 })
      yield* first.faults.apply({ kind: "kill-process" })
      const { faults } = make(first.faults.list().toReversed())
      assert.deepStrictEqual(kinds(faults.meet("far.test:81", true)), ["delay"])
      assert.strictEqual((yield* faults.apply({ kind: "jump", millis: 1 })).id, "3")
    }))

  it.effect("needs a target there is", () =>
    Effect.gen(function*() {
      const { faults } = make()
      const refused = (request: FaultRequest) =>
        Effect.map(Effect.flip(faults.apply(request)), ({ error: { code, field, message } }) => [code, field, message])
      assert.deepStrictEqual(yield* refused({ kind: "kill-worker", agent: "reviwe" }), [
        "unknown_agent",
        "agent",
        "No server of an agent \"reviwe\" runs here"
      ])
      assert.match(
        (yield* refused({ kind: "delay", target: "program", millis: 1 }))[2]!,
        /is a program, not an address/
      )
      assert.match((yield* refused({ kind: "delay", target: "fra", millis: 1 }))[2]!, /neither a server .* nor a host/)
    }))
})
