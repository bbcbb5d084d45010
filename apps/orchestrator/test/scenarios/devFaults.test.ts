import * as ApiClient from "@coppice/api/ApiClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { dev, serve } from "../support/Process.ts"
import { config, imports, nap, project } from "../support/Project.ts"
import { folder } from "../support/Service.ts"

const start = Effect.fnUntraced(function*(files: Readonly<Record<string, string>>) {
  const { app } = yield* project(files)
  const running = yield* dev(app)
  const client = yield* ApiClient.make(running)
  return { running, client }
})

const begin = (client: ApiClient.ApiClient, agent: string, input: any = null) =>
  Effect.map(client.tasks.submit({ payload: { agent, input } }), ({ id }) => id)

const output = (client: ApiClient.ApiClient, id: string) =>
  Effect.map(client.result(id), ({ completed }) => completed?.output)

const has = (client: ApiClient.ApiClient, run: string, tag: string) =>
  client.follow({ run }).pipe(
    Stream.filter((frame) => frame.event === "message" && frame.data.event._tag === tag),
    Stream.runHead
  )

const fault = (client: ApiClient.ApiClient, payload: Parameters<typeof client.dev.fault>[0]["payload"]) =>
  client.dev.fault({ payload })

const agent = (name: string, body: string) =>
  `${imports}
export const Live = Agent.make("${name}", { description: "", input: Schema.Json, output: Schema.Json }).toLayer(() =>
  Effect.orDie(${body})
)
`

const asking = `Effect.as(Human.ask({ message: "go?", form: Schema.Struct({ go: Schema.Boolean }) }), "went")`

/** A provider that counts its requests. */
const provider = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly seen: Array<string>; readonly close: () => void }>((resume) => {
    const seen: Array<string> = []
    const server = createServer((request, response) => {
      seen.push(request.method!)
      request.resume().on("end", () => response.end("fine"))
    }).listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, seen, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a fault on demand", () => {
  it.live("kills the process, which is started again where it was", () =>
    Effect.gen(function*() {
      const { client, running } = yield* start({
        "app/coppice.config.ts": config(["asks"]),
        "app/asks.ts": agent("asks", asking)
      })
      const id = yield* begin(client, "asks")
      yield* has(client, id, "InputRequested")
      yield* fault(client, { kind: "jump", millis: 60_000 })
      const { test, text } = yield* fault(client, { kind: "kill-process" })
      yield* running.line("started again")
      // connections to the one that was killed are found out by using them
      yield* Effect.retry(client.dev.status(), { times: 5 })
      yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { go: true } } })
      assert.strictEqual(yield* Effect.retry(output(client, id), { times: 5 }), "went")
      const { clock, faults } = yield* client.dev.status()
      assert.deepStrictEqual(faults.map((one) => [one.id, one.text, one.test === test]), [
        ["2", text, true],
        ["1", "the clock goes ahead by 1 minute", false]
      ])
      assert.strictEqual(clock.ahead, 60_000)
      assert.deepStrictEqual(running.lines.filter((line) => line.startsWith("  ")).length, 3)
      yield* running.line("fault 2: the process is killed")
    }), 60_000)

  it.live("lets days pass", () =>
    Effect.gen(function*() {
      const { client } = yield* start({
        "app/coppice.config.ts": config(["naps"]),
        "app/naps.ts": agent("naps", nap("3 days"))
      })
      const id = yield* begin(client, "naps")
      const late = yield* client.tasks.submit({
        payload: { agent: "naps", input: null, deadline: (yield* client.dev.status()).clock.now + 86_400_000 }
      })
      yield* has(client, id, "TimerSet")
      yield* fault(client, { kind: "jump", millis: 3 * 86_400_000 })
      assert.strictEqual(yield* output(client, id), "awake")
      const { task } = yield* client.result(late.id)
      assert.deepStrictEqual([task.status, task.reason], ["failed", "deadline"])
    }), 60_000)

  it.live("kills an agent's server, which its supervisor restarts", () =>
    Effect.gen(function*() {
      const { client } = yield* start({
        "app/coppice.config.ts": config(["asks"]),
        "app/asks.ts": agent("asks", asking)
      })
      const id = yield* begin(client, "asks")
      yield* has(client, id, "InputRequested")
      yield* fault(client, { kind: "kill-worker", agent: "asks" })
      yield* client.inbox.answer({ params: { id }, payload: { action: "accept", content: { go: true } } })
      assert.strictEqual(yield* output(client, id), "went")
      const { agents } = yield* client.agents.list()
      assert.deepStrictEqual(agents.map(({ reason, restarts }) => [restarts, reason?.includes("killed on purpose")]), [
        [1, true]
      ])
    }), 60_000)

  it.live("has a provider too busy, out of reach, and called twice", () =>
    Effect.gen(function*() {
      const { seen, url } = yield* provider
      const call = `Step.run("call", Effect.tryPromise({
        try: () => fetch("${url}", { method: "POST", body: "{}" }),
        catch: (error) => error as Error
      }).pipe(
        Effect.map(({ status }) => status),
        Effect.catch((error: any) => Effect.succeed(error.cause.code))
      ))`
      const { client } = yield* start({
        "app/coppice.config.ts": config(["calls"]),
        "app/calls.ts": agent("calls", call)
      })
      const target = new URL(url).host
      const called = Effect.flatMap(begin(client, "calls"), (id) => output(client, id))
      assert.strictEqual(yield* called, 200)
      assert.deepStrictEqual((yield* client.dev.status()).targets.hosts, [target])
      yield* fault(client, { kind: "too-many-requests", target })
      assert.deepStrictEqual([yield* called, yield* called, seen.length], [429, 200, 2])
      const { id } = yield* fault(client, { kind: "drop-network", target, millis: 600_000 })
      assert.deepStrictEqual([yield* called, seen.length], ["ENETUNREACH", 2])
      assert.strictEqual((yield* client.dev.clear({ params: { id } })).state, "cleared")
      yield* fault(client, { kind: "duplicate", target })
      assert.deepStrictEqual([yield* called, yield* called, seen.length], [200, 200, 5])
    }), 60_000)

  it.live("reaches the servers of the configuration, whose calls go on by themselves", () =>
    Effect.gen(function*() {
      const there = yield* serve(yield* folder, ["--mcp-auth", "none"])
      const servers = `servers: { far: { url: "${there.url}/mcp", agents: [
        Agent.remote("far", { tool: "echo", input: Schema.Struct({ text: Schema.String }), output: Schema.String, idempotent: true })
      ] } }`
      const { client } = yield* start({ "app/coppice.config.ts": config([], servers) })
      const call = (text: string) => Effect.flatMap(begin(client, "far", { text }), (id) => output(client, id))
      assert.strictEqual(yield* call("plain"), "plain")
      assert.deepStrictEqual((yield* client.dev.status()).targets.servers, ["far"])
      yield* fault(client, { kind: "too-many-requests", target: "far", retryAfter: 1 })
      assert.strictEqual(yield* call("busy"), "busy")
      yield* fault(client, { kind: "drop-network", target: "far", millis: 1_500 })
      assert.strictEqual(yield* call("cut"), "cut")
      yield* fault(client, { kind: "delay", target: "far", millis: 50 })
      assert.strictEqual(yield* call("late"), "late")
      yield* client.dev.clearAll()
      yield* fault(client, { kind: "duplicate", target: "far" })
      assert.strictEqual(yield* call("twice"), "twice")
      const { faults } = yield* client.dev.status()
      assert.isTrue(faults.every(({ state, struck }) => state !== "active" && struck > 0), JSON.stringify(faults))
    }), 90_000)

  it.live("is refused in words when its target is nothing", () =>
    Effect.gen(function*() {
      const { client } = yield* start({ "app/coppice.config.ts": config([]) })
      const { error } = (yield* Effect.flip(fault(client, { kind: "kill-worker", agent: "nobody" }))) as any
      assert.deepStrictEqual([error.code, error.field], ["unknown_agent", "agent"])
      const refused = (yield* Effect.flip(fault(client, { kind: "delay", target: "nobody", millis: 1 }))) as any
      assert.deepStrictEqual([refused.error.code, refused.error.field], ["invalid_request", "target"])
    }), 60_000)
})
