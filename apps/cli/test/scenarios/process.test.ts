/**
 * The command as a process: what only the real thing shows.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { folder } from "../support/Orchestrator.ts"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const bin = at("../../bin/coppice.mjs")
const config = at("../support/coppice.config.ts")

/** A started command and what it says. */
const start = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], TMPDIR: process.env["TMPDIR"] }
      const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
      const said = { out: "", err: "" }
      child.stdout.on("data", (chunk) => said.out += String(chunk))
      child.stderr.on("data", (chunk) => said.err += String(chunk))
      const closed = once(child, "close").then(([code]) => code as number | null)
      return { child, said, closed }
    }),
    ({ child, closed }) =>
      Effect.promise(async () => {
        child.kill("SIGKILL")
        await closed
      })
  )

const run = Effect.fnUntraced(function*(cwd: string, ...args: ReadonlyArray<string>) {
  const { closed, said } = yield* start(cwd, ...args)
  return { code: yield* Effect.promise(() => closed), ...said }
})

const says = (child: ChildProcess, text: string) =>
  Effect.callback<void>((resume) => {
    const read = (chunk: Buffer) => String(chunk).includes(text) && resume(Effect.void)
    child.stdout?.on("data", read)
    child.stderr?.on("data", read)
  })

describe("the process", () => {
  it.live("prints its release", () =>
    Effect.gen(function*() {
      const { code, out } = yield* run(yield* folder, "--version")
      assert.strictEqual(code, 0)
      assert.match(out, /^coppice \d+\.\d+\.\d+\n$/)
    }))

  it.live("hands its exit code on and writes no escapes into a pipe", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* run(yield* folder, "ps")
      assert.strictEqual(code, 3)
      assert.strictEqual(out, "")
      assert.match(err, /^✖ No service found/)
      assert.notInclude(err, "\u001b")
    }))

  it.live("serves, is found from below its folder, and stops on a signal", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const service = yield* start(cwd, "serve", "--port", "0", "--store", "memory:", "--config", config)
      yield* says(service.child, "Ready at")
      const greeted = yield* run(cwd, "run", "greet", "--input", "{\"name\":\"Ada\"}")
      assert.deepStrictEqual(greeted, { ...greeted, code: 0, out: "{\"greeting\":\"Hello Ada\"}\n" })
      service.child.kill("SIGTERM")
      assert.strictEqual(yield* Effect.promise(() => service.closed), 0)
      assert.strictEqual((yield* run(cwd, "ps")).code, 3)
    }))

  it.live("follows a run over a killed service and the next one", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const serve = Effect.gen(function*() {
        const service = yield* start(cwd, "serve", "--port", "0", "--config", config)
        yield* says(service.child, "Ready at")
        return service
      })
      const first = yield* serve
      const run = yield* start(cwd, "run", "wait", "--input", "{\"millis\":1500,\"steps\":3}")
      yield* says(run.child, "1/3")
      first.child.kill("SIGKILL")
      yield* Effect.promise(() => first.closed)
      yield* serve
      assert.strictEqual(yield* Effect.promise(() => run.closed), 0, run.said.err)
      assert.strictEqual(run.said.out, "1500\n")
      assert.match(run.said.err, /started {2}attempt 2/)
    }))

  it.live("hands the service's own refusals on", () =>
    Effect.gen(function*() {
      const { code, err } = yield* run(yield* folder, "serve", "--prt", "1")
      assert.strictEqual(code, 2)
      assert.match(err, /--port/)
    }))
})
