/**
 * Child processes that misbehave, and what becomes of them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as McpClient from "../src/McpClient.ts"
import { cleanEnvironment, StdioServer, type StdioServerOptions } from "../src/StdioServer.ts"

const program = fileURLToPath(new URL("programs/badChild.ts", import.meta.url))

/** Starts a child and is there until it is killed. */
const holding = fileURLToPath(new URL("programs/holder.ts", import.meta.url))

const child = (mode: string, more: Partial<StdioServerOptions> = {}): StdioServerOptions => ({
  command: process.execPath,
  args: [program, mode],
  shutdown: 300,
  ...more
})

const connect = (mode: string, more: Partial<StdioServerOptions> = {}) =>
  McpClient.make({ name: "child", endpoint: { _tag: "Stdio", ...child(mode, more) } })

const text = (end: McpClient.TaskEnd) =>
  end._tag === "Completed" ? (end.result.content[0] as { readonly text: string }).text : ""

/** A process that has ended and that nobody has asked about is still listed, as a zombie. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"))
  } catch {
    return false
  }
}

/** A program that tells a process id as soon as it misbehaves. */
const started = (mode: string) => {
  const server = new StdioServer(child(mode))
  const told = new Promise<number>((resolve) => {
    Object.assign(server, { onmessage: ({ params }: any) => resolve(params.pid) })
  })
  return Effect.promise(async () => {
    await server.start()
    return { server, pid: await told }
  })
}

/** A program, and why it is gone in the end. */
const killed = [
  ["good", "its input ends"],
  ["stubborn", "it ignores that and SIGTERM, and is killed"],
  ["parent", "so does what it has started"]
] as const

describe("a child", () => {
  it.live("that dies within a call leaves its fate unknown, and is started again for the next", () =>
    Effect.gen(function*() {
      const client = yield* connect("good")
      const before = text(yield* client.run("process", {}))
      const error = yield* Effect.flip(client.run("dies", {}))
      assert.deepStrictEqual([error.reason._tag, error.mayHaveRun], ["OutcomeUnknown", true])
      assert.include(error.message, "exit code 9")
      const after = text(yield* client.run("process", {}))
      assert.notStrictEqual(after, before)
    }))

  it.live("that dies within a message leaves its fate unknown, and half a message is none", () =>
    Effect.gen(function*() {
      const client = yield* connect("good")
      const error = yield* Effect.flip(client.run("halves", {}))
      assert.deepStrictEqual([error.reason._tag, error.mayHaveRun], ["OutcomeUnknown", true])
      assert.strictEqual(text(yield* client.run("fine", {})), "ok")
    }))

  it.live("that writes letter by letter is understood", () =>
    Effect.gen(function*() {
      const client = yield* connect("good")
      assert.strictEqual(text(yield* client.run("stutters", {})), "ok")
    }))

  for (const [mode, why] of killed) {
    it.live(`goes when the process that started it is killed: ${why} (case 44)`, () =>
      Effect.gen(function*() {
        const holder = spawn(process.execPath, [holding, program, mode], { stdio: ["ignore", "pipe", "inherit"] })
        const said = yield* Effect.promise(() =>
          new Promise<string>((resolve) => void holder.stdout.once("data", (data) => resolve(String(data))))
        )
        const pids = said.trim().split(" ").map(Number)
        assert.isTrue(pids.every(isAlive))
        holder.kill("SIGKILL")
        const isOver = Effect.sync(() => !pids.some(isAlive))
        yield* Effect.repeat(isOver, { until: (over) => over, schedule: Schedule.spaced("20 millis") })
      }), 20_000)
  }

  it.live("that ends at once is told with what it said", () =>
    Effect.gen(function*() {
      const client = yield* connect("complains")
      const error = yield* Effect.flip(client.agreement)
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.include(error.message, "the port is taken")
    }))

  it.live("that keeps ending is left alone", () =>
    Effect.gen(function*() {
      const client = yield* connect("exits")
      const fail = Effect.flip(client.agreement)
      yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => fail)
      assert.include((yield* fail).message, "more than 5 times")
    }))

  it.live("that does not exist is told as such", () =>
    Effect.gen(function*() {
      const client = yield* connect("good", { command: "/nowhere/to/be/found" })
      const error = yield* Effect.flip(client.agreement)
      assert.include(error.message, "does not start")
    }))

  it.live("that dies of being asked for its revision is asked without", () =>
    Effect.gen(function*() {
      const client = yield* connect("allergic")
      assert.strictEqual((yield* client.agreement).version, "2025-06-18")
    }))

  it.live("that prints where only messages belong is understood all the same", () =>
    Effect.gen(function*() {
      const client = yield* connect("chatty")
      assert.strictEqual(text(yield* client.run("fine", {})), "ok")
    }))

  it.live("that writes a line without end is ended", () =>
    Effect.gen(function*() {
      const client = yield* connect("good", { line: 1024 * 1024 })
      const error = yield* Effect.flip(client.run("floods", {}))
      assert.include(error.message, "too long")
      assert.strictEqual(text(yield* client.run("fine", {})), "ok")
    }))

  it.live("gets a clean environment, and what is configured", () =>
    Effect.gen(function*() {
      process.env["COPPICE_TEST_SECRET"] = "secret"
      const client = yield* connect("good", { env: { ADDED: "yes" } })
      const environment = JSON.parse(text(yield* client.run("environment", {}))) as Record<string, string>
      delete process.env["COPPICE_TEST_SECRET"]
      assert.deepInclude(environment, { ADDED: "yes", PATH: process.env["PATH"]! })
      assert.notProperty(environment, "COPPICE_TEST_SECRET")
    }))

  it.live("that ignores a closed input and SIGTERM is killed", () =>
    Effect.gen(function*() {
      const { pid, server } = yield* started("stubborn")
      assert.isTrue(isAlive(pid))
      yield* server.stop
      assert.isFalse(isAlive(pid))
      assert.strictEqual(server.end, "signal SIGKILL")
    }))

  it.live("takes along what it started", () =>
    Effect.gen(function*() {
      const { pid: grandchild, server } = yield* started("parent")
      assert.isTrue(isAlive(grandchild))
      yield* server.stop
      while (isAlive(grandchild)) yield* Effect.yieldNow
    }))
})

describe("the environment of a child", () => {
  it("leaves exported shell functions out", () => {
    assert.deepStrictEqual(cleanEnvironment({ PATH: "() { :; }", HOME: "/root", OTHER: "x" }, { A: "1" }), {
      HOME: "/root",
      A: "1"
    })
  })
})
