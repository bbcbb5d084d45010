/**
 * Remote agents over the official server of 2025-11-25: every task is written down here and done there.
 */
import { TaskLog } from "@coppice/task/TaskLog"
import { Tasks } from "@coppice/task/Tasks"
import { Workers } from "@coppice/task/Worker"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as McpClient from "../src/McpClient.ts"
import * as RemoteAgent from "../src/RemoteAgent.ts"
import { fact, life, type LifeOptions, newStore, rest, submit } from "./support/Engine.ts"
import { type LegacyHttp, listen } from "./support/LegacyServer.ts"

const peer = Effect.acquireRelease(Effect.promise(listen), (legacy) => Effect.promise(legacy.close))

const at = (legacy: LegacyHttp, ...agents: LifeOptions["agents"]): LifeOptions => ({
  store: newStore(),
  server: { endpoint: { _tag: "Http", url: legacy.url } },
  agents
})

const content = (text: string) => ({ content: [{ type: "text", text }] })

const finish = (legacy: LegacyHttp, text: string) => Effect.promise(() => legacy.controls.finish(text))

const called = (legacy: LegacyHttp, name: string, times = 1) =>
  Effect.promise(() => legacy.controls.called(name, times))

/** A task that is under way at the server, and known here to be. */
const begun = Effect.gen(function*() {
  const id = yield* submit("manual")
  yield* fact(id, "StepRecorded", ({ key }) => key === "remote:task")
  return id
})

describe("a remote agent", () => {
  it.live("takes its schemas from the tool, or from us", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const input = Schema.Struct({ a: Schema.Finite, b: Schema.Finite })
      const output = Schema.Struct({ sum: Schema.Finite })
      yield* life(
        at(legacy, { name: "echo" }, { name: "typed", tool: "sum", input, output }),
        Effect.gen(function*() {
          const workers = yield* Workers
          assert.deepStrictEqual(workers.find("echo")?.contract.input["required"], ["value"])
          assert.strictEqual(workers.find("echo")?.contract.description, "Says it again")
          const error = yield* Effect.flip(submit("typed", { a: "one", b: 2 }))
          assert.strictEqual(error._tag, "InvalidInput")
          const { ending } = yield* rest(yield* submit("typed", { a: 1, b: 2 }))
          assert.deepStrictEqual(ending, { _tag: "Completed", result: { sum: 3 } })
        })
      )
    }))

  it.live("returns what a plain tool returns, and what a task does", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "echo" }, { name: "quick" }),
        Effect.gen(function*() {
          const echo = yield* rest(yield* submit("echo", { value: "hi" }))
          const quick = yield* rest(yield* submit("quick", { value: "it" }))
          assert.deepStrictEqual(echo.ending, { _tag: "Completed", result: content("hi") })
          assert.deepStrictEqual(quick.ending, { _tag: "Completed", result: content("did it") })
        })
      )
    }))

  it.live("is heard at its last word, which may come right before its end", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "steps" }),
        Effect.gen(function*() {
          const { task } = yield* rest(yield* submit("steps"))
          assert.deepInclude(task.progress, { progress: 2, total: 2, message: "step 2" })
        })
      )
    }))

  it.live("tells the server whose call it is, in which trace, and by which key to know it again", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      let meta: any
      legacy.intercept = (_, __, body) => {
        if (body?.method === "tools/call") meta = body.params._meta
        return false
      }
      yield* life(
        at(legacy, { name: "echo" }),
        Effect.gen(function*() {
          const { task } = yield* rest(yield* submit("echo", { value: "hi" }))
          const { spanId, traceId } = task.spec.trace
          assert.deepInclude(meta, {
            traceparent: `00-${traceId}-${spanId}-01`,
            "dev.coppice/idempotency-key": task.id,
            "dev.coppice/task-parent": task.id
          })
        })
      )
    }))

  it.live("fails with what the tool says, and names server and tool when the server breaks", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      legacy.intercept = (_, response, body) => {
        if (body?.method !== "tools/call" || body.params.name !== "echo") return false
        const error = { code: -32_603, message: "out of cheese" }
        response.writeHead(200, { "content-type": "application/json" })
        response.end(JSON.stringify({ jsonrpc: "2.0", id: body.id, error }))
        return true
      }
      yield* life(
        at(legacy, { name: "broken" }, { name: "echo" }),
        Effect.gen(function*() {
          const { ending } = yield* rest(yield* submit("broken"))
          assert.deepStrictEqual(ending, {
            _tag: "Failed",
            reason: "agent_error",
            message: "the disk is full",
            error: { _tag: "RemoteFailure", message: "the disk is full", ...content("the disk is full") }
          })
          const broken = yield* rest(yield* submit("echo", { value: "1" }))
          assert.include(broken.task.statusMessage, "\"echo\"")
          assert.include(broken.task.statusMessage, "out of cheese")
          assert.strictEqual(broken.task.reason, "defect")
        })
      )
    }))

  it.live("asks its questions in our inbox", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "name" }),
        Effect.gen(function*() {
          const id = yield* submit("name")
          const { request } = yield* fact(id, "InputRequested")
          assert.deepStrictEqual([request.mode, request.message], ["form", "Your name?"])
          const response = { action: "accept", content: { name: "Ada" }, by: "test" } as const
          yield* (yield* Tasks).respond({ id, response })
          const { ending } = yield* rest(id)
          assert.deepStrictEqual(ending, { _tag: "Completed", result: content("accept Ada") })
        })
      )
    }))

  it.live("cancels there what is cancelled here, and settles as the server says", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "manual" }),
        Effect.gen(function*() {
          const id = yield* begun
          yield* (yield* Tasks).cancel({ id, by: "test" })
          const { task } = yield* rest(id)
          assert.deepStrictEqual([task.status, task.settlement], ["cancelled", "stopped"])
          assert.include(legacy.requests, "POST tasks/cancel")
        })
      )
    }))

  it.live("cancels there at its deadline", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "manual" }),
        Effect.gen(function*() {
          const id = yield* submit("manual", {}, { deadline: (yield* Clock.currentTimeMillis) + 300 })
          const { task } = yield* rest(id)
          assert.deepStrictEqual([task.status, task.reason, task.settlement], ["failed", "deadline", "stopped"])
          assert.include(legacy.requests, "POST tasks/cancel")
        })
      )
    }))

  it.live("says what it does not know when a plain call is given up", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      yield* life(
        at(legacy, { name: "hang" }),
        Effect.gen(function*() {
          const id = yield* submit("hang")
          yield* called(legacy, "hang")
          yield* (yield* Tasks).cancel({ id, by: "test" })
          const { task } = yield* rest(id)
          assert.deepStrictEqual([task.status, task.settlement], ["cancelled", "unknown"])
          yield* called(legacy, "hang cancelled")
        })
      )
    }))
})

describe("after a restart", () => {
  it.live("the same remote task is followed, not called again", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const options = at(legacy, { name: "manual" })
      const id = yield* life(options, begun)
      yield* life(
        options,
        Effect.gen(function*() {
          yield* finish(legacy, "late")
          const { ending, task } = yield* rest(id)
          assert.deepStrictEqual(ending, { _tag: "Completed", result: content("late") })
          assert.deepStrictEqual([task.attempt, legacy.controls.calls["manual"]], [2, 1])
        })
      )
    }))

  it.live("a task whose cancellation the server never heard of is cancelled there", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const options = at(legacy, { name: "manual" })
      const id = yield* life(options, begun)
      // the process dies right after the commit
      yield* life(
        { ...options, agents: [] },
        Effect.gen(function*() {
          const log = yield* TaskLog
          const entry = yield* log.acquire(id)
          log.dispatch(entry!, { _tag: "Cancel", by: "test", reason: null })
          yield* log.barrier
        })
      )
      assert.notInclude(legacy.requests, "POST tasks/cancel")
      yield* life(
        options,
        Effect.gen(function*() {
          const { task } = yield* rest(id)
          assert.deepStrictEqual([task.status, task.settlement], ["cancelled", "stopped"])
          assert.include(legacy.requests, "POST tasks/cancel")
        })
      )
    }))

  it.live("a call whose fate is unknown waits for a person rather than run twice", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const options = at(legacy, { name: "hang", concurrency: 1 })
      const id = yield* life(
        options,
        Effect.gen(function*() {
          const id = yield* submit("hang")
          yield* called(legacy, "hang")
          return id
        })
      )
      yield* life(
        options,
        Effect.gen(function*() {
          const { request } = yield* fact(id, "InputRequested")
          assert.strictEqual(request.about, "outcome_unknown")
          assert.include(request.message, "may have run")
          assert.isTrue((yield* Workers).find("hang")?.hasPlace())
          assert.strictEqual(legacy.controls.calls["hang"], 1)
        })
      )
    }))

  it.live("a call whose fate is unknown is repeated when that does no harm", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const options = at(legacy, { name: "hang", idempotent: true })
      yield* life(options, Effect.andThen(submit("hang"), called(legacy, "hang")))
      yield* life(options, called(legacy, "hang", 2))
    }))
})

describe("a server that cannot be reached", () => {
  it.live("costs attempts, and then the task", () =>
    Effect.gen(function*() {
      yield* life(
        {
          store: newStore(),
          server: { endpoint: { _tag: "Http", url: "http://127.0.0.1:1/mcp" } },
          agents: [{ name: "gone", attempts: 2 }]
        },
        Effect.gen(function*() {
          const { task } = yield* rest(yield* submit("gone"))
          assert.deepStrictEqual([task.status, task.attempt], ["failed", 2])
          assert.include(task.statusMessage, "cannot be reached")
        })
      )
    }))

  it.live("is left alone once it has failed often enough", () =>
    Effect.gen(function*() {
      yield* life(
        {
          store: newStore(),
          server: { endpoint: { _tag: "Http", url: "http://127.0.0.1:1/mcp" } },
          agents: [{ name: "gone", attempts: 1 }]
        },
        Effect.gen(function*() {
          assert.strictEqual((yield* (yield* Workers).find("gone")!.breaker!).state, "closed")
          const fail = Effect.flatMap(submit("gone"), rest)
          yield* Effect.forEach([1, 2, 3, 4, 5], () => fail)
          const { task } = yield* fail
          assert.include(task.statusMessage, "left alone")
          const { openings, state, until } = yield* (yield* Workers).find("gone")!.breaker!
          assert.deepStrictEqual([state, openings], ["open", 1])
          assert.isAbove(until!, task.createdAt)
        })
      )
    }))
})

describe("a server's tools", () => {
  it.live("become agents, all of them, under a prefix", () =>
    Effect.gen(function*() {
      const legacy = yield* peer
      const client = yield* McpClient.make({ name: "peer", endpoint: { _tag: "Http", url: legacy.url } })
      const agents = yield* RemoteAgent.discover(client, "legacy.")
      assert.includeMembers(agents.map(({ name }) => name), ["legacy.echo", "legacy.quick"])
      assert.strictEqual(agents.find(({ tool }) => tool === "echo")?.server, "peer")
    }))
})

describe("definitions", () => {
  it("are refused when they cannot work", () => {
    assert.throws(() => RemoteAgent.make({ name: "no good", server: "peer" }), /name/)
    assert.throws(() => RemoteAgent.make({ name: "good", server: "peer", attempts: 0 }), /attempts/)
  })
})
