import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { availableParallelism } from "node:os"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Agent, Orchestrator, Step, type TaskContext } from "../../src/index.ts"
import type * as Heavy from "../support/heavy.ts"

const module = new URL("../support/heavy.ts", import.meta.url)
const heavy = Step.worker<typeof Heavy>()

const make = (stall?: Duration.Input) =>
  Agent.make("root", { description: "A root", input: Schema.Json, output: Schema.Json, attempts: 1, stall })

/** How a task ends whose handler does that. */
const of = (work: Effect.Effect<unknown, unknown, TaskContext>, stall?: Duration.Input) =>
  Effect.map(Orchestrator.run("root", null), ({ ending }) => ending as { readonly [key: string]: any }).pipe(
    Effect.provide(Orchestrator.layer(Orchestrator.make({ agents: [make(stall).toLayer(() => work as never)] })))
  )

describe("a step on a worker thread", () => {
  it.live("runs a module of TypeScript there", () =>
    Effect.gen(function*() {
      const work = Effect.all([heavy("sum", { n: 1_000 }, module), heavy("twice", 4, module, { export: "twice" })])
      const { result } = yield* of(work)
      assert.deepStrictEqual(result, [{ sum: 500_500, isThread: true }, 8])
    }), 20_000)

  it.live("leaves the event loop free while it works", () =>
    Effect.gen(function*() {
      const lag = monitorEventLoopDelay({ resolution: 5 })
      lag.enable()
      yield* of(heavy("busy", 700, module, { export: "busy" }))
      lag.disable()
      assert.isBelow(lag.max / 1e6, 600)
    }), 20_000)

  it.live(
    "that throws, or whose thread ends, is a defect, and the next one finds a thread",
    () =>
      Effect.gen(function*() {
        const thrown = yield* of(heavy("fail", undefined as never, module, { export: "fail" }))
        assert.deepInclude(thrown, { _tag: "Failed", reason: "defect", message: "out of luck" })
        const ended = yield* of(heavy("exit", undefined as never, module, { export: "exit" }))
        assert.match(ended["message"], /the thread ended with code 7/)
        assert.deepInclude(yield* of(heavy("sum", { n: 1 }, module)), { _tag: "Completed" })
      }),
    20_000
  )

  it.live(
    "ends its thread when nobody waits for it any more, although it never comes back by itself",
    () =>
      Effect.gen(function*() {
        const spinning = heavy("spin", undefined as never, module, { export: "spin" })
        const ending = yield* of(Effect.as(Effect.timeoutOption(spinning, "1 second"), "given up"))
        assert.deepInclude(ending, { _tag: "Completed", result: "given up" })
        assert.deepInclude(yield* of(heavy("sum", { n: 1 }, module)), { _tag: "Completed" })
      }),
    20_000
  )

  it.live(
    "that says nothing for longer than its agent allows is ended with its thread, and one that goes on saying so is not",
    () =>
      Effect.gen(function*() {
        const [silent, alive] = yield* Effect.all([
          of(heavy("spin", undefined as never, module, { export: "spin" }), "1 second"),
          of(heavy("beating", 3_500, module, { export: "beating" }), "1 second")
        ])
        assert.match(silent["message"], /^Stalled: no sign of life for [12]s/)
        assert.deepInclude(alive, { _tag: "Completed", result: 3_500 })
      }),
    20_000
  )

  it.live("that waits for a thread is not silent", () => {
    const Beats = make("1 second").toLayer(() => heavy("beating", 1_500, module, { export: "beating" }))
    const all = Array.from({ length: 2 * availableParallelism() }, () => Orchestrator.run("root", null))
    return Effect.all(all, { concurrency: "unbounded" }).pipe(
      Effect.map((ended) =>
        assert.deepStrictEqual(new Set(ended.map(({ ending }) => ending._tag)), new Set(["Completed"]))
      ),
      Effect.provide(Orchestrator.layer(Orchestrator.make({ agents: [Beats] })))
    )
  }, 30_000)

  it.live("says which function there is not", () =>
    Effect.gen(function*() {
      const missing = Step.worker()("none", null, new URL("../support/TempFolder.ts", import.meta.url))
      assert.match((yield* of(missing))["message"], /has no function "run"/)
    }), 20_000)
})
