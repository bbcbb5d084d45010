/**
 * The command as a process: what only the real thing shows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run, says, serve, start } from "../support/Command.ts"
import { folder } from "../support/Orchestrator.ts"

describe("the process", () => {
  it.live("prints its release", () =>
    Effect.gen(function*() {
      const { code, out } = yield* run(yield* folder, ["--version"])
      assert.strictEqual(code, 0)
      assert.match(out, /^coppice \d+\.\d+\.\d+\n$/)
    }))

  it.live("hands its exit code on and writes no escapes into a pipe", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* run(yield* folder, ["ps"])
      assert.strictEqual(code, 3)
      assert.strictEqual(out, "")
      assert.match(err, /^✖ No service found/)
      assert.notInclude(err, "\u001b")
    }))

  it.live("serves, is found from below its folder, and stops on a signal", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const service = yield* serve(cwd, "--store", "memory:")
      const greeted = yield* run(cwd, ["run", "greet", "--input", "{\"name\":\"Ada\"}"])
      assert.deepStrictEqual(greeted, { ...greeted, code: 0, out: "{\"greeting\":\"Hello Ada\"}\n" })
      service.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => service.closed), 0)
      assert.strictEqual((yield* run(cwd, ["ps"])).code, 3)
    }))

  it.live("follows a run over a killed service and the next one", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const first = yield* serve(cwd)
      const run = yield* start(cwd, ["run", "wait", "--input", "{\"millis\":1500,\"steps\":3}"])
      yield* says(run.child, "1/3")
      first.child.kill("SIGKILL")
      yield* Effect.promise(() => first.closed)
      yield* serve(cwd)
      assert.strictEqual(yield* Effect.promise(() => run.closed), 0, run.said.err)
      assert.strictEqual(run.said.out, "1500\n")
      assert.match(run.said.err, /started {2}attempt 2/)
    }))

  it.live("names whoever blocked the event loop, in the handler and in a step", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      yield* serve(cwd, "--store", "memory:")
      for (const input of [{ millis: 2_000 }, { millis: 2_000, inStep: true }]) {
        const begun = yield* run(cwd, ["run", "spin", "--input", JSON.stringify(input), "--detach"])
        const why = yield* run(cwd, ["why", begun.out.trim()])
        assert.match(why.out, /agent "spin" blocked the event loop for 2\d\d\d ms/)
      }
      const { out } = yield* run(cwd, ["doctor"])
      assert.match(out, /loop +"spin" blocked the event loop for 2\.\ds/)
    }))

  it.live("hands the service's own refusals on", () =>
    Effect.gen(function*() {
      const { code, err } = yield* run(yield* folder, ["serve", "--prt", "1"])
      assert.strictEqual(code, 2)
      assert.match(err, /--port/)
    }))

  it.live("watches the agents into a pipe until Ctrl-C", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      yield* serve(cwd, "--store", "memory:")
      const { child, closed, said } = yield* start(cwd, ["agents", "--watch"])
      yield* says(child, "greet  agent")
      child.kill("SIGINT")
      assert.strictEqual(yield* Effect.promise(() => closed), 130)
      assert.strictEqual(said.err, "")
    }))
})
