/**
 * `coppice mcp` as a host has it: a process, and lines of JSON.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { folder } from "../support/Orchestrator.ts"

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const bin = at("../../bin/coppice.mjs")
const main = at("../../../orchestrator/src/main.ts")
const config = at("../support/coppice.config.ts")
const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], COPPICE_PORT: "0" }

interface Reply {
  readonly id?: string | number
  readonly method?: string
  readonly params?: any
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string }
}

/** The process on the other end of the pipe. */
class Pipe {
  readonly child: ChildProcess
  readonly closed: Promise<number | null>
  readonly replies: Array<Reply> = []
  err = ""
  private readonly waiting = new Set<() => void>()

  constructor(child: ChildProcess) {
    this.child = child
    this.closed = once(child, "close").then(([code]) => code as number | null)
    child.stderr!.on("data", (chunk) => this.err += String(chunk))
    createInterface({ input: child.stdout! }).on("line", (line) => {
      this.replies.push(JSON.parse(line))
      for (const look of this.waiting) look()
    })
  }

  send(message: object): void {
    this.child.stdin!.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
  }

  /** The first message of which that holds. */
  until(is: (reply: Reply) => boolean): Effect.Effect<Reply> {
    return Effect.callback((resume) => {
      const look = () => {
        const found = this.replies.find(is)
        if (found === undefined) return
        this.waiting.delete(look)
        resume(Effect.succeed(found))
      }
      this.waiting.add(look)
      look()
    })
  }

  request(id: string | number, method: string, params: object = {}): Effect.Effect<Reply> {
    this.send({ id, method, params })
    return this.until((reply) => reply.id === id && reply.method === undefined)
  }
}

const mcp = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => new Pipe(spawn(process.execPath, [bin, "mcp", ...args], { cwd, env, stdio: "pipe" }))),
    ({ child, closed }) =>
      Effect.promise(async () => {
        child.kill("SIGKILL")
        await closed
      })
  )

const serve = (cwd: string) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [main, "--config", config], { cwd, env, stdio: "pipe" })),
      (child) => Effect.sync(() => void child.kill("SIGKILL"))
    )
    yield* Effect.callback<void>((resume) => {
      child.stderr.on("data", (chunk) => String(chunk).includes("Ready at") && resume(Effect.void))
    })
    return child
  })

/** Ends it as a crash would, or cleanly, and waits until it is gone. */
const end = (child: ChildProcess, signal: NodeJS.Signals) =>
  Effect.promise(async () => {
    const ended = once(child, "exit")
    child.kill(signal)
    await ended
  })

const serviceOf = (cwd: string): { readonly pid: number; readonly url: string; readonly token: string } =>
  JSON.parse(readFileSync(join(cwd, ".coppice", "service.json"), "utf8"))

/** What the service says of something. */
const ask = async (cwd: string, path: string): Promise<unknown> => {
  const { token, url } = serviceOf(cwd)
  return (await fetch(`${url}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } })).json()
}

interface Tasks {
  readonly tasks: ReadonlyArray<{ readonly id: string; readonly status: string }>
}

const tasksOf = (cwd: string, agent: string) =>
  Effect.map(Effect.promise(() => ask(cwd, `tasks?agent=${agent}`)), (found) => (found as Tasks).tasks)

const begin = Effect.fnUntraced(function*(pipe: Pipe) {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }
  const { result } = yield* pipe.request("init", "initialize", params)
  pipe.send({ method: "notifications/initialized" })
  return result
})

const call = (name: string, args: object) => ({ name, arguments: args })

const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/tasks": {} } }
}

const modern = (params: object) => ({ ...params, _meta: envelope })

describe("coppice mcp", () => {
  it.live("starts a service where none runs, and leaves it running when the pipe closes", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const pipe = yield* mcp(cwd, "--config", config)
      assert.strictEqual((yield* begin(pipe)).protocolVersion, "2025-11-25")
      const greeted = yield* pipe.request(1, "tools/call", call("greet", { name: "Ada" }))
      assert.deepStrictEqual(greeted.result.structuredContent, { greeting: "Hello Ada" })
      const found = yield* pipe.request(2, "server/discover", modern({}))
      assert.deepStrictEqual(found.result.supportedVersions, ["2026-07-28"])

      pipe.child.stdin!.end()
      assert.strictEqual(yield* Effect.promise(() => pipe.closed), 0)
      assert.strictEqual(pipe.err, "")
      assert.deepStrictEqual((yield* tasksOf(cwd, "greet")).map(({ status }) => status), ["completed"])
      process.kill(serviceOf(cwd).pid, "SIGKILL")
    }))

  it.live("says what is no message, and goes on", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      yield* serve(cwd)
      const pipe = yield* mcp(cwd)
      pipe.child.stdin!.write("nonsense\n\n[1]\n")
      const { error } = yield* pipe.until((reply) => reply.error !== undefined)
      assert.strictEqual(error!.code, -32700)
      assert.strictEqual((yield* begin(pipe)).serverInfo.name, "coppice")
      assert.strictEqual((yield* pipe.request(1, "nothing/like/it")).error!.code, -32601)
      assert.strictEqual((yield* pipe.request("m", "nothing/like/it", modern({}))).error!.code, -32601)
      assert.strictEqual(pipe.replies.filter(({ error }) => error?.code === -32700).length, 2)
    }))

  it.live("says why no service can be started", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const pipe = yield* mcp(cwd, "--config", "nowhere.ts")
      const { error } = yield* pipe.request(1, "server/discover", modern({}))
      assert.match(error!.message, /none can be started: There is no file .*nowhere\.ts/)
      assert.isFalse(existsSync(join(cwd, ".coppice", "service.json")))
    }))

  it.live.each(["SIGKILL", "SIGTERM"] as const)(
    "waits over a %s and the next service, and no call runs twice",
    (signal) =>
      Effect.gen(function*() {
        const cwd = yield* folder
        const first = yield* serve(cwd)
        const pipe = yield* mcp(cwd)
        yield* begin(pipe)
        const args = { millis: 4_000, steps: 20 }
        pipe.send({
          id: 1,
          method: "tools/call",
          params: { ...call("wait", args), _meta: { progressToken: "legacy" } }
        })
        const { "io.modelcontextprotocol/protocolVersion": protocolVersion } = envelope
        pipe.send({
          id: 2,
          method: "tools/call",
          params: {
            ...call("wait", args),
            _meta: {
              progressToken: "modern",
              "io.modelcontextprotocol/protocolVersion": protocolVersion,
              "io.modelcontextprotocol/clientCapabilities": {}
            }
          }
        })
        yield* pipe.until(({ params }) => params?.progressToken === "legacy")
        yield* pipe.until(({ params }) => params?.progressToken === "modern")
        yield* end(first, signal)
        yield* serve(cwd)
        for (const id of [1, 2]) {
          const { result } = yield* pipe.until((reply) => reply.id === id && reply.method === undefined)
          assert.strictEqual(result.content[0].text, "4000")
        }
        assert.strictEqual((yield* pipe.request(3, "tools/call", call("greet", { name: "Ada" }))).error, undefined)
        assert.deepStrictEqual((yield* tasksOf(cwd, "wait")).map(({ status }) => status), ["completed", "completed"])
      })
  )

  it.live("listens to a task on, over a killed service and the next one", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const first = yield* serve(cwd)
      const pipe = yield* mcp(cwd)
      const { result } = yield* pipe.request(1, "tools/call", modern(call("wait", { millis: 3_000 })))
      assert.strictEqual(result.resultType, "task")
      pipe.send({
        id: "listen",
        method: "subscriptions/listen",
        params: modern({ notifications: { taskIds: [result.taskId] } })
      })
      yield* pipe.until(({ method, params }) => method === "notifications/tasks" && params.status === "working")
      yield* end(first, "SIGKILL")
      yield* serve(cwd)
      const over = ({ method, params }: Reply) => method === "notifications/tasks" && params.status === "completed"
      assert.strictEqual((yield* pipe.until(over)).params.taskId, result.taskId)
      pipe.send({ method: "notifications/cancelled", params: { requestId: "listen" } })
      pipe.child.stdin!.end()
      assert.strictEqual(yield* Effect.promise(() => pipe.closed), 0)
    }))

  it.live("cancels what the host cancels, in either revision", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      yield* serve(cwd)
      const pipe = yield* mcp(cwd)
      yield* begin(pipe)
      const plain = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
      }
      for (const [id, meta] of [["legacy", {}], ["modern", plain]] as const) {
        const _meta = { ...meta, progressToken: id }
        pipe.send({ id, method: "tools/call", params: { ...call("wait", { millis: 60_000, steps: 600 }), _meta } })
        yield* pipe.until(({ params }) => params?.progressToken === id)
        pipe.send({ method: "notifications/cancelled", params: { requestId: id, reason: "not wanted" } })
      }
      for (const { id } of yield* tasksOf(cwd, "wait")) {
        yield* Effect.promise(() => ask(cwd, `tasks/${id}/result?wait=10`))
      }
      assert.deepStrictEqual((yield* tasksOf(cwd, "wait")).map(({ status }) => status), ["cancelled", "cancelled"])
      assert.isUndefined(pipe.replies.find(({ id }) => id === "legacy" || id === "modern"))
    }))
})
